package identity

import (
	"context"
	"database/sql"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
)

// secretSet takes the record of a secret.
func (c *Check) secretSet(e audit.Recorded) {
	if c.secrets[e.Object] == nil {
		c.secrets[e.Object] = map[string]decision{}
	}
	c.secrets[e.Object][e.Subject] = decisionOf(e, groupSecret)
}

// secretRows looks at what proves a person by itself. A secret that is gone takes away only.
func (c *Check) secretRows(ctx context.Context, tx *sql.Tx) error {
	return store.Rows(ctx, tx, "SELECT citizen_id, phone_index, hash, called_sealed, set_at FROM identity_secrets", nil, func(rows *sql.Rows) error {
		var row db.IdentitySecret
		if err := rows.Scan(&row.CitizenID, &row.PhoneIndex, &row.Hash, &row.CalledSealed, &row.SetAt); err != nil {
			return err
		}
		d, known := c.secrets[row.PhoneIndex][row.CitizenID]
		switch {
		case !known:
			c.say("the citizen %s has a secret on the phone %s, the audit log says that they have none", row.CitizenID, row.PhoneIndex)
		case !c.log.Fits(d.said, d.object, secretOf(row)):
			c.say("the secret of the citizen %s on the phone %s is otherwise than the audit record %s says", row.CitizenID, row.PhoneIndex, d.said.Record())
		}
		return nil
	})
}
