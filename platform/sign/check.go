package sign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/veraison/go-cose"

	"github.com/eshik-kg/eshik/platform/sign/db"
)

// Signers tells which key signed a message, and whether its row is there. Make it with
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

// Of gives the id of the key that signed a message. ErrForged: it names none.
func (s Signers) Of(message []byte) (kid string, kept bool, err error) {
	var signed cose.Sign1Message
	if err := signed.UnmarshalCBOR(message); err != nil {
		return "", false, errors.Join(ErrForged, err)
	}
	kid, err = signer(signed)
	return kid, s.kept[kid], err
}

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
