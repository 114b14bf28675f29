package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// dial is a request of a USSD session by name.
func (w *world) dial(t *testing.T, name, text string) session.Answer {
	t.Helper()
	turn := w.turn(aigul, text)
	turn.Session, turn.Budget = name, screen
	return w.take(t, turn)
}

func (w *world) take(t *testing.T, turn session.Turn) session.Answer {
	t.Helper()
	answer, err := w.Turn(t.Context(), turn)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// sms is a text message.
func (w *world) sms(t *testing.T, id, text string) session.Answer {
	t.Helper()
	turn := w.turn(aigul, text)
	turn.Channel, turn.Cumulative, turn.ID, turn.Lifetime = caller.SMS, false, id, 24*time.Hour
	turn.Budget = dialog.Budget{Septets: 459, Units: 201}
	return w.take(t, turn)
}

func want(t *testing.T, got session.Answer, text string) {
	t.Helper()
	if !strings.Contains(got.Text, text) {
		t.Errorf("answered %q, want %q", got.Text, text)
	}
}

const question = "Continue where you stopped?"

func TestRedialContinues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, book := spoken(t, store)
		w.dial(t, "s1", "")
		w.dial(t, "s1", "1")
		want(t, w.dial(t, "s1", "1*Aigul"), "Code?")
		if err := w.Ended(t.Context(), "s1", aigul, w.Now()); err != nil {
			t.Fatal(err)
		}
		w.Pass(5 * time.Minute)
		want(t, w.dial(t, "s2", ""), question)
		want(t, w.dial(t, "s2", ""), question) // the gateway's retry
		want(t, w.dial(t, "s2", "1"), "Code?") // the secret is asked for again
		want(t, w.dial(t, "s2", "1*482913"), "Thanks, Aigul")
		if len(book.entries) != 1 || w.events.count("abandoned") != 0 {
			t.Errorf("written %v, %d abandoned", book.entries, w.events.count("abandoned"))
		}
		if late := w.dial(t, "s1", "1*Aigul"); late.Text != "dialog.session_over" || !late.End {
			t.Errorf("a request of the session before was answered %+v", late)
		}
		want(t, w.dial(t, "s2", "1*482913"), "Thanks, Aigul")
	})
}

func TestRedialBeginsAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		w.dial(t, "s1", "")
		w.dial(t, "s1", "1")
		want(t, w.dial(t, "s2", ""), question)
		want(t, w.dial(t, "s2", "0"), "Eshik")
		if n := w.events.count("abandoned"); n != 1 {
			t.Errorf("the conversation that was given up counts %d times", n)
		}
		w.dial(t, "s2", "0*1")
		w.Pass(session.DefaultWindow + time.Second)
		want(t, w.dial(t, "s3", ""), "1 Eshik") // too long ago
		if n := w.events.count("abandoned"); n != 2 {
			t.Errorf("two conversations were given up, %d counted", n)
		}
		want(t, w.dial(t, "s4", "1"), "Name?") // a dialled path goes where it says
		if err := w.Sweep(t.Context(), w.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := w.events.count("abandoned"); n != 4 {
			t.Errorf("four conversations were given up, %d counted", n)
		}
	})
}

func TestUSSDGoesOnBySMS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, book := spoken(t, store)
		w.dial(t, "s1", "")
		w.dial(t, "s1", "1")
		w.dial(t, "s1", "1*Aigul")
		w.Pass(4 * time.Minute) // the session is over
		want(t, w.sms(t, "SM1", "hello"), question)
		want(t, w.sms(t, "SM2", "1"), "Code?")
		want(t, w.sms(t, "SM3", "482913"), "Thanks, Aigul")
		want(t, w.sms(t, "SM2", "1"), "Thanks, Aigul") // a duplicate
		want(t, w.dial(t, "s2", ""), "1 Eshik")
		if len(book.entries) != 1 || w.events.count("abandoned") != 0 {
			t.Errorf("written %v, %d abandoned", book.entries, w.events.count("abandoned"))
		}
	})
}

