package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Messages about one thing to one phone tell how it stands, one after the other: "pay by
// this code", then "the code is closed". One that has not left when a later one is
// written is out of date. It is dropped and kept as superseded, also where a try of it was
// cut off, so that nobody knows whether its provider has it: late it would tell what is
// not so any more. And they leave in their order: a later one waits while a try of an
// earlier one is under way, and no longer than a try takes. What ends a thing for every phone,
// whichever hears of that, is said by a message without a phone. Whoever writes messages about a
// thing holds the lock of its row: what was written before is seen then.

// aheadEvery is how often a message looks whether those before it have left.
const aheadEvery = 500 * time.Millisecond

// subject is what a message is about, and the blind index of the phone that it goes to, as
// both are kept. Without a topic it is about nothing, without a phone to every one.
type subject struct{ topic, phone string }

func (o *Outbox) subject(m Message) subject {
	var s subject
	if m.Topic != "" {
		s.topic = o.sealer.Index(topicPurpose, m.Topic)
	}
	if m.To != "" {
		s.phone = o.sealer.Index(phoneContext, m.To)
	}
	return s
}

// supersede drops what is queued about the subjects of the messages fresh, but for fresh
// itself. subjects are by the messages' ids.
func (o *Outbox) supersede(ctx context.Context, tx *store.Tx, fresh []string, subjects map[string]subject) error {
	seen := make(map[subject]bool, len(subjects))
	for _, id := range fresh {
		about := subjects[id]
		if about.topic == "" || seen[about] {
			continue
		}
		seen[about] = true
		if err := o.dropAbout(ctx, tx, about, fresh); err != nil {
			return err
		}
	}
	return nil
}

// dropAbout drops what is queued about a subject, but for the ids in but.
func (o *Outbox) dropAbout(ctx context.Context, tx *store.Tx, about subject, but []string) error {
	q := db.New(tx)
	ids, err := q.QueuedAbout(ctx, db.QueuedAboutParams{Topic: about.topic, PhoneIndex: about.phone})
	if err != nil {
		return fmt.Errorf("look for earlier messages: %w", err)
	}
	for _, id := range ids {
		if slices.Contains(but, id) {
			continue
		}
		_, err := q.Supersede(ctx, db.SupersedeParams{ID: id, FinishedAt: dbtime.From(o.now()), Code: string(Code), Nothing: []byte{}})
		if err != nil {
			return fmt.Errorf("drop message %s, which is out of date: %w", id, err)
		}
	}
	return nil
}

// leave notes that a try of m begins, unless an earlier message about the same is ahead
// or m was replaced since it was read; goes is false then. A message about nothing goes
// without a note.
func (o *Outbox) leave(ctx context.Context, m db.NotifyMessage) (goes bool, err error) {
	if m.Topic == "" {
		return true, nil
	}
	ahead := int64(0)
	err = o.end(ctx, func(ctx context.Context, q *db.Queries) (err error) {
		goes = false // this may run twice
		now := o.now()
		ahead, err = q.CountAhead(ctx, db.CountAheadParams{Topic: m.Topic, PhoneIndex: m.PhoneIndex, ID: m.ID, NowAt: dbtime.From(now)})
		if err != nil || ahead > 0 {
			return err
		}
		n, err := q.Leave(ctx, db.LeaveParams{ID: m.ID, UntilAt: dbtime.From(now.Add(tryTime))})
		goes = n > 0
		return err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("begin a try of message %s: %w", m.ID, err)
	case ahead > 0:
		return false, job.Again(aheadEvery)
	}
	return goes, nil
}

// stay notes that a try of m is over and came to nothing, or may have: nobody waits for it.
func (o *Outbox) stay(ctx context.Context, m db.NotifyMessage) error {
	if m.Topic == "" {
		return nil
	}
	// Noted also when the time for the try is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	return o.end(ctx, func(ctx context.Context, q *db.Queries) error {
		if err := q.Stay(ctx, m.ID); err != nil {
			return fmt.Errorf("note that a try of message %s is over: %w", m.ID, err)
		}
		return nil
	})
}

// Superseded counts the messages that later ones replaced.
func (o *Outbox) Superseded(ctx context.Context) (int64, error) {
	n, err := db.New(o.db.Reader()).CountSuperseded(ctx)
	if err != nil {
		return 0, fmt.Errorf("count the messages that were replaced: %w", err)
	}
	return n, nil
}
