package session_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// guestbook is a service with a question, a secret and an effect.
type guestbook struct {
	mu      sync.Mutex
	entries map[string]string // turn → what was written
}

func (g *guestbook) service() dialog.Flow {
	raw := func(text string) dialog.Message { return dialog.Raw("title", text) }
	return dialog.Flow{
		Name:  "guestbook",
		Entry: dialog.Option{Label: dialog.Say("dialog.main_title"), Next: dialog.Go("guestbook.name")},
		Nodes: []dialog.Node{
			{ID: "guestbook.name", Plain: func(*dialog.Turn) dialog.Screen {
				return dialog.Screen{Body: []dialog.Message{raw("Name?")}, Ask: dialog.AskText}
			}, Answer: func(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
				return dialog.Go("guestbook.code", "name", input), nil
			}},
			{ID: "guestbook.code", Show: func(context.Context, *dialog.Turn) (dialog.Screen, error) {
				return dialog.Screen{Body: []dialog.Message{raw("Code?")}, Ask: dialog.AskSecret}, nil
			}, Answer: func(_ context.Context, t *dialog.Turn, _ string) (dialog.Next, error) {
				return dialog.Go("guestbook.write"), nil
			}},
			{ID: "guestbook.write", Do: func(_ context.Context, t *dialog.Turn) (dialog.Next, error) {
				g.mu.Lock()
				defer g.mu.Unlock()
				g.entries[t.Key()] = t.Get("name")
				return dialog.Done("guestbook.thanks"), nil
			}},
			{ID: "guestbook.thanks", Show: func(_ context.Context, t *dialog.Turn) (dialog.Screen, error) {
				return dialog.Screen{Body: []dialog.Message{raw("Thanks, " + t.Get("name"))}, End: true}, nil
			}},
		},
		Commands: []dialog.Command{{Words: []string{"guest"}, Node: "guestbook.code", Arg: "name", Bare: "guestbook.name"}},
	}
}

type remembered struct{ profiles }

// holders are profiles whose number changes hands; asked counts the questions.
type holders struct {
	remembered
	tenure, asked *atomic.Int64
	left          *atomic.Bool // the phone is proved for nobody any more
}

func (h holders) Holds(context.Context, caller.Caller, string) (bool, error) {
	return !h.left.Load(), nil
}

func (h holders) Profile(ctx context.Context, phone string) (dialog.Profile, error) {
	profile, err := h.remembered.Profile(ctx, phone)
	profile.Tenure = h.tenure.Load()
	h.asked.Add(1)
	return profile, err
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (remembered) SetLocale(context.Context, string, locales.Locale, string) error { return nil }

// spoken is Conversations on the real engine, in English for all phones.
func spoken(t *testing.T, store session.Store) (*world, *guestbook) {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	book := &guestbook{entries: map[string]string{}}
	w := &world{events: &events{}, store: store, Clock: testworld.NewClock(time.Now()), languages: profiles{aigul: locales.EN}}
	w.spoken, err = dialog.New(catalogue, dialog.Options{Profiles: remembered{w.languages}, Log: quiet()}, book.service())
	if err != nil {
		t.Fatal(err)
	}
	w.Conversations = w.beside(t)
	return w, book
}

// beside is one more instance on the store, the engine and the clock of w.
func (w *world) beside(t *testing.T) *session.Conversations {
	t.Helper()
	conversations, err := session.New(session.Deps{
		Engine: w.spoken, Store: w.store, Trail: w.events, Texts: sentences{}, Secret: secret,
		Profiles: holders{remembered: remembered{w.languages}, tenure: &w.tenure, asked: &w.looked, left: new(atomic.Bool)},
		Window:   session.DefaultWindow, Now: w.Now, Log: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return conversations
}

var screen = dialog.Budget{Septets: 182, Units: 80}

// ask sends each text twice, as an impatient gateway does.
func (w *world) ask(t *testing.T, text, want string) {
	t.Helper()
	turn := w.turn(aigul, text)
	turn.Budget = screen
	for range 2 {
		answer, err := w.Turn(t.Context(), turn)
		if err != nil || !strings.Contains(answer.Text, want) || !screen.Fits(answer.Text) {
			t.Errorf("%q was answered %q, %v; want %q", text, answer.Text, err, want)
		}
	}
}

func TestRealEngine(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, book := spoken(t, store)
		w.ask(t, "", "1 Eshik")
		w.ask(t, "1", "Name?")
		w.ask(t, "1*A*B", "Code?")
		w.ask(t, "1*A*B*482913", "Thanks, A*B")
		if len(book.entries) != 1 {
			t.Errorf("written: %v", book.entries)
		}
		if n := w.events.count("done"); n == 0 || w.events.count("abandoned") != 0 {
			t.Errorf("%d steps done: %+v", n, w.events.kept)
		}
	})
}

// A session that was lost on the way (the process was killed, Redis flushed) is
// walked again from the text the gateway keeps sending, up to where it would
// need the citizen's secret or have an effect.
func TestLostSessionGoesOn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		before, book := spoken(t, session.NewMemory())
		before.ask(t, "", "1 Eshik")
		before.ask(t, "1", "Name?")
		after, newBook := spoken(t, store)
		after.ask(t, "1*Aigul", "Code?")
		lost, _ := spoken(t, session.NewMemory())
		lost.ask(t, "1*Aigul*482913", "Code?")
		if len(book.entries)+len(newBook.entries) != 0 {
			t.Error("a walk through a lost conversation had an effect")
		}
	})
}

