package identity

import (
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
)

// What the audit records of identity say of its rows, by groups. The columns that no
// record says anything of are listed with their reasons in planted_test.go.
const (
	// groupCitizen: all of identity_citizens. Said at every proof.
	groupCitizen = "citizen"
	// groupBinding: all of identity_bindings. Said when the phone is proved, when a
	// dispute holds it off, and when an operator clears it: the last one holds.
	groupBinding = "binding"
)

// citizenOf is which person a pseudonym is of.
func citizenOf(c db.IdentityCitizen) *audit.Group {
	return audit.Decided(groupCitizen).Text(c.ID, c.PinIndex).Bytes(c.PinSealed).Moment(c.CreatedAt)
}

// bindingOf is how a phone stands to a person.
func bindingOf(b db.IdentityBinding) *audit.Group {
	return audit.Decided(groupBinding).Text(b.CitizenID, b.PhoneIndex, b.Locale, b.DocumentMac).Bytes(b.PhoneSealed).
		Moment(b.BoundAt, b.BlockedUntilAt, b.ClearedAt)
}
