package smpp

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"

	"github.com/eshik-kg/eshik/platform/gsm"
)

// Values of data_coding (section 5.2.19; 3GPP TS 23.038, 4 and 5).
const (
	CodingDefault  byte = 0  // the SMS centre's own alphabet, GSM 7-bit by the standard's advice
	CodingASCII    byte = 1  // IA5
	CodingLatin1   byte = 3  // ISO 8859-1
	codingCyrillic byte = 6  // ISO 8859-5
	CodingUCS2     byte = 8  // big-endian
	CodingUSSD     byte = 15 // USSD's GSM 7-bit, language unspecified
	CodingUSSDUCS2 byte = 72 // USSD's UCS-2
)

// Bits of esm_class (section 5.2.12).
const (
	JoinedClass    byte = 0x40 // the message begins with Part.Header
	receiptClass   byte = 0x04 // delivery receipt
	automaticClass byte = 0x08 // delivery acknowledgement and, with 0x10, conversation abort
	notifiedClass  byte = 0x20 // intermediate notification
)

// ErrCoding says that a text is in a coding that is not spoken here, or in none that can
// be told.
var ErrCoding = errors.New("unknown data_coding")

// EncodeText writes text in one of the GSM or UCS-2 codings. GSM septets lie in
// an octet each. ErrCoding: another coding, or a character outside GSM-7.
func EncodeText(text string, coding byte) ([]byte, error) {
	switch coding {
	case CodingDefault, CodingUSSD:
		if octets, ok := gsm.Encode(text); ok {
			return octets, nil
		}
	case CodingUCS2, CodingUSSDUCS2:
		var octets []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			octets = binary.BigEndian.AppendUint16(octets, unit)
		}
		return octets, nil
	}
	return nil, ErrCoding
}

// DecodeText is AlphabetGSM7.Decode.
func DecodeText(octets []byte, coding byte) (string, error) {
	return AlphabetGSM7.Decode(octets, coding)
}

// Part is the place of a short message in a longer text; the zero Part is a
// whole text.
type Part struct {
	// Reference is common to the text's parts: 8 or 16 bits.
	Reference int
	// Number counts from 1 to Total.
	Number, Total int
}

// Header is the user data header of a part with an 8-bit reference. Source: 3GPP
// TS 23.040, 9.2.3.24.1.
func (p Part) Header() []byte {
	return []byte{5, 0, 3, byte(p.Reference), byte(p.Total), byte(p.Number)}
}

// Content takes the text's octets out of a message, with its place among other
// parts: from the user data header, or from the sar_ parameters.
func Content(m *Message, tlvs TLVs) (octets []byte, part Part, err error) {
	octets = m.Short
	if payload, ok := tlvs.Get(TagPayload); ok && len(octets) == 0 {
		octets = payload
	}
	if m.Class&JoinedClass != 0 {
		part, octets, err = readHeader(octets)
	} else {
		part, err = readSAR(tlvs)
	}
	if err == nil && part.Total > 0 && (part.Number < 1 || part.Number > part.Total) {
		err = malformed(StatusPermanent, "an impossible part")
	}
	if err != nil || part.Total < 2 {
		return octets, Part{}, err
	}
	return octets, part, nil
}

// readHeader reads a user data header; elements other than concatenation are
// passed over.
func readHeader(octets []byte) (Part, []byte, error) {
	if len(octets) == 0 || int(octets[0]) > len(octets)-1 {
		return Part{}, nil, malformed(StatusPermanent, "a user data header longer than the message")
	}
	head, rest := octets[1:1+int(octets[0])], octets[1+int(octets[0]):]
	var part Part
	for len(head) > 0 {
		if len(head) < 2 || len(head)-2 < int(head[1]) {
			return Part{}, nil, malformed(StatusPermanent, "an element longer than its user data header")
		}
		id, value := head[0], head[2:2+int(head[1])]
		switch {
		case id == 0 && len(value) == 3:
			part = Part{Reference: int(value[0]), Total: int(value[1]), Number: int(value[2])}
		case id == 8 && len(value) == 4:
			part = Part{Reference: int(value[0])<<8 | int(value[1]), Total: int(value[2]), Number: int(value[3])}
		}
		head = head[2+int(head[1]):]
	}
	return part, rest, nil
}

func readSAR(tlvs TLVs) (Part, error) {
	reference, has := tlvs.Get(TagSARReference)
	if !has {
		return Part{}, nil
	}
	total, hasTotal := tlvs.Byte(TagSARTotal)
	number, hasNumber := tlvs.Byte(TagSARNumber)
	if len(reference) != 2 || !hasTotal || !hasNumber {
		return Part{}, malformed(StatusPermanent, "sar_ parameters that are incomplete")
	}
	return Part{Reference: int(binary.BigEndian.Uint16(reference)), Total: int(total), Number: int(number)}, nil
}
