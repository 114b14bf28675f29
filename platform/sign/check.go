package sign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/sign/db"
)

// Signers tells whether the row of a key is there. Make it with
// NewSigners, within the snapshot in which the messages are read.
type Signers struct{ kept map[string]bool }

// NewSigners reads which keys there are.
func NewSigners(ctx context.Context, tx *sql.Tx) (Signers, error) {
	rows, err := db.New(tx).Keys(ctx)
	if err != nil {
		return Signers{}, fmt.Errorf("read the signing keys: %w", err)
	}
	kept := make(map[string]bool, len(rows))
	for _, row := range rows {
		kept[row.Kid] = true
	}
	return Signers{kept}, nil
}

// Kept reports that a key's row is there.
func (s Signers) Kept(kid string) bool { return s.kept[kid] }

// Check reads the signing keys within a snapshot and returns an error that names, by its
// id, each row whose id or public half is not that of its sealed half; and so of the keys of documents.
func Check(ctx context.Context, tx *sql.Tx, sealer Sealer) error {
	rows, err := db.New(tx).Keys(ctx)
	if err != nil {
		return fmt.Errorf("check the signing keys: %w", err)
	}
	var found []error
	for _, row := range rows {
		key, err := unseal(sealer, row)
		if err == nil {
			err = key.compare(row)
		}
		found = append(found, err)
	}
	found = append(found, checkDocuments(ctx, tx, sealer))
	return errors.Join(found...)
}

// revealed is what the audit log says of a key whose private half may be in other hands.
func revealed(row db.SignKey) *audit.Group {
	return audit.Decided("revealed").Text(row.Kid).Number(row.Generation).Moment(row.MadeAt, row.RevealedAt)
}

// Compare compares with the audit log which keys were revealed: to take the mark from a row would make
// genuine what a thief of the key signed. Give it the log's records by See before Run.
type Compare struct{ rows *audit.Rows }

// NewCompare makes a Compare against a log.
func NewCompare(log *audit.Log) *Compare {
	return &Compare{audit.NewRows(log, audit.Kind{What: "mark of the revealed signing key", Group: "revealed"})}
}

// See takes a record of the audit log.
func (c *Compare) See(r audit.Recorded) { c.rows.See(r) }

// Older implements module.Check: every mark has a record.
func (c *Compare) Older() int { return 0 }

// Run reads the keys within a snapshot and returns an error that names each whose mark is not what the
// log says.
func (c *Compare) Run(ctx context.Context, tx *sql.Tx) error {
	rows, err := db.New(tx).Keys(ctx)
	if err != nil {
		return fmt.Errorf("check which signing keys were revealed: %w", err)
	}
	for _, row := range rows {
		if !row.RevealedAt.IsZero() {
			c.rows.Fits(row.Kid, revealed(row))
		}
	}
	c.rows.Gone()
	return errors.Join(c.rows.Wrong()...)
}
