package smpp

import "bytes"

// fields reads the mandatory parameters of a body, one after the other. The
// first fault stays, and everything after it reads as empty.
type fields struct {
	raw []byte
	err error
	odd string // see PDU.Odd
}

func (f *fields) fail(status Status, reason string) {
	if f.err == nil {
		f.err = malformed(status, reason)
	}
	f.raw = nil
}

func (f *fields) octet() byte {
	if len(f.raw) == 0 {
		f.fail(StatusCommandLength, "a body that ends early")
		return 0
	}
	b := f.raw[0]
	f.raw = f.raw[1:]
	return b
}

// text reads a string that ends with NUL; size is its longest, NUL included.
func (f *fields) text(size int) string {
	end := bytes.IndexByte(f.raw[:min(size, len(f.raw))], 0)
	if end < 0 {
		f.fail(StatusParameter, "a string without an end")
		return ""
	}
	s := string(f.raw[:end])
	f.raw = f.raw[end+1:]
	return s
}

// id reads the message_id or system_id of a response, of any length: what is refused
// here would be sent again. One without its NUL is all that is left.
func (f *fields) id(size int) string {
	end := bytes.IndexByte(f.raw, 0)
	if end < 0 {
		f.note(OddUnended)
		end = len(f.raw)
	} else if end >= size {
		f.note(OddLong)
	}
	id := string(f.raw[:end])
	f.raw = f.raw[min(end+1, len(f.raw)):]
	return id
}

// note keeps what was met first: it decides whether the PDU can be written as it was
// read, which an id that is too long cannot, whatever follows it.
func (f *fields) note(odd string) {
	if f.odd == "" {
		f.odd = odd
	}
}

// rest passes over what is left where nothing more belongs.
func (f *fields) rest() {
	if len(f.raw) > 0 && f.err == nil {
		f.note(OddTrailing)
	}
}

func (f *fields) address(size int) Address {
	return Address{TON: f.octet(), NPI: f.octet(), Digits: f.text(size)}
}

func (f *fields) bind() *Bind {
	b := &Bind{SystemID: f.text(16), Password: f.text(9), SystemType: f.text(13), Version: f.octet(), Range: f.address(41)}
	f.rest()
	return b
}

func (f *fields) message() *Message {
	m := &Message{
		ServiceType: f.text(6), Source: f.address(21), Destination: f.address(21), Class: f.octet(), Protocol: f.octet(),
		Priority: f.octet(), Schedule: f.text(17), Validity: f.text(17), Registered: f.octet(), Replace: f.octet(),
		Coding: f.octet(), DefaultID: f.octet(),
	}
	length := int(f.octet())
	if f.err == nil && (length > maxShort || length > len(f.raw)) {
		f.fail(StatusMessageLength, "sm_length is not that of the message")
	}
	if f.err == nil {
		m.Short = f.raw[:length:length]
		f.raw = f.raw[length:]
	}
	return m
}

// data reads the body of data_sm: its text is in the message_payload.
func (f *fields) data() *Message {
	return &Message{
		ServiceType: f.text(6), Source: f.address(65), Destination: f.address(65),
		Class: f.octet(), Registered: f.octet(), Coding: f.octet(),
	}
}

func (f *fields) tlvs() TLVs {
	if f.err != nil {
		return nil
	}
	all, whole := readTLVs(f.raw)
	if !whole {
		f.note(OddTrailing)
	}
	return all
}

// maxShort is the longest short_message, in octets (section 5.2.21).
const maxShort = 254

// writer writes mandatory parameters; the first fault stays.
type writer struct {
	raw []byte
	err error
}

// text writes a string; size is the longest that is allowed, NUL included.
func (w *writer) text(s string, size int) {
	if len(s) >= size || bytes.IndexByte([]byte(s), 0) >= 0 {
		if w.err == nil {
			w.err = malformed(StatusParameter, "a string that is too long or has a NUL")
		}
		return
	}
	w.raw = append(append(w.raw, s...), 0)
}

func (w *writer) octets(b ...byte) { w.raw = append(w.raw, b...) }

func (w *writer) address(a Address, size int) {
	w.octets(a.TON, a.NPI)
	w.text(a.Digits, size)
}

func (w *writer) bind(b *Bind) {
	if b == nil {
		w.err = malformed(StatusSystem, "a bind request without a body")
		return
	}
	w.text(b.SystemID, 16)
	w.text(b.Password, 9)
	w.text(b.SystemType, 13)
	w.octets(b.Version)
	w.address(b.Range, 41)
}

func (w *writer) message(m *Message) {
	if m == nil || len(m.Short) > maxShort {
		w.err = malformed(StatusMessageLength, "a message of over 254 octets, or none")
		return
	}
	w.text(m.ServiceType, 6)
	w.address(m.Source, 21)
	w.address(m.Destination, 21)
	w.octets(m.Class, m.Protocol, m.Priority)
	w.text(m.Schedule, 17)
	w.text(m.Validity, 17)
	w.octets(m.Registered, m.Replace, m.Coding, m.DefaultID, byte(len(m.Short)))
	w.octets(m.Short...)
}

func (w *writer) data(m *Message) {
	if m == nil {
		w.err = malformed(StatusSystem, "a data_sm without a body")
		return
	}
	w.text(m.ServiceType, 6)
	w.address(m.Source, 65)
	w.address(m.Destination, 65)
	w.octets(m.Class, m.Registered, m.Coding)
}

// id writes a response's body. A refused submit_sm has none (section 4.4.2); the
// response to deliver_sm always has its unused message_id (section 4.6.2).
func (w *writer) id(p PDU, size int) {
	if p.Status == StatusOK || p.Command == DeliverSMResp || p.ID != "" || len(p.TLVs) > 0 {
		w.text(p.ID, size)
	}
}
