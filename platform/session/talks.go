package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/keylock"
)

// Engine is the dialog engine, as *dialog.Engine implements it.
type Engine interface {
	Waits(channel caller.Channel, st *dialog.State, in dialog.Input) bool
	Next(ctx context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error)
	Dropped(st *dialog.State) *dialog.State
	Abandoned(st *dialog.State) []dialog.Step
	Helps(text string) bool
}

// Profiles knows the language a phone chose earlier, and how often the number
// changed hands.
type Profiles interface {
	Profile(ctx context.Context, phone string) (dialog.Profile, error)
}

// Recorder counts a finished or abandoned step, some time later.
type Recorder interface {
	Later(e analytics.Event)
}

// Sentences gives the words for what no screen can say, as *locales.Catalogue
// does.
type Sentences interface {
	Text(loc locales.Locale, key string, args ...any) string
	Message(loc locales.Locale, key string, args ...any) (full, short string)
}

// Turn is one request of a channel.
type Turn struct {
	// Session names the conversation among all of its phone's: the gateway and
	// its session id. A talk by SMS needs none: a phone has one.
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
	// ID identifies the request where Text does not: a retry has the same. With
	// neither Cumulative nor ID a retry is the same text once more before a
	// person can have read the answer.
	ID string
	// Start says that the gateway began the session with this request; without
	// Cumulative, Text is then what was dialled after the short code, if anything.
	Start bool
	// Subscriber is the SIM's identity (IMSI) where the gateway tells it: a talk
	// is not continued on another SIM. It is digested, never kept.
	Subscriber string
	// Proof is what the request was signed with; zero where nobody signs.
	Proof  Proof
	Budget dialog.Budget
	// Lifetime is how long the talk waits for the next turn.
	Lifetime time.Duration
	Now      time.Time
}

// Proof is a request's signature: it makes the request one that is taken once.
type Proof struct {
	MAC string
	// Until is when the signature itself is refused, for its age.
	Until time.Time
}

// ErrReplayed reports a signed request that was taken before, and comes again
// when the gateway has long had the answer.
var ErrReplayed = errors.New("the signed request was taken before")

// Answer is what the channel says to the citizen.
type Answer struct {
	Text string
	// End closes the conversation.
	End bool
	// Node is the step of the conversation that is shown ("fine.list"): fit for
	// logs and gateways' statistics.
	Node string
	// Unclear says that the request chose, asked and answered nothing: see
	// dialog.Reply.
	Unclear bool
}

const (
	// DefaultWindow is how long a talk that broke off can be continued.
	DefaultWindow = 15 * time.Minute
	// versionSpread is how many versions a save draws from, as microseconds.
	versionSpread = 1 << 16
	// conflicts bounds how often a turn starts over because another instance
	// saved the same phone's talks first.
	conflicts = 5
	// readingTime is less than any person takes to read a screen and answer it.
	readingTime = time.Second
)

// Deps are what Talks stand on; Deferred may be nil.
type Deps struct {
	Engine    Engine
	Store     Store
	Profiles  Profiles
	Recorder  Recorder
	Sentences Sentences
	// Secret (32 bytes or more) keys the digests that stand for phones, sessions
	// and inputs, and seals what is stored: with another secret all stored talks
	// start over.
	Secret []byte
	// Window is how long a talk that broke off can be continued; zero: never.
	Window time.Duration
	// Deferred, unless nil, sends the answer of a slow step by SMS.
	Deferred *Deferred
	Now      func() time.Time
	Log      *slog.Logger
}

// Talks runs conversations turn by turn. It is safe for concurrent use.
type Talks struct {
	Deps
	vault    *vault
	busy     keylock.Locks // by the phone's key
	patience sync.Pool     // of *patience
	recent   *recent
}

// NewTalks makes Talks.
func NewTalks(deps Deps) (*Talks, error) {
	v, err := newVault(deps.Secret)
	if err != nil {
		return nil, err
	}
	return &Talks{Deps: deps, vault: v, recent: newRecent(), patience: sync.Pool{New: newPatience}}, nil
}

// Turn answers one request. A gateway's retry (the same session, position and
// text) gets the stored answer and has no effect. An error means that nothing
// was saved: the request may be sent again.
func (t *Talks) Turn(ctx context.Context, turn Turn) (Answer, error) {
	if turn.Channel == caller.SMS && turn.ID == "" {
		return Answer{}, errors.New("a turn by SMS needs the message's id")
	}
	key := t.vault.key(turn.Phone)
	held, err := t.busy.Lock(ctx, key)
	if err != nil {
		return Answer{}, fmt.Errorf("wait for the phone's turn before: %w", err)
	}
	defer held.Unlock()
	if answer, taken := t.shortcut(ctx, key, turn); taken {
		return answer, nil
	}
	for range conflicts {
		answer, err := t.attempt(ctx, key, turn)
		if !errors.Is(err, ErrConflict) {
			return answer, err
		}
	}
	return Answer{}, fmt.Errorf("take a turn: %w", ErrConflict)
}

