package session

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/session/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Outbox sends messages if and only if tx commits, as *notify.Outbox does.
type Outbox interface {
	Send(ctx context.Context, tx *store.Tx, m notify.Message) error
	// Told reports that a message about the turn is there already.
	Told(ctx context.Context, tx *store.Tx, turn string) (bool, error)
}

// Deferred sends by SMS what a step over USSD answers too late for the screen: once,
// also when the process is killed in between. The row is what counts, and a job of
// the queue sees to it (decision 18).
type Deferred struct {
	DB     *store.DB
	Queue  *job.Queue
	Outbox Outbox
	// StepTime is what a step may take before its reply is deferred.
	StepTime time.Duration
	// Lease is how long a reply is left to the process that took the step, and the time
	// between two tries of the queue; zero: DefaultLease.
	Lease time.Duration
	// Budget and Lifetime are those of a conversation by SMS, in which the citizen goes on.
	Budget   dialog.Budget
	Lifetime time.Duration
}

const (
	// DefaultStepTime leaves a gateway, which waits 10 s, time to spare.
	DefaultStepTime = 3 * time.Second
	// workTime is how long a step goes on after its reply was deferred, jobTime what a
	// job takes with such a step.
	workTime = time.Minute
	jobTime  = workTime + 15*time.Second
	// DefaultLease is when the queue takes up a job whose process was killed.
	DefaultLease = workTime + 30*time.Second
	// deferredTries bounds how often a registry is asked; then the citizen is told
	// that it did not answer.
	deferredTries = 6
	// overdueAfter is when a reply that is not sent is given another job: longer than
	// all tries take.
	overdueAfter = 30 * time.Minute
	overdueBatch = 100
	// deferredLifetime is how long a reply is worth sending, rememberDeferred how
	// long one that was sent is known.
	deferredLifetime = 24 * time.Hour
	rememberDeferred = 7 * 24 * time.Hour
	nodeDeferred     = "menu.later" // as it is stored and counted
)

func (d *Deferred) lease() time.Duration { return cmp.Or(d.Lease, DefaultLease) }

// deferredReply is what another process needs to take the step again. What was typed
// on a screen that asked for something secret is not in it.
type deferredReply struct {
	Phone    string         `cbor:"1,keyasint"`
	Gateway  string         `cbor:"2,keyasint,omitempty"`
	Operator string         `cbor:"3,keyasint,omitempty"`
	Locale   locales.Locale `cbor:"4,keyasint,omitempty"`
	Before   []byte         `cbor:"5,keyasint,omitempty"`
	Start    bool           `cbor:"6,keyasint,omitempty"`
	Text     string         `cbor:"7,keyasint,omitempty"`
	Dialled  []string       `cbor:"8,keyasint,omitempty"`
	Secret   bool           `cbor:"9,keyasint,omitempty"`
	Tenure   int64          `cbor:"10,keyasint,omitempty"`
	// Session is that of the turn that asked, in which somebody may be proved.
	Session string `cbor:"11,keyasint,omitempty"`

	id string // the turn's
}

// deferredContext binds a sealed reply to its row, under the name it has there.
func deferredContext(id string) string { return "promise " + id }

// caller is who waits for the reply.
func (d deferredReply) caller(now time.Time) caller.Caller {
	return caller.Caller{
		Phone: d.Phone, Channel: caller.USSD, Gateway: d.Gateway, Operator: d.Operator, Locale: d.Locale, Now: now, Session: d.Session, Key: d.id,
	}
}

// lateError says that a step goes on; its outcome comes through done.
type lateError struct{ done <-chan outcome }

func (lateError) Error() string { return "the step takes too long" }

// patience is what waiting for a step takes; one that was not late is used again.
type patience struct {
	done  chan outcome
	timer *time.Timer
}

func newPatience() any {
	p := &patience{done: make(chan outcome, 1), timer: time.NewTimer(time.Hour)}
	p.timer.Stop()
	return p
}

type outcome struct {
	reply dialog.Reply
	err   error
}