// An answer says whether the text was understood, as often as it is asked for.
func TestUnclearTurns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		for i, step := range []struct {
			text    string
			unclear bool
		}{{"guest Aigul", false}, {"482913", false}, {"what is this", true}, {"GUEST", false}} {
			turn := w.turn(aigul, step.text)
			turn.Session, turn.Cumulative, turn.ID, turn.Budget = "sms", false, step.text, dialog.Budget{Septets: 459, Units: 201}
			turn.Channel = "sms"
			for range 2 {
				if answer, err := w.Turn(t.Context(), turn); err != nil || answer.Unclear != step.unclear {
					t.Errorf("message %d was answered %+v, %v", i, answer, err)
				}
			}
		}
		for text, want := range map[string]bool{"HELP": true, "guest": false} {
			if s, err := w.Standing(t.Context(), w.turn(aigul, text), locales.KY); err != nil || s != (dialog.Standing{Help: want}) {
				t.Errorf("%q is %+v, %v", text, s, err)
			}
		}
	})
}

// The word of a message stands for the very turn that took it, whose answer a killed process
// may not have kept, and for no other.
func TestAWordThatWasTakenStands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		block := func(id string) session.Turn {
			turn := w.turn(aigul, "block")
			turn.Session, turn.Cumulative, turn.ID, turn.Channel = "sms", false, id, caller.SMS
			return turn
		}
		for _, step := range []struct {
			id   string
			take bool
			want bool
		}{{"m1", true, false}, {"m1", false, true}, {"m2", false, false}} {
			s, err := w.Standing(t.Context(), block(step.id), locales.KY)
			if err != nil || !s.Told || s.Acts != step.want {
				t.Errorf("%s stands as %+v, %v", step.id, s, err)
			}
			if step.take {
				if _, err := w.Turn(t.Context(), block(step.id)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestRealEngineBySMS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, book := spoken(t, store)
		for i, step := range []struct{ text, want string }{
			{"guest Aigul", "Code?"}, {"482913", "Thanks, Aigul"}, {"GUEST", "Name?"}, {"Bakyt*2", "Code?"},
		} {
			turn := w.turn(aigul, step.text)
			turn.Session, turn.Cumulative, turn.ID, turn.Budget = "sms", false, step.text, dialog.Budget{Septets: 459, Units: 201}
			turn.Channel = "sms"
			for range 2 {
				if answer, err := w.Turn(t.Context(), turn); err != nil || !strings.Contains(answer.Text, step.want) {
					t.Errorf("message %d was answered %q, %v; want %q", i, answer.Text, err, step.want)
				}
			}
		}
		if err := w.Sweep(t.Context(), w.Now().Add(30*time.Minute)); err != nil {
			t.Error(err)
		}
		if len(book.entries) != 1 || w.events.count("abandoned") != 1 {
			t.Errorf("written %v, %d abandoned", book.entries, w.events.count("abandoned"))
		}
	})
}
