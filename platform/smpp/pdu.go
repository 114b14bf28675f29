package smpp

import (
	"encoding/binary"
	"fmt"
	"io"
)

const (
	// headSize is what every PDU begins with: its length, command, status and
	// sequence number.
	headSize = 16
	// MaxPDU bounds a PDU, in octets: the largest message_payload (65 535) and
	// room for everything else.
	MaxPDU = 70 << 10
)

// PDU is one protocol data unit. Which of its parts are in use depends on the
// command.
type PDU struct {
	Command  Command
	Status   Status
	Sequence uint32
	// Bind is what a bind request says.
	Bind *Bind
	// Message is the body of submit_sm, deliver_sm and data_sm.
	Message *Message
	// ID is the system_id in the response to a bind, and the message_id in the
	// responses to submit_sm, deliver_sm and data_sm.
	ID   string
	TLVs TLVs
	// Odd is what the PDU has beside what the standard allows, and was read in spite
	// of: one of the Odd constants, a metric's label. Empty: nothing.
	Odd string
}

// What a PDU may have beside what belongs there.
const (
	OddTrailing = "trailing"   // octets around or after the optional parameters that form none
	OddUnended  = "unended_id" // a response's id without its NUL
	OddLong     = "long_id"    // a response's id over 64 octets, or a system_id over 15
)

// Bind is the body of a bind request (section 4.1.5).
type Bind struct {
	SystemID, Password, SystemType string
	// Version is 0x34 for SMPP 3.4.
	Version byte
	// Range is the address range served, by its type and plan.
	Range Address
}

// Address is a subscriber or service address (sections 5.2.5 to 5.2.7).
type Address struct {
	TON, NPI byte
	Digits   string
}

// Message is the body of submit_sm and deliver_sm (sections 4.4.1 and 4.6.1).
// data_sm (section 4.7.1) has only some of the fields.
type Message struct {
	ServiceType         string
	Source, Destination Address
	Class               byte // esm_class
	Protocol, Priority  byte
	Schedule, Validity  string
	Registered          byte // registered_delivery
	Replace             byte
	Coding              byte // data_coding
	DefaultID           byte
	Short               []byte // short_message, 254 octets at most
}

// ReadFrame reads one PDU's octets. A MalformedError means that the stream can
// no longer be followed.
func ReadFrame(r io.Reader) ([]byte, error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < headSize || length > MaxPDU {
		return head[:], malformed(StatusCommandLength, fmt.Sprintf("command_length %d", length))
	}
	frame := make([]byte, length)
	copy(frame, head[:])
	if _, err := io.ReadFull(r, frame[headSize:]); err != nil {
		return nil, fmt.Errorf("read an SMPP PDU: %w", err)
	}
	return frame, nil
}

// Decode reads the PDU in frame, which is as long as its command_length says.
// With a MalformedError the PDU still has its head. The PDU shares frame's memory.
func Decode(frame []byte) (PDU, error) {
	if len(frame) < headSize || int64(binary.BigEndian.Uint32(frame)) != int64(len(frame)) || len(frame) > MaxPDU {
		return PDU{}, malformed(StatusCommandLength, "command_length is not that of the PDU")
	}
	p := PDU{
		Command:  Command(binary.BigEndian.Uint32(frame[4:])),
		Status:   Status(binary.BigEndian.Uint32(frame[8:])),
		Sequence: binary.BigEndian.Uint32(frame[12:]),
	}
	body := fields{raw: frame[headSize:]}
	p.readBody(&body)
	p.Odd = body.odd
	if body.err != nil {
		return PDU{Command: p.Command, Status: p.Status, Sequence: p.Sequence}, body.err
	}
	return p, nil
}

func (p *PDU) readBody(f *fields) {
	switch p.Command {
	case BindReceiver, BindTransmitter, BindTransceiver:
		p.Bind = f.bind()
	case SubmitSM, DeliverSM:
		p.Message = f.message()
		p.TLVs = f.tlvs()
	case DataSM:
		p.Message = f.data()
		p.TLVs = f.tlvs()
	case BindReceiverResp, BindTransmitterResp, BindTransceiverResp:
		p.readID(f, 16)
	case SubmitSMResp, DeliverSMResp, DataSMResp:
		p.readID(f, 65)
	case Unbind, UnbindResp, EnquireLink, EnquireLinkResp, GenericNack:
		f.rest()
	default:
		f.fail(StatusCommandID, "unknown command_id")
	}
}

// readID reads a response's body, which a refusal has not, and which some SMS
// centres leave out of every response to deliver_sm.
func (p *PDU) readID(f *fields, size int) {
	if len(f.raw) == 0 {
		return
	}
	p.ID = f.id(size)
	p.TLVs = f.tlvs()
}

// Encode writes the PDU with its length.
func (p PDU) Encode() ([]byte, error) {
	raw := make([]byte, headSize, 256)
	binary.BigEndian.PutUint32(raw[4:], uint32(p.Command))
	binary.BigEndian.PutUint32(raw[8:], uint32(p.Status))
	binary.BigEndian.PutUint32(raw[12:], p.Sequence)
	w := writer{raw: raw}
	switch p.Command {
	case BindReceiver, BindTransmitter, BindTransceiver:
		w.bind(p.Bind)
	case SubmitSM, DeliverSM:
		w.message(p.Message)
	case DataSM:
		w.data(p.Message)
	case BindReceiverResp, BindTransmitterResp, BindTransceiverResp:
		w.id(p, 16)
	case SubmitSMResp, DeliverSMResp, DataSMResp:
		w.id(p, 65)
	}
	if w.err != nil {
		return nil, w.err
	}
	raw, err := p.TLVs.append(w.raw)
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxPDU {
		return nil, malformed(StatusCommandLength, "too large a PDU")
	}
	binary.BigEndian.PutUint32(raw, uint32(len(raw)))
	return raw, nil
}
