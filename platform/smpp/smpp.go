// Package smpp is a client (ESME) of the Short Message Peer-to-Peer protocol
// 3.4: it binds to an SMS centre or a USSD gateway, submits messages and takes
// those that are delivered to us. It knows no channel. Sections named in
// comments are those of the "Short Message Peer to Peer Protocol Specification
// v3.4, Issue 1.2".
package smpp

import (
	"errors"
	"fmt"
)

// Command is a command_id (section 5.1.2.1).
type Command uint32

// The commands that are read and written.
const (
	GenericNack         Command = 0x80000000
	BindReceiver        Command = 0x00000001
	BindReceiverResp    Command = 0x80000001
	BindTransmitter     Command = 0x00000002
	BindTransmitterResp Command = 0x80000002
	SubmitSM            Command = 0x00000004
	SubmitSMResp        Command = 0x80000004
	DeliverSM           Command = 0x00000005
	DeliverSMResp       Command = 0x80000005
	Unbind              Command = 0x00000006
	UnbindResp          Command = 0x80000006
	BindTransceiver     Command = 0x00000009
	BindTransceiverResp Command = 0x80000009
	EnquireLink         Command = 0x00000015
	EnquireLinkResp     Command = 0x80000015
	DataSM              Command = 0x00000103
	DataSMResp          Command = 0x80000103
)

// response marks a response's command.
const response Command = 0x80000000

// Response is the command that answers c.
func (c Command) Response() Command { return c | response }

// IsResponse reports whether c answers a request.
func (c Command) IsResponse() bool { return c&response != 0 }

// Status is a command_status (section 5.1.3).
type Status uint32

// The statuses that are given or told apart.
const (
	StatusOK             Status = 0x00
	StatusMessageLength  Status = 0x01 // ESME_RINVMSGLEN
	StatusCommandLength  Status = 0x02 // ESME_RINVCMDLEN
	StatusCommandID      Status = 0x03 // ESME_RINVCMDID
	StatusBindState      Status = 0x04 // ESME_RINVBNDSTS
	StatusSystem         Status = 0x08 // ESME_RSYSERR
	StatusDestination    Status = 0x0B // ESME_RINVDSTADR
	StatusQueueFull      Status = 0x14 // ESME_RMSGQFUL
	StatusThrottled      Status = 0x58 // ESME_RTHROTTLED
	StatusTemporary      Status = 0x64 // ESME_RX_T_APPN: deliver it again later
	StatusPermanent      Status = 0x65 // ESME_RX_P_APPN: never deliver it again
	StatusOptionalStream Status = 0xC0 // ESME_RINVOPTPARSTREAM
	StatusParameter      Status = 0xC2 // ESME_RINVPARLEN
)

// Busy says that the same request will be taken later.
func (s Status) Busy() bool { return s == StatusThrottled || s == StatusQueueFull }

// Final says that the same request would be refused again: there is no such
// number, or the message is none.
func (s Status) Final() bool {
	return s == StatusDestination || s == StatusMessageLength || s == StatusPermanent
}

// StatusError is the other side's refusal of a request.
type StatusError struct{ Status Status }

// Error names the status by its number, as operators' documents do.
func (e *StatusError) Error() string { return fmt.Sprintf("SMPP status 0x%08X", uint32(e.Status)) }

// What is known of a request that failed without a status.
var (
	// ErrNotSent: the other side has surely not got it.
	ErrNotSent = errors.New("not sent over SMPP")
	// ErrNoTurn: the operator's rate left no room in time.
	ErrNoTurn = errors.New("no turn came in time")
	// ErrOutcomeUnknown: it was written, and the response did not come.
	ErrOutcomeUnknown = errors.New("sent over SMPP, with unknown outcome")
)

// MalformedError is a PDU that cannot be read; Status is what its sender is told.
type MalformedError struct {
	Status Status
	Reason string
}

// Error says what is wrong, without anything of the PDU's content.
func (e *MalformedError) Error() string { return "malformed SMPP PDU: " + e.Reason }

func malformed(status Status, reason string) error {
	return &MalformedError{Status: status, Reason: reason}
}
