package mandate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/store"
)

// groupMandate is what the records of a mandate say of its row: all but its MAC, which follows. Said when
// it is asked for, given and ended.
const groupMandate = "mandate"

func mandateOf(row db.Mandate) *audit.Group {
	return audit.Decided(groupMandate).Text(row.ID, row.GiverIndex, row.GiverID, row.HolderID, row.Services, row.PhoneIndex, row.EndedBy).
		Sealed(row.GiverSealed, row.HolderSealed).Moment(row.AskedAt, row.ExpiresAt, row.UntilAt, row.GivenAt, row.EndedAt)
}

// Check compares the mandates with the audit log. One that is gone takes away only: it was erased, or is
// over for long.
type Check struct{ rows *audit.Rows }

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log) *Check {
	return &Check{rows: audit.NewRows(log, audit.Kind{What: "mandate", Group: groupMandate, Erased: "mandate.erased"})}
}

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) { c.rows.See(r) }

// Older implements module.Check: every record says what it decided.
func (c *Check) Older() int { return 0 }

// Run reads the mandates within a snapshot and returns an error that names each that is not what the log
// says.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, "SELECT id, giver_index, giver_id, holder_id, services, giver_sealed, holder_sealed, phone_index, asked_at, expires_at, "+
		"until_at, given_at, ended_at, ended_by FROM mandates ORDER BY id", nil, func(rows *sql.Rows) error {
		var row db.Mandate
		err := rows.Scan(&row.ID, &row.GiverIndex, &row.GiverID, &row.HolderID, &row.Services, &row.GiverSealed, &row.HolderSealed, &row.PhoneIndex,
			&row.AskedAt, &row.ExpiresAt, &row.UntilAt, &row.GivenAt, &row.EndedAt, &row.EndedBy)
		if err == nil {
			c.rows.Fits(row.ID, mandateOf(row))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("check the mandates: %w", err)
	}
	return errors.Join(c.rows.Wrong()...)
}
