package sms

import (
	"context"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// Resume has those messages answered whose work ended before its answer was
// stored, tells of the ones whose parts did not all come, and forgets the ids
// of old ones. It also notes whose texts are to be answered before their next one:
// run it at the start and every few seconds; instances may run it at once.
func (in *Inbound) Resume(ctx context.Context) error {
	now := in.now()
	waiting, err := db.New(in.db.Reader()).WaitingInbound(ctx, db.WaitingInboundParams{
		ReceivedAt: dbtime.From(now.Add(-waitBeforeResume)), Limit: resumeBatch,
	})
	if err != nil {
		return fmt.Errorf("list messages that wait: %w", err)
	}
	faults := []error{in.look(ctx)}
	for _, row := range waiting {
		faults = append(faults, in.resume(ctx, row))
	}
	err = in.db.InTx(ctx, func(tx *store.Tx) error {
		if err := db.New(tx).ForgetBrakes(ctx, dbtime.From(now.Add(-rememberBrakes))); err != nil {
			return err
		}
		if err := db.New(tx).ForgetExchanges(ctx, dbtime.From(now.Add(-rememberExchanges))); err != nil {
			return err
		}
		_, err := db.New(tx).ForgetInbound(ctx, dbtime.From(now.Add(-rememberFor)))
		return err
	})
	if err != nil {
		faults = append(faults, fmt.Errorf("forget old messages: %w", err))
	}
	return errors.Join(faults...)
}

// resume has one message that was left worked on, if there is a hand for it.
func (in *Inbound) resume(ctx context.Context, row db.WaitingInboundRow) error {
	m, err := in.open(row.Provider, row.MessageID, row.ReceivedAt, row.Sealed)
	if err != nil {
		// It was sealed with another key: nobody will ever read it.
		return errors.Join(err, in.reply(ctx, message{provider: row.Provider, id: row.MessageID}, ""))
	}
	select {
	case in.hands <- struct{}{}:
		in.later(ctx, m)
	default: // those that come are worked on; the next round finds it
	}
	return nil
}
