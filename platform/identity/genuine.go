package identity

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
)

// Rows that are short-lived and that no audit record says anything of bear out themselves what
// they decide: whoever writes to the database has nobody's notice or sign-in become another's.

// noticePurpose is that of the hashes of notices.
const noticePurpose = "identity.notice"

// noticeMAC is of all that a notice decides.
func noticeMAC(sealer *seal.Sealer, n db.AddNoticeParams) string {
	return sealer.Index(noticePurpose, apart(n.ID, n.Number, n.ToldIndex, n.CitizenID, n.PhoneIndex, micros(n.MadeAt), micros(n.ExpiresAt)))
}

// genuineNotice reports that a notice is as we made it.
func genuineNotice(sealer *seal.Sealer, n db.IdentityNotice) bool {
	return hmac.Equal([]byte(n.Mac), []byte(noticeMAC(sealer, db.AddNoticeParams{
		ID: n.ID, Number: n.Number, ToldIndex: n.ToldIndex, CitizenID: n.CitizenID, PhoneIndex: n.PhoneIndex, MadeAt: n.MadeAt, ExpiresAt: n.ExpiresAt,
	})))
}

// nationalOf is what a national sign-in decides, which is sealed with its secret.
func nationalOf(row db.BeginNationalParams) string {
	return apart(row.PhoneIndex, strconv.FormatInt(row.Generation, 10), row.BegunIn, row.CitizenID, row.Channel, row.StateMac,
		micros(row.BegunAt), micros(row.ExpiresAt))
}

// openNational opens the secret of a national sign-in under way, which must be as it was begun.
func openNational(sealer *seal.Sealer, row db.IdentityNationalSignIn) (secret nationalSecret, err error) {
	plain, err := sealer.Open(row.SecretSealed, nationalContext+row.ID)
	if err == nil {
		err = json.Unmarshal(plain, &secret)
	}
	if err != nil {
		return secret, fmt.Errorf("open what is kept of a national sign-in: %w", err)
	}
	phone, err := sealer.Open(row.PhoneSealed, nationalPhoneContext)
	if err != nil {
		return secret, fmt.Errorf("open the phone of a national sign-in: %w", err)
	}
	begun := db.BeginNationalParams{
		PhoneIndex: sealer.Index(phonePurpose, string(phone)), Generation: row.Generation, BegunIn: row.BegunIn, CitizenID: row.CitizenID,
		Channel: row.Channel, StateMac: row.StateMac, BegunAt: row.BegunAt, ExpiresAt: row.ExpiresAt,
	}
	if begun.PhoneIndex != row.PhoneIndex || secret.Of != nationalOf(begun) {
		return secret, fmt.Errorf("the national sign-in %s is otherwise than it was begun", row.ID)
	}
	return secret, nil
}

// shortRows looks at notices and at national sign-ins under way. A notice without a hash is of
// a version before, and is not taken.
func (c *Check) shortRows(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, "SELECT id, number, told_index, citizen_id, phone_index, made_at, expires_at, mac FROM identity_notices WHERE mac <> ''", nil,
		func(rows *sql.Rows) error {
			var n db.IdentityNotice
			err := rows.Scan(&n.ID, &n.Number, &n.ToldIndex, &n.CitizenID, &n.PhoneIndex, &n.MadeAt, &n.ExpiresAt, &n.Mac)
			if err == nil && !genuineNotice(c.sealer, n) {
				c.say("the notice %s is otherwise than it was made", n.ID)
			}
			return err
		})
	if err != nil {
		return err
	}
	return store.Rows(ctx, tx, "SELECT id, phone_index, phone_sealed, generation, begun_in, citizen_id, channel, state_mac, secret_sealed, begun_at, expires_at "+
		"FROM identity_national_sign_ins WHERE state IN ('open', 'asking')", nil, func(rows *sql.Rows) error {
		var row db.IdentityNationalSignIn
		err := rows.Scan(&row.ID, &row.PhoneIndex, &row.PhoneSealed, &row.Generation, &row.BegunIn, &row.CitizenID, &row.Channel, &row.StateMac,
			&row.SecretSealed, &row.BegunAt, &row.ExpiresAt)
		if err != nil {
			return err
		}
		if secret, err := openNational(c.sealer, row); err != nil && secret.Of != "" { // none: begun by a version before
			c.say("%w", err)
		}
		return nil
	})
}