// attempt loads, runs and saves one turn.
func (t *Talks) attempt(ctx context.Context, key string, turn Turn) (Answer, error) {
	r, err := t.load(ctx, key, turn)
	if err != nil {
		return Answer{}, err
	}
	switch {
	case r.isReplay():
		return Answer{}, ErrReplayed
	case r.isLate():
		text := t.Sentences.Text(spoken(r.old), "dialog.session_over")
		return Answer{Text: text, End: true}, nil
	case r.isLive() && r.isRetry():
		return t.repeat(ctx, r)
	case r.isLive() && !r.old.Over && !r.Start && !r.betterElsewhere(t.Window):
		same, err := t.sameHolder(ctx, r)
		if err != nil {
			return Answer{}, err
		}
		if same {
			input, _ := t.newInput(r)
			return t.goOn(ctx, r, input)
		}
	}
	return t.start(ctx, r)
}

// sameHolder reports that the number is still that of the person whose talk it is.
// A talk by SMS waits for a day, a USSD session for less than a minute.
func (t *Talks) sameHolder(ctx context.Context, r *round) (bool, error) {
	if r.Channel != caller.SMS {
		return true, nil
	}
	profile, err := t.read(ctx, r)
	if err != nil {
		return false, fmt.Errorf("look whose number it is: %w", err)
	}
	return profile.Tenure == r.old.Tenure, nil
}

// spoken is the language of a stored talk.
func spoken(old *talk) locales.Locale {
	state, err := dialog.Decode(old.State)
	if err != nil {
		return spokenIn("")
	}
	return spokenIn(state.Locale)
}

// goOn runs the next turn of a talk.
func (t *Talks) goOn(ctx context.Context, r *round, input string) (Answer, error) {
	state, err := dialog.Decode(r.old.State)
	if err != nil && r.remembered {
		return Answer{}, err
	}
	if err != nil {
		t.Log.Warn("a stored talk cannot be read and starts over", "error", err)
		r.old, r.restarted = nil, true
		return t.start(ctx, r)
	}
	return t.run(ctx, r, step{
		state: state, before: r.old.State, secret: state.Sensitive(),
		in: dialog.Input{Text: input, Locale: t.chosen(ctx, r, state), Budget: r.Budget},
	})
}

// chosen is the language that the phone chose elsewhere since its talk asked for one;
// empty while it did not, or where the talk has one.
func (t *Talks) chosen(ctx context.Context, r *round, state *dialog.State) locales.Locale {
	if state.Locale != "" {
		return ""
	}
	profile, err := t.profile(ctx, r)
	if err != nil { // the question stands
		t.Log.Warn("the phone's profile cannot be read", "error", err)
	}
	return profile.Locale
}

// start begins a talk anew, in the language the phone chose earlier. A first
// request with text in it is a dialled string (*1414*2*1#), or a talk whose
// session was lost: its choices are walked again, without effects, unless the first
// of them were none of the main menu.
func (t *Talks) start(ctx context.Context, r *round) (Answer, error) {
	profile, err := t.profile(ctx, r)
	if err != nil {
		// Without the profile the talk asks for the language, and goes on.
		t.Log.Warn("the phone's profile cannot be read", "error", err)
	}
	r.tenure = profile.Tenure
	dialled := r.dialled()
	if r.lost(profile) {
		dialled = nil
	}
	s := step{state: dialog.NewState(profile.Locale), in: dialog.Input{
		Start: true, Text: r.startText(), Dialled: dialled, Restarted: r.restarted, Budget: r.Budget,
	}}
	if err == nil {
		s.in.Earlier, s.before = t.dropped(r)
		s.secret = s.in.Sensitive()
	}
	return t.run(ctx, r, s)
}

// profile is what is known of the phone, asked anew where that may be too old.
func (t *Talks) profile(ctx context.Context, r *round) (dialog.Profile, error) {
	if profile, fresh := r.book.Known.profile(r.Now); fresh && !t.breaksOff(r) {
		return profile, nil
	}
	return t.read(ctx, r)
}

// read asks for the phone's profile and notes it.
func (t *Talks) read(ctx context.Context, r *round) (dialog.Profile, error) {
	profile, err := t.Profiles.Profile(ctx, r.Phone)
	if err == nil {
		r.book.Known = &known{Locale: profile.Locale, Tenure: profile.Tenure, Read: r.Now.UnixMicro()}
	}
	return profile, err
}

// save puts the phone's talks over what was loaded, also when the request's own
// time is over: the turn's effects are done by then. Stores bound their own time.
func (t *Talks) save(ctx context.Context, r *round) error {
	t.prune(r)
	data := t.vault.seal(r.key, r.book.encode())
	// A version that follows the clock is not met again after a record was
	// deleted and made anew; nor, for the number drawn, after a fail-over that lost
	// records, where clocks differ.
	version := max(r.rec.Version, r.Now.UnixMicro()) + 1 + rand.Int64N(versionSpread) // #nosec G404 -- to differ, not to be secret
	rec := Record{Version: version, Expires: r.book.keep(), Data: data}
	put := t.Store.Save
	if r.remembered {
		put = t.Store.Replace
	}
	if err := put(context.WithoutCancel(ctx), r.key, rec, r.rec.Version); err != nil {
		return err
	}
	if own, _ := r.book.slots(r.Channel); r.Cumulative && !(*own).Over {
		t.recent.keep(r.key, rec)
	}
	for _, lapsed := range r.lapsed {
		t.abandon(lapsed)
	}
	return nil
}