// A text that comes while the session over USSD is still under way has a conversation of
// its own.
func TestChannelsSideBySide(t *testing.T) {
	t.Parallel()
	w, _ := spoken(t, session.NewMemory())
	w.dial(t, "s1", "")
	w.dial(t, "s1", "1")
	want(t, w.sms(t, "SM1", "hello"), "1 Eshik")
	want(t, w.sms(t, "SM2", "1"), "Name?")
	want(t, w.dial(t, "s1", "1*Aigul"), "Code?")
	want(t, w.sms(t, "SM3", "Bakyt"), "Code?")
}

func TestAnotherSIMInheritsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		turn := w.turn(aigul, "1")
		turn.Session, turn.Subscriber, turn.Budget = "s1", "437050000000001", screen
		w.take(t, turn)
		turn.Session, turn.Text, turn.Subscriber = "s2", "", "437050000000002"
		want(t, w.take(t, turn), "1 Eshik")
	})
}

func TestAnotherHolderInheritsNothing(t *testing.T) {
	t.Parallel()
	w, _ := spoken(t, session.NewMemory())
	w.dial(t, "s1", "1")
	w.tenure.Add(1)
	want(t, w.dial(t, "s2", ""), "1 Eshik")
	w.dial(t, "s2", "1")
	want(t, w.dial(t, "s3", ""), question)
}

// A conversation by SMS waits for a day: whoever gets the number meanwhile is not in it.
func TestAnotherHolderIsNotInTheConversationBySMS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		w.sms(t, "SM1", "hello")
		want(t, w.sms(t, "SM2", "1"), "Name?")
		w.Pass(time.Hour)
		w.tenure.Add(1)
		want(t, w.sms(t, "SM3", "Elena"), "1 Eshik") // what a stranger sees first
	})
}

// A gateway that gives its requests no identity repeats a text faster than a
// person reads; a person may well give two equal answers.
func TestBlindGateway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		turn := w.turn(aigul, "")
		turn.Cumulative, turn.Start = false, true
		first := w.take(t, turn)
		if again := w.take(t, turn); again != first {
			t.Errorf("a repeated start was answered %+v", again)
		}
		turn.Start, turn.Text = false, "1"
		for range 3 {
			w.Pass(2 * time.Second)
			turn.Now = w.Now()
			one := w.take(t, turn)
			turn.Now = w.Now().Add(500 * time.Millisecond)
			if again := w.take(t, turn); again != one {
				t.Errorf("a retry was answered %+v, first %+v", again, one)
			}
		}
		if w.engine.calls != 4 || len(w.engine.effects) != 4 {
			t.Errorf("4 turns made %d calls of %d turns", w.engine.calls, len(w.engine.effects))
		}
		turn.Start, turn.Text, turn.Now = true, "2*1", w.Now().Add(3*time.Second)
		want(t, w.take(t, turn), "dialled=[2 1]")
	})
}

// A state that a newer build wrote, or whose screen this one lacks, restarts with
// a word about it.
func TestNewerStateRestartsPolitely(t *testing.T) {
	t.Parallel()
	engine := &newer{echo: echo{effects: map[string]int{}}}
	w := &world{events: &events{}, engine: &engine.echo, store: session.NewMemory(), Clock: testworld.NewClock(time.Now())}
	conversations, err := session.New(session.Deps{
		Engine: engine, Store: w.store, Profiles: profiles{}, Trail: w.events, Texts: sentences{},
		Secret: secret, Now: w.Now, Log: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Conversations = conversations
	w.say(t, aigul, "")
	w.say(t, aigul, "1")
	if !engine.restarted {
		t.Error("a conversation of a newer build went on as if nothing were")
	}
}

// newer writes states of a version to come.
type newer struct {
	echo
	restarted bool
}

func (n *newer) Next(ctx context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error) {
	n.restarted = n.restarted || in.Restarted
	reply, err := n.echo.Next(ctx, c, st, in)
	st.Version = dialog.StateVersion + 1
	return reply, err
}
