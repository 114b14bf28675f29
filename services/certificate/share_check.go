package certificate

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// sharesOf compares the codes for offices with a log. One that is gone is not named: it opens
// nothing.
func sharesOf(log *audit.Log) *audit.Rows {
	return audit.NewRows(log, audit.Kind{What: "code for offices", Group: groupShare})
}

// runShares names each code that is not what the log says.
func (c *Check) runShares(ctx context.Context, tx *sql.Tx) ([]error, error) {
	err := store.Rows(ctx, tx, "SELECT id, certificate_id, phone_index, made_at, expires_at, void_at FROM certificate_shares ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var row db.CertificateShare
			err := rows.Scan(&row.ID, &row.CertificateID, &row.PhoneIndex, &row.MadeAt, &row.ExpiresAt, &row.VoidAt)
			if err == nil {
				c.shares.Fits(row.ID, shareGroup(row))
			}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("check the codes for offices: %w", err)
	}
	return c.shares.Wrong(), nil
}
