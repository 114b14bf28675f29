package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

const (
	// askFor is how long after a message was sent its provider is asked what became of
	// it: networks keep a message for a phone that is off for a day or so.
	askFor = 24 * time.Hour
	// askLeast is how long it is asked in any case: a code that is over may still have
	// been delivered, which tells how well its provider does.
	askLeast = 10 * time.Minute
	// askAtMost is the longest wait between two questions; it doubles up to that.
	askAtMost = time.Hour
)

// Unreported is a message that its provider has, or may have, and has not told the end
// of.
type Unreported struct {
	ID string
	// ProviderID is the provider's own for it; empty where its answer was lost.
	ProviderID string
	Phone      string // E.164
	asked      int64
}

// Unreported gives messages, n at most, whose end a provider is to be asked for: their
// report has not come for the given time after they were sent, nor for twice as long
// after every question.
func (o *Outbox) Unreported(ctx context.Context, provider string, after time.Duration, n int) ([]Unreported, error) {
	now := o.now()
	rows, err := db.New(o.db.Reader()).Unreported(ctx, db.UnreportedParams{
		Provider: provider, Oldest: dbtime.From(now.Add(-askFor)), Newest: dbtime.From(now.Add(-after)), At: dbtime.From(now),
		Recent: dbtime.From(now.Add(-max(askLeast, 2*after))), Most: int32(n), // #nosec G115 -- a few
	})
	if err != nil {
		return nil, fmt.Errorf("look for messages without a report: %w", err)
	}
	list := make([]Unreported, len(rows))
	for i, row := range rows {
		phone, err := o.sealer.Open(row.PhoneSealed, phoneContext)
		if err != nil {
			return nil, fmt.Errorf("read the phone of message %s: %w", row.ID, err)
		}
		list[i] = Unreported{ID: row.ID, ProviderID: ownID(provider, row.ProviderID.String), Phone: string(phone), asked: row.Asked}
	}
	return list, nil
}

// Ask notes that the provider of a message is being asked; false: somebody else asks, or
// its end has come. after is as for Unreported.
func (o *Outbox) Ask(ctx context.Context, m Unreported, after time.Duration) (mine bool, err error) {
	wait := min(after<<min(m.asked+1, 10), askAtMost)
	err = o.db.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).Ask(ctx, db.AskParams{AskAt: dbtime.From(o.now().Add(wait)), ID: m.ID, Asked: m.asked})
		mine = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("note that message %s is asked for: %w", m.ID, err)
	}
	return mine, nil
}
