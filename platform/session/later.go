package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
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

// Later sends by SMS what a step over USSD answers too late for the screen: the
// citizen is promised it, and the promise is kept once, also when the process is
// killed in between.
type Later struct {
	DB     *store.DB
	Outbox Outbox
	// StepTime is what a step may take before the answer is promised.
	StepTime time.Duration
	// Budget and Lifetime are those of a talk by SMS, in which the citizen goes on.
	Budget   dialog.Budget
	Lifetime time.Duration
}

const (
	// DefaultStepTime leaves a gateway, which waits 10 s, time to spare.
	DefaultStepTime = 3 * time.Second
	// workTime is how long a step goes on after its citizen was promised the
	// answer; lease is when somebody else takes the promise up.
	workTime = time.Minute
	lease    = workTime + 30*time.Second
	// promiseTries bounds how often a registry is asked; then the citizen is told
	// that it did not answer.
	promiseTries = 6
	promiseBatch = 20
	// promiseLifetime is how long an answer is worth sending, rememberPromises how
	// long a kept promise is known.
	promiseLifetime  = 24 * time.Hour
	rememberPromises = 7 * 24 * time.Hour
	nodeLater        = "door.later"
)

// promised is what a promise needs to be kept by somebody else. What was typed
// on a screen that asked for something secret is not in it.
type promised struct {
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
}

// lateError says that a step goes on; its outcome comes through done.
type lateError struct{ done <-chan outcome }

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

func (lateError) Error() string { return "the step takes too long" }

// next runs the engine. A step that asks nobody is spared the goroutine and the
// timer that guard the citizen at the screen from one that waits.
func (t *Talks) next(ctx context.Context, c caller.Caller, s step) (dialog.Reply, error) {
	if t.Later == nil || c.Channel != caller.USSD || !s.waits {
		return t.Engine.Next(ctx, c, s.state, s.in)
	}
	return t.inTime(ctx, c, s)
}

// inTime runs the engine, which may have to wait, for as long as the citizen can.
func (t *Talks) inTime(ctx context.Context, c caller.Caller, s step) (dialog.Reply, error) {
	p := t.patience.Get().(*patience) //nolint:forcetypeassert // the pool holds nothing else
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		o := t.guarded(work, c, s)
		cancel()
		p.done <- o
	}()
	p.timer.Reset(t.Later.StepTime)
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
func (t *Talks) guarded(ctx context.Context, c caller.Caller, s step) (o outcome) {
	o.reply, o.err = problem.Guarded(func() (dialog.Reply, error) { return t.Engine.Next(ctx, c, s.state, s.in) })
	return o
}

// promise tells the citizen that the answer comes by SMS, once that is certain.
// The step still runs: its state must not be touched here.
func (t *Talks) promise(ctx context.Context, r *round, s step, next *talk, c caller.Caller, late lateError) (Answer, error) {
	p := promised{
		Phone: r.Phone, Gateway: r.Gateway, Operator: r.Operator, Locale: c.Locale, Before: s.before,
		Start: s.in.Start, Dialled: dialog.Keepable(s.in.Dialled), Secret: s.secret, Tenure: next.Tenure,
	}
	if !s.secret {
		p.Text = s.in.Text
	}
	plain, err := cbor.Marshal(p)
	if err != nil {
		return Answer{}, fmt.Errorf("write a promise: %w", err)
	}
	sealed := t.vault.seal(promiseContext(c.Turn), plain)
	err = t.Later.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).MakePromise(ctx, db.MakePromiseParams{
			ID: c.Turn, Sealed: sealed, MadeAt: dbtime.From(r.Now), DueAt: dbtime.From(r.Now.Add(lease)),
		})
	})
	if err != nil {
		return Answer{}, fmt.Errorf("promise an answer: %w", err)
	}
	go t.fulfil(context.WithoutCancel(ctx), c.Turn, p, s.state, late.done)
	next.Text, next.Over, next.Node = t.Sentences.Text(spokenIn(c.Locale), "dialog.later"), true, nodeLater
	next.State = dialog.NewState(c.Locale).Encode()
	own, _ := r.book.slots(r.Channel)
	*own = next
	if err := t.save(ctx, r); err != nil {
		return Answer{}, err
	}
	return next.answer(), nil
}

