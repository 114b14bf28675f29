package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Personal are the messages that tell of a person, to whichever phone.
func (o *Outbox) Personal() personal.Holder { return holder{o} }

type holder struct{ o *Outbox }

// Export implements personal.Holder.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) (list []personal.Record, err error) {
	rows, err := db.New(tx).About(ctx, db.AboutParams{About: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list the messages about a person: %w", err)
	}
	for _, row := range rows {
		text := ""
		if len(row.TextSealed) > 0 {
			opened, err := h.o.sealer.Open(row.TextSealed, textContext)
			if err != nil {
				return nil, fmt.Errorf("read message %s: %w", row.ID, err)
			}
			text = string(opened)
		}
		list = append(list, personal.Record{Kind: "message", Fields: []personal.Field{
			personal.Moment("at", row.QueuedAt.Time), personal.Text("text", text),
		}})
	}
	return list, nil
}

// Keeps implements personal.Holder: nothing.
func (holder) Keeps(context.Context, *store.Tx, personal.Person) ([]personal.Kept, error) {
	return nil, nil
}

// Erase implements personal.Holder. What is queued about the person does not leave either.
func (holder) Erase(ctx context.Context, tx *store.Tx, p personal.Person) error {
	if err := db.New(tx).EraseAbout(ctx, p.ID); err != nil {
		return fmt.Errorf("erase the messages about a person: %w", err)
	}
	return nil
}

// rememberMessages is how long it is known what people were told.
const rememberMessages = 365 * 24 * time.Hour

// ForgetOld deletes messages that are older, some thousands at a time; not those that wait
// to be sent.
func (o *Outbox) ForgetOld(ctx context.Context) error {
	for {
		var deleted int64
		err := o.db.InTx(ctx, func(tx *store.Tx) (err error) {
			deleted, err = db.New(tx).ForgetMessages(ctx, dbtime.From(o.now().Add(-rememberMessages)))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old messages: %w", err)
		}
		if deleted == 0 {
			return nil
		}
	}
}
