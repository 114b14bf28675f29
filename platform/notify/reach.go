package notify

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store"
)

// Reach is how far a piece of news got.
type Reach struct {
	Messages int // that were made of it, whatever became of them
	Phones   int // how many of them were sent, or wait to be
}

// Reach says how far news about a citizen got: the messages whose Dedup begins with prefix. What
// waits for the phone but (E.164), which is being cut off, does not reach it; empty: none is.
func (o *Outbox) Reach(ctx context.Context, tx *store.Tx, citizen, prefix, but string) (Reach, error) {
	row, err := db.New(tx).CountReach(ctx, db.CountReachParams{PhoneIndex: o.sealer.Index(phoneContext, but), About: citizen, Prefix: prefix})
	if err != nil {
		return Reach{}, fmt.Errorf("look whom news reached: %w", err)
	}
	return Reach{Messages: int(row.Made), Phones: int(row.Reached)}, nil
}