func promiseContext(id string) string { return "promise " + id }

// spokenIn is what to speak where no language was chosen yet.
func spokenIn(loc locales.Locale) locales.Locale {
	if loc == "" {
		return locales.KY
	}
	return loc
}

// fulfil waits for the step that took too long and sends its answer. Where the
// process ends first, or the registry fails, KeepPromises takes it up.
func (t *Talks) fulfil(ctx context.Context, id string, p promised, state *dialog.State, done <-chan outcome) {
	o := <-done
	if o.err == nil && o.reply.Failed && !p.Secret {
		return
	}
	if o.err == nil {
		o.err = t.deliver(ctx, id, p, state, o.reply.In(t.Later.Budget))
	}
	if o.err != nil {
		t.Log.Error("a promised answer waits", "error", o.err)
	}
}

// deliver keeps a promise with the reply, which is laid out for SMS, and lets the
// citizen go on there.
func (t *Talks) deliver(ctx context.Context, id string, p promised, state *dialog.State, reply dialog.Reply) error {
	kept, err := t.tell(ctx, id, p, state.Locale, reply.Text)
	if err != nil || !kept {
		return err
	}
	c := p.caller(id, t.Now())
	c.Locale = state.Locale
	t.count(c, reply.Steps)
	if state.Ended {
		return nil
	}
	return t.moveToSMS(ctx, id, p, state, reply.Text)
}

// caller is who was promised an answer.
func (p promised) caller(id string, now time.Time) caller.Caller {
	return caller.Caller{
		Phone: p.Phone, Channel: caller.USSD, Gateway: p.Gateway, Operator: p.Operator, Locale: p.Locale, Now: now, Turn: id,
	}
}

// sameHolderOf reports that the number is still that of the person who was promised
// an answer.
func (t *Talks) sameHolderOf(ctx context.Context, p promised) (bool, error) {
	profile, err := t.Profiles.Profile(ctx, p.Phone)
	if err != nil {
		return false, fmt.Errorf("look whose number it is: %w", err)
	}
	return profile.Tenure == p.Tenure, nil
}

// drop ends a promise to who does not hold the number any more: nobody is answered.
func (t *Talks) drop(ctx context.Context, id string) error {
	return t.Later.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).KeepPromise(ctx, db.KeepPromiseParams{KeptAt: dbtime.From(t.Now()), Sealed: []byte{}, ID: id})
		return err
	})
}

// tell sends text as the answer promised under id, unless that was done. Where the
// step itself sent a message about what it did, that is the answer: the citizen gets
// one message, not two.
func (t *Talks) tell(ctx context.Context, id string, p promised, loc locales.Locale, text string) (kept bool, err error) {
	if same, err := t.sameHolderOf(ctx, p); err != nil {
		return false, err
	} else if !same {
		return false, t.drop(ctx, id)
	}
	now := t.Now()
	err = t.Later.DB.InTx(ctx, func(tx *store.Tx) error {
		rows, err := db.New(tx).KeepPromise(ctx, db.KeepPromiseParams{KeptAt: dbtime.From(now), Sealed: []byte{}, ID: id})
		if kept = rows == 1; err != nil || !kept {
			return err
		}
		if told, err := t.Later.Outbox.Told(ctx, tx, id); err != nil || told {
			return err
		}
		return t.Later.Outbox.Send(ctx, tx, notify.Message{
			To: p.Phone, Text: text, Purpose: notify.Answer, Locale: spokenIn(loc),
			ExpiresAt: now.Add(promiseLifetime), Dedup: "later:" + id,
		})
	})
	if err != nil {
		return false, fmt.Errorf("keep a promise: %w", err)
	}
	return kept, nil
}

