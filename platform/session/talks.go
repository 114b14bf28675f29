package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// Engine is the dialog engine, as *dialog.Engine implements it.
type Engine interface {
	Next(ctx context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error)
	Abandoned(st *dialog.State) []dialog.Step
}

// Profiles knows the language a phone chose earlier; "" when it never did.
type Profiles interface {
	Locale(ctx context.Context, phone string) (locales.Locale, error)
}

// Recorder counts a finished or abandoned step, some time later.
type Recorder interface {
	Later(e analytics.Event)
}

// Turn is one request of a channel.
type Turn struct {
	// Session names the conversation among all of its phone's: the gateway and
	// its session id for USSD, a constant for SMS.
	Session string
	// Phone is the caller's number in E.164.
	Phone    string
	Channel  caller.Channel
	Gateway  string
	Operator string
	// Text is the whole text as sent. With Cumulative it holds every input of
	// the session so far, joined by "*"; without, the new input only.
	Text       string
	Cumulative bool
	// ID identifies the request where Text does not: a retry has the same. It is
	// needed without Cumulative and unused with it.
	ID string
	// Start says that the gateway began the session with this request; without
	// Cumulative, Text is then what was dialled after the short code, if anything.
	Start bool
	// Subscriber is the SIM's identity (IMSI) where the gateway tells it: a talk
	// is not continued on another SIM. It is digested, never kept.
	Subscriber string
	Budget     dialog.Budget
	// Lifetime is how long the talk waits for the next turn.
	Lifetime time.Duration
	Now      time.Time
}

// Answer is what the channel says to the citizen.
type Answer struct {
	Text string
	// End closes the conversation.
	End bool
	// Node is the step of the conversation that is shown ("fine.list"): fit for
	// logs and gateways' statistics.
	Node string
}

const (
	// maxDialled bounds the choices taken from one dialled string; a person
	// dials a handful.
	maxDialled = 32
	// saveTime is what saving may take although the request's own time is over:
	// the turn's effects are done by then.
	saveTime = 2 * time.Second
	// conflicts bounds how often a turn starts over because another instance
	// saved the same session first.
	conflicts = 5
)

// Talks runs conversations turn by turn. It is safe for concurrent use.
type Talks struct {
	engine   Engine
	store    Store
	profiles Profiles
	recorder Recorder
	vault    *vault
	busy     *keyLock
	log      *slog.Logger
}

// NewTalks makes Talks. The secret (32 bytes or more) keys the digests that
// stand for phones, sessions and inputs, and seals what is stored: with another
// secret all stored talks start over.
func NewTalks(engine Engine, store Store, profiles Profiles, recorder Recorder, secret []byte, log *slog.Logger) (*Talks, error) {
	v, err := newVault(secret)
	if err != nil {
		return nil, err
	}
	return &Talks{
		engine: engine, store: store, profiles: profiles, recorder: recorder,
		vault: v, busy: newKeyLock(), log: log,
	}, nil
}

// Turn answers one request. A gateway's retry (the same session, position and
// text) gets the stored answer and has no effect. An error means that nothing
// was saved: the request may be sent again.
func (t *Talks) Turn(ctx context.Context, turn Turn) (Answer, error) {
	if !turn.Cumulative && turn.ID == "" {
		return Answer{}, errors.New("a turn needs cumulative text or an id")
	}
	key := t.vault.key(turn.Session, turn.Phone)
	unlock, err := t.busy.lock(ctx, key)
	if err != nil {
		return Answer{}, fmt.Errorf("wait for the session's turn before: %w", err)
	}
	defer unlock()
	for range conflicts {
		answer, err := t.attempt(ctx, key, turn)
		if !errors.Is(err, ErrConflict) {
			return answer, err
		}
	}
	return Answer{}, fmt.Errorf("take a turn: %w", ErrConflict)
}

// round is one attempt at a turn: the request, and what was stored before it.
type round struct {
	Turn
	key    string
	digest []byte
	rec    Record
	old    *talk // nil for none
}

// attempt loads, runs and saves one turn.
func (t *Talks) attempt(ctx context.Context, key string, turn Turn) (Answer, error) {
	rec, err := t.store.Load(ctx, key)
	if err != nil {
		return Answer{}, err
	}
	r := round{Turn: turn, key: key, digest: t.vault.digest(key, turn.mark()), rec: rec, old: t.open(key, rec)}
	if r.old == nil || rec.Expires.Before(turn.Now) {
		return t.start(ctx, r)
	}
	if r.isRetry() {
		return Answer{Text: r.old.Text, End: r.old.Over}, nil
	}
	if r.old.Over {
		return t.start(ctx, r)
	}
	return t.goOn(ctx, r)
}

