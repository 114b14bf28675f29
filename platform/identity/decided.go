package identity

import (
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
)

// What the audit records of identity say of its rows, by groups. The columns that no
// record says anything of are listed with their reasons in planted_test.go.
const (
	// groupPerson: all of identity_citizens. Said at every proof.
	groupPerson = "person"
	// groupPhone: all of identity_bindings. Said when the phone is proved, when a
	// dispute holds it off, and when an operator clears it: the last one holds.
	groupPhone = "phone"
	// groupCitizen and groupBinding are the same in records from before, which say them of the
	// proof or the phone and cannot be compared with each other.
	groupCitizen = "citizen"
	groupBinding = "binding"
	// groupProof: in which session a proof was made and for how long. Said at every proof; when it was last used
	// is said by a record's time.
	groupProof = "proof"
	// groupKey: all of identity_keys. Said when a key of tokens is made and revoked.
	groupKey = "key"
	// groupSignIn: all of identity_sign_ins. Said when it begins, goes on and ends, but not
	// when what cuts a phone off, which has its own record, ends all of the phone's.
	groupSignIn = "signin"
	// groupSecret: who has a secret, but not how often it was guessed at. Said when it is set.
	groupSecret = "secret"
	// groupRefresh: which refresh token of a sign-in is good. Said when it is made.
	groupRefresh = "refresh"
)

// citizenOf is which person a pseudonym is of.
func citizenOf(c db.IdentityCitizen) *audit.Group { return citizenAs(groupPerson, c).Of(c.ID) }

// citizenAs is citizenOf as one of the two kinds of records says it.
func citizenAs(group string, c db.IdentityCitizen) *audit.Group {
	return audit.Decided(group).Text(c.ID, c.PinIndex).Sealed(c.PinSealed).Moment(c.CreatedAt)
}

// bindingOf is how a phone stands to a person.
func bindingOf(b db.IdentityBinding) *audit.Group {
	return bindingAs(groupPhone, b).Of(b.CitizenID + " " + b.PhoneIndex)
}

// bindingAs is bindingOf as one of the two kinds of records says it.
func bindingAs(group string, b db.IdentityBinding) *audit.Group {
	return audit.Decided(group).Text(b.CitizenID, b.PhoneIndex, b.Locale, b.DocumentMac).Sealed(b.PhoneSealed).
		Moment(b.BoundAt, b.BlockedUntilAt, b.ClearedAt)
}

// keyOf is a key of tokens, and from and until when it signs.
func keyOf(k db.IdentityKey) *audit.Group {
	return audit.Decided(groupKey).Text(k.Kid).Number(k.Slot).Sealed(k.PrivateSealed).Moment(k.CreatedAt, k.SignsFromAt, k.RevokedAt)
}

// signInOf is where a phone is signed in, and since and until when.
func signInOf(s db.IdentitySignIn) *audit.Group {
	return audit.Decided(groupSignIn).Text(s.ID, s.PhoneIndex, s.EndedBy).Sealed(s.PhoneSealed, s.LabelSealed).Number(s.Generation).
		Moment(s.BegunAt, s.UsedAt, s.ExpiresAt, s.EndedAt)
}

// secretOf is by what a person is proved on a phone.
func secretOf(s db.IdentitySecret) *audit.Group {
	return audit.Decided(groupSecret).Text(s.CitizenID, s.PhoneIndex, s.Hash).Sealed(s.CalledSealed).Moment(s.SetAt)
}

// refreshOf are the refresh tokens of a sign-in that are good, by what is kept of them.
func refreshOf(macs ...string) *audit.Group {
	return audit.Decided(groupRefresh).Number(int64(len(macs))).Text(macs...)
}
