package partners

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/partners/db"
)

// TestSecretsThatNoRecordTellsOf: of records before hashes were said, only the credential
// that a version before made may have that version's hash, which anybody can make.
func TestSecretsThatNoRecordTellsOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n     int64
		kind  Kind
		hash  string
		wrong bool
	}{
		{1, OSMP, "$argon2id$v=19$", false}, {1, OAuth, "$argon2id$v=19$", true}, {2, OSMP, "$argon2id$v=19$", true},
		{2, OSMP, keyedHash + "00", false}, {1, OAuth, keyedHash + "00", false},
	} {
		err := NewCompare(nil).secret(db.PartnerCredential{ID: "demo-wallet.x", N: c.n, Kind: string(c.kind), SecretHash: c.hash})
		if (err != nil) != c.wrong {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
