package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// ErrUnanswered says, when a Sender's error wraps it, that the provider named in the
// Taken beside it may have the message, and would then report on it.
var ErrUnanswered = errors.New("the provider did not answer and may have taken the message")

const (
	// reportWithin is how long a message that a provider may have is held back for
	// the provider's report. A phone that is on gets a message within seconds.
	reportWithin = 15 * time.Second
	// doubtFor is how long a report on a try may come after the message was given up.
	doubtFor = 48 * time.Hour
)

// doubt notes who may have a message, unless a report came meanwhile: what it cost is
// all that is new then.
func (o *Outbox) doubt(ctx context.Context, m db.NotifyMessage, taken Taken) error {
	// Noted also when the time for the try is over.
	return o.end(context.WithoutCancel(ctx), func(ctx context.Context, q *db.Queries) error {
		err := q.Doubt(ctx, db.DoubtParams{
			ID: m.ID, DoubtedAt: dbtime.From(o.now()), Provider: taken.Provider, Operator: taken.Operator,
			Parts: int64(taken.Parts), Cost: taken.Cost,
		})
		if err != nil {
			return fmt.Errorf("note that message %s may have been sent: %w", m.ID, err)
		}
		return o.claim(ctx, q, m, taken.Provider)
	})
}

// claim takes for m the report that came while its answer was awaited.
func (o *Outbox) claim(ctx context.Context, q *db.Queries, m db.NotifyMessage, provider string) error {
	ids, err := q.Strays(ctx, db.StraysParams{PhoneIndex: m.PhoneIndex, Provider: provider, HeardAt: m.QueuedAt})
	if err != nil {
		return fmt.Errorf("find a report on message %s: %w", m.ID, err)
	}
	if len(ids) != 1 {
		return nil
	}
	r := Report{Provider: provider, ID: strings.TrimPrefix(ids[0], provider+"/")}
	if err := o.identify(ctx, q, &r, m.PhoneIndex); err != nil || r.Message == "" {
		return err
	}
	_, err = o.adopt(ctx, q, r, Delivered)
	return err
}

// stray keeps the report of a delivery whose message is not found yet.
func (o *Outbox) stray(ctx context.Context, q *db.Queries, r Report, phoneIndex string) error {
	now := o.now()
	err := q.KeepStray(ctx, db.KeepStrayParams{
		ProviderID: name(r.Provider, r.ID).String, Provider: r.Provider, PhoneIndex: phoneIndex, HeardAt: dbtime.From(now),
	})
	if err == nil {
		err = q.ForgetStrays(ctx, dbtime.From(now.Add(-doubtFor)))
	}
	if err != nil {
		return fmt.Errorf("keep a report of no message: %w", err)
	}
	return nil
}

// heldForReport holds a message back that a provider may have, except a code: two
// copies of one harm nobody, and none is worth much a little later.
func (o *Outbox) heldForReport(m db.NotifyMessage) error {
	if m.DoubtedAt.IsZero() || Purpose(m.Purpose) == Code {
		return nil
	}
	if left := m.DoubtedAt.Add(reportWithin).Sub(o.now()); left > 0 {
		return job.Again(left)
	}
	return nil
}

// identify names the one message to a phone that its provider did not answer about,
// unless there is none, or the report can be about another message.
func (o *Outbox) identify(ctx context.Context, q *db.Queries, r *Report, phoneIndex string) error {
	// Whatever waits for its first answer, or was given up in doubt, can be meant too.
	rows, err := q.Unanswered(ctx, db.UnansweredParams{PhoneIndex: phoneIndex, DoubtedAt: dbtime.From(o.now().Add(-doubtFor))})
	if err != nil {
		return fmt.Errorf("find the message of a delivery report: %w", err)
	}
	if len(rows) == 1 && !rows[0].DoubtedAt.IsZero() && rows[0].Provider == r.Provider {
		r.Message, r.Operator = rows[0].ID, rows[0].Operator
	}
	return nil
}