// inTime runs the engine, which may have to wait, for as long as the citizen can.
func (t *Conversations) inTime(ctx context.Context, c caller.Caller, s step) (dialog.Reply, error) {
	p := t.patience.Get().(*patience) //nolint:forcetypeassert // the pool holds nothing else
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		o := t.guarded(work, c, s)
		cancel()
		p.done <- o
	}()
	p.timer.Reset(t.Deferred.StepTime)
	select {
	case o := <-p.done:
		p.timer.Stop()
		t.patience.Put(p)
		return o.reply, o.err
	case <-p.timer.C:
		time.AfterFunc(workTime, cancel)
		return dialog.Reply{}, lateError{done: p.done}
	}
}

// guarded takes a step; a panic in the engine ends nothing else.
func (t *Conversations) guarded(ctx context.Context, c caller.Caller, s step) (o outcome) {
	o.reply, o.err = problem.Guarded(func() (dialog.Reply, error) { return t.Engine.Next(ctx, c, s.state, s.in) })
	return o
}

// deferReply tells the citizen that the reply comes by SMS, once that is certain. The step
// still runs: its state must not be touched here.
func (t *Conversations) deferReply(ctx context.Context, r *request, s step, next *conversation, c caller.Caller, late lateError) (Answer, error) {
	d := deferredReply{
		Phone: r.Phone, Gateway: r.Gateway, Operator: r.Operator, Locale: c.Locale, Before: s.before,
		Start: s.in.Start, Dialled: dialog.Keepable(s.in.Dialled), Secret: s.secret, Tenure: next.Tenure,
		Session: c.Session, id: c.Key,
	}
	if !s.secret {
		d.Text = s.in.Text
	}
	if err := t.keepDeferred(ctx, d, r.Now); err != nil {
		return Answer{}, fmt.Errorf("defer a reply: %w", err)
	}
	go t.finish(context.WithoutCancel(ctx), d, s.state, late.done)
	next.Text, next.Over, next.Node = t.Texts.Text(spokenIn(c.Locale), "dialog.later"), true, nodeDeferred
	next.State = dialog.NewState(c.Locale).Encode()
	own, _ := r.stored.slots(r.Channel)
	*own = next
	if err := t.save(ctx, r); err != nil {
		return Answer{}, err
	}
	return next.answer(), nil
}

// keepDeferred stores a reply to be sent, together with its job. One that is known is
// kept as it is.
func (t *Conversations) keepDeferred(ctx context.Context, d deferredReply, now time.Time) error {
	plain, err := cbor.Marshal(d)
	if err != nil {
		return err
	}
	sealed := t.vault.seal(deferredContext(d.id), plain)
	return t.Deferred.DB.InTx(ctx, func(tx *store.Tx) error {
		rows, err := db.New(tx).KeepDeferred(ctx, db.KeepDeferredParams{
			ID: d.id, Sealed: sealed, MadeAt: dbtime.From(now), DueAt: dbtime.From(now.Add(overdueAfter)),
		})
		if err != nil || rows == 0 {
			return err
		}
		return t.Deferred.Queue.Insert(ctx, tx, deferredJob{d.id}, job.Options{At: now.Add(t.Deferred.lease()), Slow: true})
	})
}

// spokenIn is what to speak where no language was chosen yet.
func spokenIn(loc locales.Locale) locales.Locale {
	if loc == "" {
		return locales.KY
	}
	return loc
}

// finish waits for the step that took too long and sends its reply. Where the process
// ends first, or the registry fails, the queue takes it up.
func (t *Conversations) finish(ctx context.Context, d deferredReply, state *dialog.State, done <-chan outcome) {
	o := <-done
	if o.err == nil && o.reply.Failed && !d.Secret {
		return
	}
	if o.err == nil {
		o.err = t.deliver(ctx, d, state, o.reply.In(t.Deferred.Budget))
	}
	if o.err != nil {
		t.Log.Error("a deferred reply waits", "error", o.err)
	}
}
