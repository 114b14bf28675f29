package smpp

import (
	"regexp"
	"strings"
)

// Receipt is an SMS centre's word on what became of a message.
type Receipt struct {
	// ID is the message's. A receipt may write it in another base or with other
	// leading zeros than the response to submit_sm did.
	ID string
	// State is DELIVRD, EXPIRED, DELETED, UNDELIV, ACCEPTD, UNKNOWN, REJECTD or
	// ENROUTE (section 5.2.28 and appendix B).
	State string
}

// states are the values of message_state.
var states = map[byte]string{
	1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}

// IsReceipt reports whether a delivered message carries a mark of a delivery receipt
// or an intermediate notification: its esm_class (section 5.2.12), or an optional
// parameter that nothing else has. The text is none: what a citizen texts can look
// like a receipt (see ReadReceipt).
func IsReceipt(m *Message, tlvs TLVs) bool {
	if m.Class&(receiptClass|notifiedClass) != 0 {
		return true
	}
	id, _ := tlvs.Get(TagReceiptedMessageID)
	state, _ := tlvs.Byte(TagMessageState)
	return strings.Trim(string(id), " \x00") != "" || states[state] != ""
}

// IsAutomatic reports a message that a machine made though it is no receipt: a
// phone's own acknowledgement, or the end of a conversation (section 5.2.12). Nobody
// waits for an answer to it.
func IsAutomatic(m *Message) bool { return m.Class&automaticClass != 0 }

// Appendix B leaves the text to the SMS centre. What follows its example has these
// two; between the fields are spaces or commas, and some write a space after a colon.
var (
	receiptID    = regexp.MustCompile(`(?i)(?:^|[\s,;])id\s*:\s*([!-+\--:<-~]{1,250})`)
	receiptState = regexp.MustCompile(`(?i)(?:^|[\s,;])stat\s*:\s*([A-Za-z]{1,15}|[1-8]\b)`)
	receiptText  = regexp.MustCompile(`(?i)[\s,;]text\s*:`)
)

// stems are the beginnings of the states, whichever way a centre writes the rest.
var stems = map[string]string{
	"ENROU": "ENROUTE", "DELIV": "DELIVRD", "EXPIR": "EXPIRED", "DELET": "DELETED", "UNDEL": "UNDELIV", "ACCEP": "ACCEPTD",
	"UNKNO": "UNKNOWN", "REJEC": "REJECTD",
}

// ReadReceipt reads a receipt. Its optional parameters count more than its text;
// ok is false when neither names a message and a state.
func ReadReceipt(m *Message, tlvs TLVs) (r Receipt, ok bool) {
	if raw, has := tlvs.Get(TagReceiptedMessageID); has {
		id, _, _ := strings.Cut(string(raw), "\x00")
		r.ID = messageID(id)
	}
	state, _ := tlvs.Byte(TagMessageState)
	r.State = states[state]
	octets, _, err := Content(m, tlvs)
	if err == nil {
		r.fill(octets)
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

// fill takes from the text what the parameters did not say. The fields are ASCII in
// every coding; in UCS-2, whichever data_coding stands beside it, NUL octets lie
// between.
func (r *Receipt) fill(octets []byte) {
	text := strings.ReplaceAll(string(octets), "\x00", "")
	if found := receiptText.FindStringIndex(text); found != nil {
		text = text[:found[0]] // what follows was written by us, not by the centre
	}
	if found := receiptID.FindStringSubmatch(text); found != nil && r.ID == "" {
		r.ID = found[1]
	}
	if found := receiptState.FindStringSubmatch(text); found != nil && r.State == "" {
		r.State = stateOf(strings.ToUpper(found[1]))
	}
}

// stateOf is a state as section 5.2.28 writes it; one that it does not know stays.
func stateOf(written string) string {
	if len(written) == 1 {
		return states[written[0]-'0']
	}
	if known, is := stems[written[:min(5, len(written))]]; is {
		return known
	}
	return written
}
