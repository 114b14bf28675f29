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
	// groupKey: all of identity_keys. Said when a key of tokens is made and revoked.
	groupKey = "key"
	// groupSignIn: all of identity_sign_ins. Said when it begins, goes on and ends, but not
	// when what cuts a phone off, which has its own record, ends all of the phone's.
	groupSignIn = "signin"
	// groupRefresh: which refresh token of a sign-in is good. Said when it is made.
	groupRefresh = "refresh"
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

// keyOf is a key of tokens, and from and until when it signs.
func keyOf(k db.IdentityKey) *audit.Group {
	return audit.Decided(groupKey).Text(k.Kid).Number(k.Slot).Bytes(k.PrivateSealed).Moment(k.CreatedAt, k.SignsFromAt, k.RevokedAt)
}

// signInOf is where a phone is signed in, and since and until when.
func signInOf(s db.IdentitySignIn) *audit.Group {
	return audit.Decided(groupSignIn).Text(s.ID, s.PhoneIndex, s.EndedBy).Bytes(s.PhoneSealed, s.LabelSealed).Number(s.Generation).
		Moment(s.BegunAt, s.UsedAt, s.ExpiresAt, s.EndedAt)
}

// refreshOf are the refresh tokens of a sign-in that are good, by what is kept of them.
func refreshOf(macs ...string) *audit.Group {
	return audit.Decided(groupRefresh).Number(int64(len(macs))).Text(macs...)
}
