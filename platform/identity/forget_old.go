package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// rememberOver is how long codes, attempts, proofs and notices are kept after their end:
// nothing that is counted or answered looks further back.
const rememberOver = 30 * 24 * time.Hour

// ForgetOver deletes them after that, some thousands at a time.
func (s *Service) ForgetOver(ctx context.Context) error {
	before := dbtime.From(s.Now().Add(-rememberOver))
	for {
		var deleted int64
		err := s.DB.InTx(ctx, func(tx *store.Tx) error {
			q := db.New(tx)
			deleted = 0
			for _, forget := range []func(context.Context, dbtime.Time) (int64, error){q.ForgetCodes, q.ForgetAttempts, q.ForgetProofs, q.ForgetNoticesOver, q.ForgetEnrolments, q.ForgetNational} {
				n, err := forget(ctx, before)
				if err != nil {
					return err
				}
				deleted += n
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget what is over: %w", err)
		}
		if deleted == 0 {
			return nil
		}
	}
}