// moveToSMS makes the talk that was answered late the phone's talk by SMS.
func (t *Talks) moveToSMS(ctx context.Context, id string, p promised, state *dialog.State, text string) error {
	key := t.vault.key(p.Phone)
	held, err := t.busy.Lock(ctx, key)
	if err != nil {
		return err
	}
	defer held.Unlock()
	turn := Turn{
		Phone: p.Phone, Channel: caller.SMS, Gateway: p.Gateway, Operator: p.Operator, ID: "later:" + id,
		Budget: t.Later.Budget, Lifetime: t.Later.Lifetime, Now: t.Now(),
	}
	for range conflicts {
		r, err := t.load(ctx, key, turn)
		if err != nil {
			return err
		}
		r.tenure = p.Tenure
		if r.old != nil && !r.old.Over {
			r.lapsed = append(r.lapsed, r.old)
		}
		next := t.follow(r, true)
		next.Text, next.Node = text, state.Node
		next.State = state.Encode()
		r.book.SMS = next
		if err = t.save(ctx, r); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return ErrConflict
}

// KeepPromises answers what a process that ended, or a registry that failed,
// left unanswered. Run it every few seconds; instances may run it at once.
func (t *Talks) KeepPromises(ctx context.Context) error {
	if t.Later == nil {
		return nil
	}
	now := t.Now()
	due, err := db.New(t.Later.DB.Reader()).DuePromises(ctx, db.DuePromisesParams{DueAt: dbtime.From(now), Limit: promiseBatch})
	if err != nil {
		return fmt.Errorf("list promises: %w", err)
	}
	// At once: one slow registry keeps nobody else waiting.
	faults := make([]error, len(due))
	var all sync.WaitGroup
	for i, row := range due {
		all.Go(func() { faults[i] = problem.Guard(func() error { return t.keepPromise(ctx, row) }) })
	}
	all.Wait()
	err = t.Later.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).ForgetPromises(ctx, dbtime.From(now.Add(-rememberPromises)))
		return err
	})
	return errors.Join(errors.Join(faults...), err)
}

func (t *Talks) keepPromise(ctx context.Context, row db.DuePromisesRow) error {
	now := t.Now()
	var taken int64
	err := t.Later.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		taken, err = db.New(tx).TakePromise(ctx, db.TakePromiseParams{
			ID: row.ID, Tries: row.Tries, UntilAt: dbtime.From(now.Add(lease)),
		})
		return err
	})
	if err != nil || taken == 0 { // another instance has it
		return err
	}
	plain, err := t.vault.open(promiseContext(row.ID), row.Sealed)
	if err != nil {
		return err
	}
	var p promised
	if err := cbor.Unmarshal(plain, &p); err != nil {
		return fmt.Errorf("read a promise: %w", err)
	}
	if same, err := t.sameHolderOf(ctx, p); err != nil {
		return err
	} else if !same { // what was asked must not be done in another's name
		return t.drop(ctx, row.ID)
	}
	loc := spokenIn(p.Locale)
	if p.Secret { // what was typed was not kept
		_, err := t.tell(ctx, row.ID, p, loc, gsm.Pick(t.Sentences.Message(loc, "dialog.later_lost")))
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	state, reply, err := t.retake(ctx, row.ID, p, now)
	last := row.Tries+1 >= promiseTries
	switch {
	case err == nil && (!reply.Failed || last):
		return t.deliver(ctx, row.ID, p, state, reply)
	case last:
		t.Log.Error("a promised answer failed", "error", err)
		_, err := t.tell(ctx, row.ID, p, loc, gsm.Pick(t.Sentences.Message(loc, "dialog.later_failed")))
		return err
	}
	return err
}

// retake runs a promised step again: its effects know its turn.
func (t *Talks) retake(ctx context.Context, id string, p promised, now time.Time) (*dialog.State, dialog.Reply, error) {
	in := dialog.Input{Start: p.Start, Text: p.Text, Dialled: p.Dialled, Budget: t.Later.Budget}
	state := dialog.NewState(p.Locale)
	if p.Before != nil {
		before, err := dialog.Decode(p.Before)
		if err != nil {
			return nil, dialog.Reply{}, err
		}
		if state = before; p.Start {
			state, in.Earlier = dialog.NewState(p.Locale), t.Engine.Dropped(before)
		}
	}
	o := t.guarded(ctx, p.caller(id, now), step{state: state, in: in})
	return state, o.reply, o.err
}
