package sign

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/sign/db"
)

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
