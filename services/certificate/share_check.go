package certificate

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// shareCheck compares the codes for offices with the audit log. One that is gone is not named:
// it opens nothing.
type shareCheck struct {
	log   *audit.Log
	said  map[string]audit.Said // by the code's id: the last word
	wrong []error
}

func (c *shareCheck) see(r audit.Recorded) {
	for group, now := range r.Says() {
		if group != groupShare {
			continue
		}
		if before := c.said[r.Object]; !r.Follows(groupShare, before) {
			c.wrong = append(c.wrong, fmt.Errorf("the code %s for offices was changed between the audit records %s and %s", r.Object, before.Record(), r.ID))
		}
		c.said[r.Object] = now
	}
}

// run names each code that is not what the log says.
func (c *shareCheck) run(ctx context.Context, tx *sql.Tx) ([]error, error) {
	wrong := c.wrong
	err := store.Rows(ctx, tx, "SELECT id, certificate_id, phone_index, made_at, expires_at, void_at FROM certificate_shares ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var row db.CertificateShare
			err := rows.Scan(&row.ID, &row.CertificateID, &row.PhoneIndex, &row.MadeAt, &row.ExpiresAt, &row.VoidAt)
			switch said, known := c.said[row.ID]; {
			case err != nil:
			case !known:
				wrong = append(wrong, fmt.Errorf("the audit log knows nothing of the code %s for offices", row.ID))
			case !c.log.Fits(said, row.ID, shareGroup(row)):
				wrong = append(wrong, fmt.Errorf("the code %s for offices is otherwise than the audit record %s says", row.ID, said.Record()))
			}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("check the codes for offices: %w", err)
	}
	return wrong, nil
}
