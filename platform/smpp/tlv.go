package smpp

import "encoding/binary"

// Tag names an optional parameter (section 5.3.2).
type Tag uint16

// The optional parameters that are read or written; all others are kept.
const (
	TagReceiptedMessageID Tag = 0x001E
	TagUserReference      Tag = 0x0204 // user_message_reference
	TagSARReference       Tag = 0x020C
	TagSARTotal           Tag = 0x020E
	TagSARNumber          Tag = 0x020F
	TagPayload            Tag = 0x0424
	TagMessageState       Tag = 0x0427
	TagUSSDServiceOp      Tag = 0x0501
	TagSessionInfo        Tag = 0x1383
)

// TLV is one optional parameter.
type TLV struct {
	Tag   Tag
	Value []byte
}

// TLVs are the optional parameters of a PDU, in its order.
type TLVs []TLV

// Get finds the first parameter with this tag.
func (t TLVs) Get(tag Tag) (value []byte, ok bool) {
	for _, tlv := range t {
		if tlv.Tag == tag {
			return tlv.Value, true
		}
	}
	return nil, false
}

// Byte is the value of a parameter of one octet; ok is false when it is absent
// or has another length.
func (t TLVs) Byte(tag Tag) (value byte, ok bool) {
	raw, ok := t.Get(tag)
	if !ok || len(raw) != 1 {
		return 0, false
	}
	return raw[0], true
}

// maxPadding is how many NUL octets may lie between the last field and the optional
// parameters: a message's own end, which sm_length does not count.
const maxPadding = 3

// readTLVs reads the rest of a PDU. Unknown parameters are no fault: section 3.3 has
// newer versions add some. Octets that form no parameter are passed over, before the
// parameters and after them, and whole is false then: whoever wrote them wrote a
// message too, and that is more than they are.
func readTLVs(raw []byte) (all TLVs, whole bool) {
	all, left := splitTLVs(raw)
	if left == 0 {
		return all, true
	}
	for padding := 1; padding <= min(maxPadding, len(raw)) && raw[padding-1] == 0; padding++ {
		if shifted, left := splitTLVs(raw[padding:]); left == 0 {
			return shifted, false
		}
	}
	return all, false
}

// splitTLVs reads parameters up to the first octets that form none, and says how many
// are left.
func splitTLVs(raw []byte) (all TLVs, left int) {
	for len(raw) >= 4 {
		length := int(binary.BigEndian.Uint16(raw[2:]))
		if len(raw)-4 < length {
			break
		}
		all = append(all, TLV{Tag: Tag(binary.BigEndian.Uint16(raw)), Value: raw[4 : 4+length : 4+length]})
		raw = raw[4+length:]
	}
	return all, len(raw)
}

func (t TLVs) append(raw []byte) ([]byte, error) {
	for _, tlv := range t {
		if len(tlv.Value) > 0xFFFF {
			return nil, malformed(StatusParameter, "an optional parameter over 65 535 octets")
		}
		raw = binary.BigEndian.AppendUint16(raw, uint16(tlv.Tag))
		raw = binary.BigEndian.AppendUint16(raw, uint16(len(tlv.Value)))
		raw = append(raw, tlv.Value...)
	}
	return raw, nil
}
