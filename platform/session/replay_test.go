package session_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/session"
)

// signed is a request of a gateway that numbers none and signs each.
func (w *world) signed(text, mac string) session.Turn {
	turn := w.turn(aigul, text)
	turn.Cumulative, turn.Start = false, text == ""
	turn.Signature = session.Signature{MAC: mac, Until: w.Now().Add(5 * time.Minute)}
	return turn
}

func (w *world) refuses(t *testing.T, conversations *session.Conversations, turn session.Turn) {
	t.Helper()
	turn.Now = w.Now()
	calls := w.engine.calls
	if answer, err := conversations.Turn(t.Context(), turn); !errors.Is(err, session.ErrReplayed) || w.engine.calls != calls {
		t.Errorf("%q at %v: %+v, %v after %d calls more", turn.Text, w.Now(), answer, err, w.engine.calls-calls)
	}
}

// A signed request that was taken is not taken again: the gateway's own retry
// gets the stored screen, and anything later is refused, at any instance, also
// when the session is over, for as long as the signature is good.
func TestReplay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		other := newConversations(t, w, secret)
		dialled := w.signed("", "mac 0")
		first := w.take(t, dialled)
		if again := w.take(t, dialled); again != first {
			t.Errorf("the retry was answered %+v, first %+v", again, first)
		}
		w.Pass(2 * time.Second)
		w.refuses(t, w.Conversations, dialled)
		one := w.signed("1", "mac 1")
		want(t, w.take(t, one), "12 ")
		w.refuses(t, other, dialled)
		w.Pass(2 * time.Second)
		w.refuses(t, other, one)
		again := w.signed("1", "mac 2") // the citizen typed it again
		want(t, w.take(t, again), "13 ")
		again.Signature.MAC = "mac 2, signed anew"
		want(t, w.take(t, again), "13 ")
		w.Pass(2 * time.Second)
		w.refuses(t, w.Conversations, one)
		w.refuses(t, w.Conversations, again)

		next := w.signed("", "mac 3")
		next.Session = "gw/s2"
		want(t, w.take(t, next), "11 ")
		w.refuses(t, w.Conversations, one)
		w.refuses(t, w.Conversations, dialled)

		w.Pass(time.Minute)
		if err := w.Ended(t.Context(), "gw/s2", aigul, w.Now()); err != nil {
			t.Fatal(err)
		}
		w.Pass(200 * time.Second) // the session expired; the signatures have half a minute left
		if err := w.Sweep(t.Context(), w.Now()); err != nil {
			t.Fatal(err)
		}
		for _, turn := range []session.Turn{dialled, one, again, next} {
			w.refuses(t, other, turn)
		}
		if w.engine.calls != 4 {
			t.Errorf("4 turns made %d calls", w.engine.calls)
		}
	})
}

// What is remembered of signatures goes with their validity.
func TestProofsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.NewMemory())
	w.take(t, w.signed("", "mac 0"))
	sizes := []int{w.stored(t)}
	for i := range 40 {
		w.Pass(2 * time.Second)
		w.take(t, w.signed("1", "mac 1"+strconv.Itoa(i)))
	}
	sizes = append(sizes, w.stored(t))
	w.refuses(t, w.Conversations, w.signed("", "mac 0")) // forty turns later
	w.Pass(5*time.Minute + time.Second)
	fresh := w.signed("", "mac 2")
	fresh.Session = "gw/s2"
	w.take(t, fresh)
	if n := w.stored(t); n > sizes[0]+300 || sizes[1] < sizes[0]+40*8 {
		t.Errorf("a record takes %v bytes, and %d when the signatures lapsed", sizes, n)
	}
}

// A signed request with a number keeps its stored screen while its session lasts,
// and begins nothing when that is over.
func TestReplayOfNumbered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		numbered := func(gateway, id, text string) session.Turn {
			turn := w.signed(text, gateway+id)
			turn.Session, turn.ID = gateway, id
			return turn
		}
		begun, one := numbered("s1", "1", ""), numbered("s1", "2", "1")
		w.take(t, begun)
		answer := w.take(t, one)
		w.Pass(10 * time.Second)
		for _, late := range []session.Turn{one, begun, one} {
			late.Now = w.Now()
			if again := w.take(t, late); again != answer {
				t.Errorf("%s sent again was answered %+v, last %+v", late.ID, again, answer)
			}
		}
		last := w.take(t, numbered("s2", "1", ""))
		w.refuses(t, w.Conversations, begun)
		w.refuses(t, w.Conversations, one)
		if again := w.take(t, numbered("s2", "1", "")); again != last || w.engine.calls != 3 {
			t.Errorf("the session under way was answered %+v after %d calls, before %+v", again, w.engine.calls, last)
		}
	})
}

// stored is the size of the one record there is.
func (w *world) stored(t *testing.T) int {
	t.Helper()
	entries, err := w.store.Expired(t.Context(), w.Now().Add(time.Hour), 2)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d records, %v", len(entries), err)
	}
	return len(entries[0].Data)
}
