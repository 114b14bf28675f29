// Package session keeps conversations between their turns. It recognises a gateway's
// retry and answers it from what was stored, finds what is new in the text a
// gateway sends, runs the dialog engine, and saves with compare-and-set, so
// that two copies of one request have one effect.
//
// Sessions may be lost (Redis may be flushed): whatever must last is in SQL. A
// lost conversation restarts politely.
package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/keylock"
	"github.com/eshik-kg/eshik/platform/needs"
)

// Engine is the dialog engine, as *dialog.Engine implements it.
type Engine interface {
	Waits(channel caller.Channel, st *dialog.State, in dialog.Input) bool
	Next(ctx context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error)
	Dropped(st *dialog.State) *dialog.State
	Abandoned(st *dialog.State) []dialog.Step
	Standing(ctx context.Context, c caller.Caller, text string) (dialog.Standing, error)
}

// Profiles knows the language a phone chose earlier, and how often the number
// changed hands.
type Profiles interface {
	Profile(ctx context.Context, phone string) (dialog.Profile, error)
	// Holds reports that the caller's phone is proved for a person, by their id, now, in the
	// caller's session.
	Holds(ctx context.Context, c caller.Caller, person string) (bool, error)
}

// Trail counts a finished or abandoned step, some time later.
type Trail interface {
	Later(e analytics.Event)
}

// Texts gives the words for what no screen can say, as *locales.Catalogue
// does.
type Texts interface {
	Text(loc locales.Locale, key string, args ...any) string
	Message(loc locales.Locale, key string, args ...any) (full, short string)
}

// Turn is one request of a channel.
type Turn struct {
	// Session names the conversation among all of its phone's: the gateway and
	// its session id. A conversation by SMS needs none: a phone has one.
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
	// Subscriber is the SIM's identity (IMSI) where the gateway tells it: a conversation
	// is not continued on another SIM. It is digested, never kept.
	Subscriber string
	// Signature is what the request was signed with; zero where nobody signs.
	Signature Signature
	Budget    dialog.Budget
	// Lifetime is how long the conversation waits for the next turn.
	Lifetime time.Duration
	Now      time.Time
}

// Signature is a request's signature: it makes the request one that is taken once.
type Signature struct {
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
	// DefaultWindow is how long a conversation that broke off can be continued.
	DefaultWindow = 15 * time.Minute
	// versionSpread is how many versions a save draws from, as microseconds.
	versionSpread = 1 << 16
	// conflicts bounds how often a turn starts over because another instance
	// saved the same phone's conversations first.
	conflicts = 5
	// readingTime is less than any person takes to read a screen and answer it.
	readingTime = time.Second
)

// Deps are what Conversations stand on; Deferred may be nil.
type Deps struct {
	Engine   Engine
	Store    Store
	Profiles Profiles
	Trail    Trail
	Texts    Texts
	// Secret (32 bytes or more) keys the digests that stand for phones, sessions
	// and inputs, and seals what is stored: with another secret all stored conversations
	// start over.
	Secret []byte
	// Window is how long a conversation that broke off can be continued; zero: never.
	Window time.Duration
	// Deferred, unless nil, sends the answer of a slow step by SMS.
	Deferred *Deferred
	Now      func() time.Time
	Log      *slog.Logger
}

// Conversations runs conversations turn by turn. It is safe for concurrent use.
type Conversations struct {
	Deps
	vault    *vault
	busy     keylock.Locks // by the phone's key
	patience sync.Pool     // of *patience
	recent   *recent
}

// New makes Conversations. Of deps only Window and Deferred may be left out.
func New(deps Deps) (*Conversations, error) {
	if err := needs.All("conversations", deps, "Window", "Deferred"); err != nil {
		return nil, err
	}
	if deps.Deferred != nil {
		if err := needs.All("deferred replies", *deps.Deferred, "Lease"); err != nil {
			return nil, err
		}
	}
	v, err := newVault(deps.Secret)
	if err != nil {
		return nil, err
	}
	return &Conversations{Deps: deps, vault: v, recent: newRecent(), patience: sync.Pool{New: newPatience}}, nil
}
