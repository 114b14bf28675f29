package session

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// deferredJob sees to one deferred reply.
type deferredJob struct {
	ID string `json:"id"` // the turn's
}

// Kind implements job.Args.
func (deferredJob) Kind() string { return "session.deferred_reply" }

// HandleDeferred registers the work on deferred replies with the queue, which must not
// run yet. A try that failed is followed by the next when a lease is over.
func (t *Conversations) HandleDeferred() {
	job.HandleAt(t.Deferred.Queue, job.Pace{Timeout: jobTime, Again: t.Deferred.lease()}, t.work)
}

// work sends a deferred reply that the process which took the step has not sent: its
// step is taken again, and its effects know its turn. The tries are counted in the row:
// an instance of another release may have failed at the job.
func (t *Conversations) work(ctx context.Context, args deferredJob, _ job.Attempt) error {
	row, err := db.New(t.Deferred.DB.Reader()).OpenDeferred(ctx, args.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was sent
	}
	if err != nil {
		return fmt.Errorf("look for a deferred reply: %w", err)
	}
	taken, err := t.tryDeferred(ctx, args.ID, row.Tries)
	if err != nil || !taken {
		return err
	}
	d, err := t.openDeferred(args.ID, row.Sealed)
	if err != nil {
		return err
	}
	if same, err := t.sameTenure(ctx, d.Phone, d.Tenure); err != nil {
		return err
	} else if !same { // what was asked must not be done in another's name
		return t.drop(ctx, d)
	}
	if d.Secret { // what was typed was not kept
		return t.apologise(ctx, d, "dialog.later_lost")
	}
	return t.retry(ctx, d, row.Tries+1 >= deferredTries)
}

// tryDeferred counts a try; false where another instance has begun this one.
func (t *Conversations) tryDeferred(ctx context.Context, id string, tries int64) (taken bool, err error) {
	err = t.Deferred.DB.InTx(ctx, func(tx *store.Tx) error {
		rows, err := db.New(tx).TryDeferred(ctx, db.TryDeferredParams{ID: id, Tries: tries})
		taken = rows == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("begin with a deferred reply: %w", err)
	}
	return taken, nil
}

func (t *Conversations) openDeferred(id string, sealed []byte) (d deferredReply, err error) {
	plain, err := t.vault.open(deferredContext(id), sealed)
	if err != nil {
		return d, err
	}
	if err := cbor.Unmarshal(plain, &d); err != nil {
		return d, fmt.Errorf("read a deferred reply: %w", err)
	}
	d.id = id
	return d, nil
}

// errUpstream says that a registry failed: the step is taken once more.
var errUpstream = errors.New("a registry failed at a step whose reply is deferred")

// retry takes the step again and sends its reply. After the last try the citizen hears
// of a failure too.
func (t *Conversations) retry(ctx context.Context, d deferredReply, last bool) error {
	short, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	state, reply, err := t.retake(short, d)
	switch {
	case err == nil && (!reply.Failed || last):
		return t.deliver(ctx, d, state, reply)
	case last:
		t.Log.Error("a deferred reply failed", "error", err)
		return t.apologise(ctx, d, "dialog.later_failed")
	case err == nil:
		return errUpstream
	}
	return err
}

// retake runs the step again.
func (t *Conversations) retake(ctx context.Context, d deferredReply) (*dialog.State, dialog.Reply, error) {
	in := dialog.Input{Start: d.Start, Text: d.Text, Dialled: d.Dialled, Budget: t.Deferred.Budget}
	state := dialog.NewState(d.Locale)
	if d.Before != nil {
		before, err := dialog.Decode(d.Before)
		if err != nil {
			return nil, dialog.Reply{}, err
		}
		if state = before; d.Start {
			state, in.Earlier = dialog.NewState(d.Locale), t.Engine.Dropped(before)
		}
	}
	o := t.guarded(ctx, d.caller(t.Now()), step{state: state, in: in})
	return state, o.reply, o.err
}

// apologise sends a sentence in the place of the reply.
func (t *Conversations) apologise(ctx context.Context, d deferredReply, key string) error {
	loc := spokenIn(d.Locale)
	_, err := t.tell(ctx, d, loc, gsm.Pick(t.Texts.Message(loc, key)))
	return err
}

// deliver sends the reply, which is laid out for SMS, and lets the citizen go on there.
func (t *Conversations) deliver(ctx context.Context, d deferredReply, state *dialog.State, reply dialog.Reply) error {
	if holds, err := t.holds(ctx, d.caller(t.Now()), reply.About); err != nil {
		return err
	} else if !holds {
		return t.apologise(ctx, d, textOther)
	}
	sent, err := t.tell(ctx, d, state.Locale, reply.Text)
	if err != nil || !sent {
		return err
	}
	c := d.caller(t.Now())
	c.Locale = state.Locale
	t.count(c, reply.Steps)
	if state.Ended {
		return nil
	}
	return t.moveToSMS(ctx, d, state, reply.Text)
}

// drop closes a reply to who does not hold the number any more: nobody is answered.
func (t *Conversations) drop(ctx context.Context, d deferredReply) error {
	return t.Deferred.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := t.close(ctx, tx, d)
		return err
	})
}

