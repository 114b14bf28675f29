package app

import (
	"fmt"
	"strings"
)

// Table is what a table of the database holds of people, and for how long.
type Table struct {
	Name  string
	Holds string // of people; empty: nothing
	Why   string // it is kept
	Long  string // how long
	// Chore is the name of the chore that deletes what is older; empty: something else
	// does, as Long says.
	Chore string
}

// Retention has every table of the database. A test fails for one that is not here; the
// operators' guide has the list, which another test holds.
var Retention = []Table{
	{Name: "analytics_events", Long: "no persons: counts for good"},
	{Name: "audit_head", Long: "no persons"},
	{Name: "audit_records", Holds: "pseudonyms, blind indexes of phones", Why: "who looked at and changed what", Long: "for good; an erasure leaves the pseudonym nobody's"},
	{Name: "certificate_shares", Holds: "blind index of a phone", Why: "an office sees a certificate by its holder's code", Long: "30 days after its end, or until the person is erased", Chore: "forget codes for offices"},
	{Name: "certificates", Holds: "the holder's name, address, family, sealed; the phone that asked; of a child's, both pseudonyms and a blind index", Why: "whoever holds one verifies it", Long: "for good; an erasure takes who asked"},
	{Name: "document_keys", Long: "no persons"},
	{Name: "fine_appeal_file_contents", Holds: "a file that a person added to an appeal, sealed", Why: "a decision about a fine, and why", Long: "with its appeal", Chore: "forget appeals that ended long ago"},
	{Name: "fine_appeal_files", Holds: "kind, size and a keyed hash of such a file", Why: "the same file is kept once", Long: "with its appeal", Chore: "forget appeals that ended long ago"},
	{Name: "fine_appeals", Holds: "pseudonym; plate, what the person wrote and the answer, sealed", Why: "a decision about a fine, and why", Long: "three years after its end (services/fine/policy.csv), or until the person is erased", Chore: "forget appeals that ended long ago"},
	{Name: "fine_cars", Holds: "pseudonym, plate and phone, sealed; their blind indexes", Why: "the phone is told of new fines", Long: "until the car is unlinked, or the person is erased", Chore: "look for new fines of linked cars"},
	{Name: "fine_lookups", Holds: "blind index of phone and plate", Why: "a limit", Long: "an hour, at the next look-up"},
	{Name: "fine_photo_links", Holds: "pseudonym, blind indexes of phone and plate, the plate, sealed; a keyed hash of the link", Why: "a link shows the photo of a fine once", Long: "30 days after its end, or until the person is erased", Chore: "forget links to photos"},
	{Name: "fine_protocols", Long: "no persons: numbers of the register"},
	{Name: "fine_told", Long: "no persons: what was told of a linked car, with it"},
	{Name: "identity_attempts", Holds: "blind indexes of phone and personal number; the number, sealed, for minutes", Why: "against guessing", Long: "30 days", Chore: choreForget},
	{Name: "identity_bindings", Holds: "phones of a person, sealed", Why: "each is told of another", Long: "until the number is released or the person is erased"},
	{Name: "identity_citizens", Holds: "the personal number, sealed; also a child's, for whom a parent asked", Why: "registers are asked by it", Long: "until the person is erased"},
	{Name: "identity_codes", Holds: "blind indexes of phone and address", Why: "against pumping and guessing", Long: "30 days", Chore: choreForget},
	{Name: "identity_enrolments", Holds: "pseudonym, blind index of a phone, the name on its screens, sealed; a keyed hash of the code", Why: "a clerk's code enrols a phone", Long: "30 days after its end", Chore: choreForget},
	{Name: "identity_keys", Long: "no persons"},
	{Name: "identity_national_sign_ins", Holds: "pseudonym, blind index of a phone; the phone, sealed, while it is under way", Why: "sign-ins by ЕСИ: each proves once", Long: "30 days after its end", Chore: choreForget},
	{Name: "identity_notices", Holds: "pseudonym, blind indexes of phones", Why: "one phone undoes another", Long: "30 days after its end", Chore: choreForget},
	{Name: "identity_phones", Holds: "blind index and language of a phone", Why: "messages in its language, releases", Long: "for good: what a release cut stays cut"},
	{Name: "identity_proofs", Holds: "pseudonym, blind index of a phone, the name on its screens, sealed", Why: "who is proved in which session", Long: "30 days after its end", Chore: choreForget},
	{Name: "identity_refresh_tokens", Holds: "keyed hashes", Why: "sign-ins", Long: "with their sign-in", Chore: "forget sign-ins that are over"},
	{Name: "identity_secrets", Holds: "pseudonym, blind index of a phone, the name on its screens, sealed; a slow hash of the secret", Why: "a secret proves its person on their phone", Long: "until it is removed, the phone cut off, or the person erased"},
	{Name: "identity_sign_ins", Holds: "phone and device, sealed", Why: "sign-ins of apps", Long: "until they are over", Chore: "forget sign-ins that are over"},
	{Name: "ledger_day_accounts", Long: "no persons: accounts"},
	{Name: "ledger_day_kinds", Long: "no persons: accounts"},
	{Name: "ledger_days", Long: "no persons"},
	{Name: "ledger_entries", Long: "no persons: payments by id"},
	{Name: "ledger_postings", Long: "no persons: accounts"},
	{Name: "ledger_transfers", Long: "no persons: what companies paid over"},
	{Name: "mandates", Holds: "pseudonyms of two persons, blind indexes of the giver's number and of a phone, the names on their screens, sealed", Why: "one acts for the other", Long: "3 years after its last day, 30 days where nobody gave it, or until one of the two is erased", Chore: choreForgetMandates},
	{Name: "notify_messages", Holds: "phone and text, sealed; the text of a code until it is over", Why: "proof of what people were told", Long: "a year", Chore: choreForgetMessages},
	{Name: "notify_stops", Holds: "blind index of a phone", Why: "it wants no notices", Long: "until it asks for them, or is released"},
	{Name: "notify_strays", Holds: "blind index of a phone", Why: "a report without its message", Long: "7 days, at the next report"},
	{Name: "owndata_erasures", Holds: "pseudonym; the phone that asked, sealed, until it is over", Why: "what is to be erased, and that it was", Long: "for good, by pseudonym"},
	{Name: "partner_credentials", Long: "no persons: companies"},
	{Name: "partner_deliveries", Long: "no persons: which events were sent, for 30 days", Chore: choreForgetDeliveries},
	{Name: "partner_event_heads", Long: "no persons: how many events each partner has"},
	{Name: "partner_events", Long: "no persons: what became of partners' payments, by code"},
	{Name: "partner_webhook_secrets", Long: "no persons: companies' secrets, sealed"},
	{Name: "partner_webhooks", Long: "no persons: companies"},
	{Name: "partners", Long: "no persons: companies"},
	{Name: "payment_claims", Long: "no persons: bills"},
	{Name: "payment_lines", Long: "no persons: bills"},
	{Name: "payment_refund_requests", Long: "no persons: payments by id"},
	{Name: "payment_txns", Long: "no persons: partners' transactions by code"},
	{Name: "payments", Holds: "blind index and sealed phone of who pays", Why: "documents of accounting", Long: "5 years and longer: nothing deletes them; a release cuts the phone"},
	{Name: "preschool_choices", Long: "no persons: kindergartens by registration"},
	{Name: "preschool_offers", Holds: "blind index of the phone that answered", Why: "who answered an offer", Long: "with the queue"},
	{Name: "preschool_registrations", Holds: "child and phone, sealed; blind indexes", Why: "the child's place", Long: "while it stands; when it is over, until the person is erased"},
	{Name: "preschool_run_children", Holds: "registrations that an allocation rested on, by number; a hash of the child's blind index", Why: "why a place went to whom", Long: "for good: fsck computes each allocation anew"},
	{Name: "preschool_run_groups", Long: "no persons: free seats of an allocation"},
	{Name: "preschool_runs", Long: "no persons: allocations, and who of staff decided them"},
	{Name: "preschool_seats", Long: "no persons"},
	{Name: "seal_keys", Long: "no persons: wrapped keys, emptied when nothing is sealed by them any more"},
	{Name: "seal_rewrites", Long: "no persons: how far a rotation is, until the next one"},
	{Name: "session_promises", Holds: "who asked what, sealed, until it is answered", Why: "an answer by SMS later", Long: "30 days", Chore: "tidy deferred replies"},
	{Name: "session_records", Holds: "a conversation, sealed", Why: "a conversation under way", Long: "until it expires", Chore: "count abandoned conversations"},
	{Name: "sign_keys", Long: "no persons"},
	{Name: "sms_brakes", Holds: "phone, sealed", Why: "a phone that is not answered", Long: "30 days", Chore: choreAnswer},
	{Name: "sms_exchanges", Holds: "blind indexes of phone and texts", Why: "tells machines from people", Long: "a day", Chore: choreAnswer},
	{Name: "sms_failures", Long: "no persons: counts"},
	{Name: "sms_inbound", Holds: "phone and text, sealed, until it is answered", Why: "each text is answered once", Long: "30 days", Chore: choreAnswer},
	{Name: "sms_weights", Long: "no persons"},
	{Name: "staff_accounts", Holds: "officers' logins and personnel numbers", Why: "who serves", Long: "for good: the audit log names them"},
	{Name: "staff_attempts", Holds: "blind indexes of login and origin", Why: "against guessing", Long: "until they are over", Chore: choreStaff},
	{Name: "staff_proposals", Holds: "what one officer proposed and another decided", Why: "two persons decide", Long: "for good: the audit log names them"},
	{Name: "staff_sessions", Holds: "officers' sessions, by keyed hash", Why: "officers stay signed in", Long: "until they are over", Chore: choreStaff},
	{Name: "transparency_hashes", Long: "no persons: hashes"},
	{Name: "transparency_trees", Long: "no persons"},
}

// Names of chores that delete.
const (
	choreForget           = "forget proofs, codes and attempts that are over"
	choreForgetMandates   = "forget mandates that are over"
	choreForgetMessages   = "forget old messages"
	choreForgetDeliveries = "forget events that were sent"
	choreStaff            = "forget sessions of staff that are over"
	choreAnswer           = "answer interrupted texts"
)

// RetentionTable is Retention for the operators' guide, in Markdown.
func RetentionTable() string {
	var out strings.Builder
	out.WriteString("| table | holds of people | why | how long | deleted by the chore |\n|---|---|---|---|---|\n")
	for _, t := range Retention {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", t.Name, t.Holds, t.Why, t.Long, t.Chore)
	}
	return out.String()
}
