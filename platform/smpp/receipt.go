package smpp

import (
	"regexp"
	"strings"
)

// Receipt is an SMS centre's word on what became of a message.
type Receipt struct {
	// ID is the message's, and Standard says that it is the one of the response
	// to submit_sm: in a receipt's text some centres write it in another base.
	ID       string
	Standard bool
	// State is DELIVRD, EXPIRED, DELETED, UNDELIV, ACCEPTD, UNKNOWN, REJECTD or
	// ENROUTE (section 5.2.28 and appendix B).
	State string
}

// states are the values of message_state.
var states = map[byte]string{
	1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}

// IsReceipt reports whether a delivered message is a delivery receipt or an
// intermediate notification, by its esm_class (section 5.2.12): what a citizen
// texts can look like a receipt, and never is one.
func IsReceipt(m *Message) bool {
	kind := m.Class & messageTypeMask
	return kind == receiptClass || kind == notifiedClass
}

// Appendix B leaves the text to the SMS centre; these two are what all that
// follow its example have.
var (
	receiptID    = regexp.MustCompile(`(?i)(?:^|\s)id:([!-~]{1,64})`)
	receiptState = regexp.MustCompile(`(?i)\sstat:([A-Za-z]{1,10})`)
)

// ReadReceipt reads a receipt. Its optional parameters count more than its text;
// ok is false when neither names a message and a state.
func ReadReceipt(m *Message, tlvs TLVs) (r Receipt, ok bool) {
	if raw, has := tlvs.Get(TagReceiptedMessageID); has {
		id, _, _ := strings.Cut(string(raw), "\x00")
		r.ID = messageID(id)
		r.Standard = r.ID != ""
	}
	state, _ := tlvs.Byte(TagMessageState)
	r.State = states[state]
	octets, _, err := Content(m, tlvs)
	if err == nil {
		r.fill(string(octets))
	}
	return r, r.ID != "" && r.State != ""
}

// messageID is a message_id as it can be kept and compared: some centres pad it
// with spaces. One that is not of visible ASCII is none.
func messageID(id string) string {
	id = strings.Trim(id, " ")
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return ""
		}
	}
	return id
}

// fill takes from the text what the parameters did not say. The text is ASCII in
// every coding but UCS-2, in which nobody sends receipts.
func (r *Receipt) fill(text string) {
	// What follows "text:" was written by us, not by the centre.
	text, _, _ = strings.Cut(text, " text:")
	text, _, _ = strings.Cut(text, " Text:")
	if found := receiptID.FindStringSubmatch(text); found != nil && r.ID == "" {
		r.ID = found[1]
	}
	if found := receiptState.FindStringSubmatch(text); found != nil && r.State == "" {
		r.State = strings.ToUpper(found[1])
	}
}