// goOn runs the next turn of a talk.
func (t *Talks) goOn(ctx context.Context, r round) (Answer, error) {
	state, err := dialog.Decode(r.old.State)
	if err != nil {
		t.log.Warn("a stored talk cannot be read and starts over", "error", err)
		r.old = nil
		return t.start(ctx, r)
	}
	return t.run(ctx, r, state, dialog.Input{Text: t.newInput(r), Budget: r.Budget})
}

// start begins a talk anew, in the language the phone chose earlier. A first
// request with text in it is a dialled string (*1414*2*1#), or a talk whose
// session was lost: its choices are walked again, without effects.
func (t *Talks) start(ctx context.Context, r round) (Answer, error) {
	in := dialog.Input{Start: true, Budget: r.Budget}
	switch {
	case !r.Cumulative:
		in.Text = r.Text
	case r.Text != "" && (r.old == nil || !r.old.Over):
		in.Dialled = strings.SplitN(r.Text, "*", maxDialled+1)
		in.Dialled = in.Dialled[:min(len(in.Dialled), maxDialled)]
	}
	locale, err := t.profiles.Locale(ctx, r.Phone)
	if err != nil {
		// Without the profile the talk asks for the language, and goes on.
		t.log.Warn("the phone's language cannot be read", "error", err)
	}
	answer, err := t.run(ctx, r, dialog.NewState(locale), in)
	if err == nil && r.old != nil && !r.old.Over {
		t.abandon(r.old, r.Now)
	}
	return answer, err
}

// run takes the engine's next step and saves the talk.
func (t *Talks) run(ctx context.Context, r round, state *dialog.State, in dialog.Input) (Answer, error) {
	c := caller.Caller{
		Phone: r.Phone, Channel: r.Channel, Gateway: r.Gateway, Operator: r.Operator,
		Locale: state.Locale, Now: r.Now, Turn: turnID(r.digest),
	}
	reply, err := t.engine.Next(ctx, c, state, in)
	if err != nil {
		return Answer{}, fmt.Errorf("take a dialog step: %w", err)
	}
	next := talk{
		Length: r.length(), Digest: r.digest, Text: reply.Text, Over: reply.End,
		Channel: r.Channel, Gateway: r.Gateway, Operator: r.Operator,
	}
	if r.old != nil && !r.Cumulative {
		next.Seen = r.old.remember()
	}
	if next.State, err = state.Encode(); err != nil {
		return Answer{}, fmt.Errorf("write the talk's state: %w", err)
	}
	if err := t.save(ctx, r.key, r.rec, &next, r.Now, r.Lifetime); err != nil {
		return Answer{}, err
	}
	c.Locale = state.Locale // the citizen may just have chosen it
	t.count(c, reply.Steps)
	return Answer{Text: reply.Text, End: reply.End}, nil
}

// isRetry reports that the turn was answered already: it is the very request
// the talk stored last, or an earlier one that arrives late.
func (r round) isRetry() bool {
	if equal(r.old.Digest, r.digest) {
		return true
	}
	if r.Cumulative {
		return len(r.Text) < r.old.Length
	}
	return r.old.saw(r.digest)
}

// newInput is what the citizen typed in this turn: with cumulative text, what
// follows the text of the turn before. It may hold "*" itself.
func (t *Talks) newInput(r round) string {
	text, n := r.Text, r.old.Length
	if !r.Cumulative || n == 0 {
		return text
	}
	if n < len(text) && text[n] == '*' && equal(r.old.Digest, t.vault.digest(r.key, cumulativeMark+text[:n])) {
		return text[n+1:]
	}
	// The gateway lost or rewrote what came before: the last input is all that
	// can be known.
	return text[strings.LastIndexByte(text, '*')+1:]
}

// What a turn's digest is made of: its cumulative text, or its id.
const (
	cumulativeMark = "text:"
	idMark         = "id:"
)

// mark tells the turn from all others of its session.
func (turn Turn) mark() string {
	if turn.Cumulative {
		return cumulativeMark + turn.Text
	}
	return idMark + turn.ID
}

// length is how much of the next turn's text is known already.
func (turn Turn) length() int {
	if turn.Cumulative {
		return len(turn.Text)
	}
	return 0
}
