package sign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
// id, each row whose id or public half is not that of its sealed half.
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
	return errors.Join(found...)
}
