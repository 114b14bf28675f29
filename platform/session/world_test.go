package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/testworld"
)

const (
	aigul = testworld.Aigul
	bakyt = testworld.Bakyt
)

// echo is an engine whose screens say what reached it, so that a test sees what
// the session made of a request. Its effects are keyed by turn, as a service's, and
// every step has one.
type echo struct {
	mu      sync.Mutex
	calls   int
	effects map[string]int // turn → calls
	last    dialog.Input
}

func (e *echo) Next(_ context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error) {
	e.mu.Lock()
	e.calls++
	e.effects[c.Key]++
	e.last = in
	e.mu.Unlock()
	if in.Text == "fail" {
		return dialog.Reply{}, errors.New("planned")
	}
	if st.Memory == nil {
		st.Memory = map[string]string{"phone": c.Phone[len(c.Phone)-1:]}
	}
	st.Memory["n"] += "."
	st.Node, st.Shown = "echo.screen", c.Now.UnixMicro()
	text := fmt.Sprintf("%s%d start=%v dialled=%v text=%s", st.Memory["phone"], len(st.Memory["n"]), in.Start, in.Dialled, in.Text)
	if strings.HasPrefix(in.Text, "secret") {
		text = "thank you"
	}
	step := dialog.Step{Service: "echo", Node: "echo.screen", Outcome: dialog.OutcomeDone, Started: c.Now.Add(-time.Second)}
	return dialog.Reply{Text: text, End: in.Text == "end", Steps: []dialog.Step{step}, Unclear: in.Text == "what?"}, nil
}

// Waits implements session.Engine.
func (e *echo) Waits(caller.Channel, *dialog.State, dialog.Input) bool { return true }

// Standing implements session.Engine.
func (e *echo) Standing(_ context.Context, _ caller.Caller, text string) (dialog.Standing, error) {
	return dialog.Standing{Help: text == "help", Told: text == "block"}, nil
}

// Dropped: nothing of an echo is worth continuing.
func (e *echo) Dropped(*dialog.State) *dialog.State { return nil }

func (e *echo) Abandoned(st *dialog.State) []dialog.Step {
	return []dialog.Step{{Service: "echo", Node: st.Node, Outcome: dialog.OutcomeAbandoned, Started: time.UnixMicro(st.Shown)}}
}

// sentences gives back the key.
type sentences struct{}

func (sentences) Text(_ locales.Locale, key string, _ ...any) string { return key }

func (sentences) Message(_ locales.Locale, key string, _ ...any) (full, short string) {
	return key, key
}

type profiles map[string]locales.Locale

func (profiles) Holds(context.Context, caller.Caller, string) (bool, error) { return true, nil }

func (p profiles) Profile(_ context.Context, phone string) (dialog.Profile, error) {
	return dialog.Profile{Locale: p[phone]}, nil
}

// events is a recorder that keeps what it is told.
type events struct {
	mu   sync.Mutex
	kept []analytics.Event
}

func (e *events) Later(event analytics.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = append(e.kept, event)
}

func (e *events) count(outcome string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.kept {
		if event.Outcome == outcome {
			n++
		}
	}
	return n
}

// world is Conversations on a store with everything else made for the test.
type world struct {
	*testworld.Clock
	*session.Conversations
	engine    *echo
	spoken    *dialog.Engine // instead of it; see spoken
	events    *events
	store     session.Store
	tenure    atomic.Int64 // of every number
	looked    atomic.Int64 // for a profile
	languages profiles
}

var secret = []byte("a secret of thirty-two bytes ....")

func newWorld(t testing.TB, store session.Store) *world {
	t.Helper()
	// The store's clock is a real one where it is Redis.
	w := &world{engine: &echo{effects: map[string]int{}}, events: &events{}, store: store, Clock: testworld.NewClock(time.Now())}
	w.Conversations = newConversations(t, w, secret)
	return w
}

func newConversations(t testing.TB, w *world, secret []byte) *session.Conversations {
	t.Helper()
	conversations, err := session.New(deps(w, secret))
	if err != nil {
		t.Fatal(err)
	}
	return conversations
}

// deps are what conversations of w stand on.
func deps(w *world, secret []byte) session.Deps {
	return session.Deps{
		Engine: w.engine, Store: w.store, Profiles: profiles{}, Trail: w.events, Texts: sentences{},
		Secret: secret, Window: session.DefaultWindow, Now: w.Now, Log: slog.New(slog.DiscardHandler),
	}
}

func (w *world) turn(phone, text string) session.Turn {
	return session.Turn{
		Session: "gw/s1", Phone: phone, Channel: caller.USSD, Gateway: "gw", Operator: "MegaCom",
		Text: text, Cumulative: true, Lifetime: 3 * time.Minute, Now: w.Now(),
	}
}

func (w *world) say(t testing.TB, phone, text string) session.Answer {
	t.Helper()
	answer, err := w.Turn(context.Background(), w.turn(phone, text))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (w *world) text(t testing.TB, phone, id, text string) session.Answer {
	t.Helper()
	turn := w.turn(phone, text)
	turn.Session, turn.Channel, turn.Cumulative, turn.ID = "sms", caller.SMS, false, id
	answer, err := w.Turn(context.Background(), turn)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func (w *world) expect(t testing.TB, phone, text, want string) {
	t.Helper()
	if got := w.say(t, phone, text); got.Text != want {
		t.Errorf("%q was answered %q, want %q", text, got.Text, want)
	}
}
