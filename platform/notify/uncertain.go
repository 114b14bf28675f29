package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// ErrUnanswered says, when a Sender's error wraps it, that the provider may have the
// message. The Submission beside it names the provider if that would report on it.
var ErrUnanswered = errors.New("the provider did not answer and may have taken the message")

const (
	// reportWithin is how long a message that a provider may have is held back for
	// the provider's report, or its late answer. A phone that is on gets a message within
	// seconds; a centre that is slow, or was away for a restart, tells within minutes.
	reportWithin = 90 * time.Second
	// mostCopies is how many copies of a message may be under way with an unknown
	// outcome: it is not sent another time, but waits for a word on one of them.
	mostCopies = 2
	// reportEvery is how often it is looked for.
	reportEvery = 5 * time.Minute
	// tryTime is more than a try takes, and killedFor more than passes until the job of
	// a killed process is taken up again: no report on the try is older.
	tryTime   = 30 * time.Second
	killedFor = 2 * time.Minute
	// copyFor is how long after a message was queued a copy of it may be under way: the
	// tries last a day and a half, and centres keep a message for a phone that is off.
	copyFor = 7 * 24 * time.Hour
	// noteWithin bounds the noting of an uncertain submission.
	noteWithin = 5 * time.Second
)

// markUncertain notes who may have a message, and what it costs then.
func (o *Outbox) markUncertain(ctx context.Context, m db.NotifyMessage, taken Submission) error {
	// Noted also when the time for the try is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	return o.end(ctx, func(ctx context.Context, q *db.Queries) error {
		err := q.MarkUncertain(ctx, db.MarkUncertainParams{
			ID: m.ID, DoubtedAt: dbtime.From(o.now()), Provider: taken.Provider, Operator: taken.Operator,
			Parts: int64(taken.Parts), Cost: taken.Cost,
		})
		if err != nil {
			return fmt.Errorf("note that message %s may have been sent: %w", m.ID, err)
		}
		return nil
	})
}

// reportBy is until when a report is awaited on a message that a provider may have; the
// zero time for a code: two copies of one harm nobody, and none is worth much a little
// later.
func reportBy(m db.NotifyMessage) time.Time {
	if m.DoubtedAt.IsZero() || m.Provider == "" || Purpose(m.Purpose) == Code {
		return time.Time{}
	}
	return m.DoubtedAt.Add(reportWithin)
}

// awaitReport leaves a message of which two copies may be under way to the reports; its
// answers may come late, too. After all that time without a word it has failed.
func (o *Outbox) awaitReport(ctx context.Context, m db.NotifyMessage) error {
	end := m.QueuedAt.Add(copyFor)
	left := end.Sub(o.now())
	if m.Provider == "" || left <= 0 { // nobody would tell
		return o.giveUp(ctx, m, Failed)
	}
	if expires := m.ExpiresAt; !expires.IsZero() {
		left = min(left, expires.Sub(o.now()))
	}
	return job.Again(min(max(left, time.Second), reportEvery))
}

// keepOrphan keeps the receipt of a delivery whose id no message has: the answer that would
// have told the id is lost, or still awaited.
func (o *Outbox) keepOrphan(ctx context.Context, q *db.Queries, r DeliveryReceipt) error {
	now := o.now()
	decimal, hex := reportForms(r)
	err := q.KeepOrphan(ctx, db.KeepOrphanParams{
		ProviderID: name(r.Provider, r.ID).String, Provider: r.Provider, HeardAt: dbtime.From(now), IDDecimal: decimal, IDHex: hex,
		PhoneIndex: o.sealer.Index(phoneContext, r.Phone),
	})
	if err == nil {
		err = q.ForgetOrphans(ctx, dbtime.From(now.Add(-copyFor)))
	}
	if err != nil {
		return fmt.Errorf("keep a report of no message: %w", err)
	}
	return nil
}

// claim looks, before another try, for the report on the one before: a delivery to the
// phone with an id that no message has. It is m's if no other message can be meant;
// where one can, m is sent again rather than lost.
func (o *Outbox) claim(ctx context.Context, m db.NotifyMessage) (claimed bool, err error) {
	since := o.now().Add(-killedFor) // which provider was asked is not known then
	if !m.DoubtedAt.IsZero() {
		since = m.DoubtedAt.Add(-tryTime)
	}
	err = o.end(ctx, func(ctx context.Context, q *db.Queries) error {
		claimed = false // this may run twice
		orphans, err := q.Orphans(ctx, db.OrphansParams{PhoneIndex: m.PhoneIndex, HeardAt: dbtime.From(since), Provider: m.Provider})
		if err != nil || len(orphans) != 1 {
			return err
		}
		others, err := q.MayBeMeant(ctx, db.MayBeMeantParams{
			PhoneIndex: m.PhoneIndex, QueuedAt: dbtime.From(o.now().Add(-copyFor)), SentAt: dbtime.From(since),
		})
		if err != nil || len(others) != 1 { // m itself
			return err
		}
		provider := orphans[0].Provider
		r := DeliveryReceipt{Provider: provider, ID: ownID(provider, orphans[0].ProviderID), Message: m.ID, Operator: m.Operator}
		claimed, err = o.match(ctx, q, r, Delivered)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for a report on message %s: %w", m.ID, err)
	}
	return claimed, nil
}