// close marks a reply done; false where it is.
func (t *Conversations) close(ctx context.Context, tx *store.Tx, d deferredReply) (bool, error) {
	rows, err := db.New(tx).CloseDeferred(ctx, db.CloseDeferredParams{KeptAt: dbtime.From(t.Now()), Sealed: []byte{}, ID: d.id})
	return rows == 1, err
}

// tell sends text as the reply, unless that was done. Where the step itself sent a
// message about what it did, that is the reply: the citizen gets one message, not two.
func (t *Conversations) tell(ctx context.Context, d deferredReply, loc locales.Locale, text string) (sent bool, err error) {
	if same, err := t.sameTenure(ctx, d.Phone, d.Tenure); err != nil {
		return false, err
	} else if !same {
		return false, t.drop(ctx, d)
	}
	err = t.Deferred.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		if sent, err = t.close(ctx, tx, d); err != nil || !sent {
			return err
		}
		if told, err := t.Deferred.Outbox.Told(ctx, tx, d.id); err != nil || told {
			return err
		}
		return t.Deferred.Outbox.Send(ctx, tx, notify.Message{
			To: d.Phone, Text: text, Purpose: notify.Answer, Locale: spokenIn(loc),
			ExpiresAt: t.Now().Add(deferredLifetime), Dedup: "later:" + d.id,
		})
	})
	if err != nil {
		return false, fmt.Errorf("send a deferred reply: %w", err)
	}
	return sent, nil
}

// moveToSMS makes the conversation whose reply was deferred the phone's conversation by SMS.
func (t *Conversations) moveToSMS(ctx context.Context, d deferredReply, state *dialog.State, text string) error {
	key := t.vault.key(d.Phone)
	held, err := t.busy.Lock(ctx, key)
	if err != nil {
		return err
	}
	defer held.Unlock()
	turn := Turn{
		Phone: d.Phone, Channel: caller.SMS, Gateway: d.Gateway, Operator: d.Operator, ID: "later:" + d.id,
		Budget: t.Deferred.Budget, Lifetime: t.Deferred.Lifetime, Now: t.Now(),
	}
	for range conflicts {
		r, err := t.load(ctx, key, turn)
		if err != nil {
			return err
		}
		r.tenure = d.Tenure
		if r.old != nil && !r.old.Over {
			r.lapsed = append(r.lapsed, r.old)
		}
		next := t.follow(r, true)
		next.Text, next.Node = text, state.Node
		next.State = state.Encode()
		r.stored.SMS = next
		if err = t.save(ctx, r); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// TidyDeferred gives a job to the replies that have waited too long for one, as those
// that an earlier release stored, and forgets those that were sent long ago. Run it
// now and then; instances may run it at once.
func (t *Conversations) TidyDeferred(ctx context.Context) error {
	if t.Deferred == nil {
		return nil
	}
	now := t.Now()
	overdue, err := db.New(t.Deferred.DB.Reader()).OverdueDeferred(ctx, db.OverdueDeferredParams{DueAt: dbtime.From(now), Limit: overdueBatch})
	if err != nil {
		return fmt.Errorf("list deferred replies: %w", err)
	}
	return t.Deferred.DB.InTx(ctx, func(tx *store.Tx) error {
		for _, id := range overdue {
			if err := t.requeue(ctx, tx, id, now); err != nil {
				return fmt.Errorf("queue a deferred reply again: %w", err)
			}
		}
		_, err := db.New(tx).ForgetDeferred(ctx, dbtime.From(now.Add(-rememberDeferred)))
		return err
	})
}

// requeue gives a reply that is overdue a job, unless another instance did.
func (t *Conversations) requeue(ctx context.Context, tx *store.Tx, id string, now time.Time) error {
	rows, err := db.New(tx).PostponeDeferred(ctx, db.PostponeDeferredParams{
		ID: id, DueAt: dbtime.From(now), UntilAt: dbtime.From(now.Add(overdueAfter)),
	})
	if err != nil || rows == 0 {
		return err
	}
	return t.Deferred.Queue.Insert(ctx, tx, deferredJob{id}, job.Options{Slow: true})
}
