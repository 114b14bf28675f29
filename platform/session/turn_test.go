package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/session"
)

func TestNewInputIsWhatFollows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		w.expect(t, aigul, "", "11 start=true dialled=[] text=")
		w.expect(t, aigul, "2", "12 start=false dialled=[] text=2")
		w.expect(t, aigul, "2*flat 5*6, house 7", "13 start=false dialled=[] text=flat 5*6, house 7")
		w.expect(t, aigul, "2*flat 5*6, house 7*", "14 start=false dialled=[] text=")
		w.expect(t, aigul, "2*flat 5*6, house 7***", "15 start=false dialled=[] text=*")
		long := strings.Repeat("ж", 10000)
		w.expect(t, aigul, "2*flat 5*6, house 7****"+long, "16 start=false dialled=[] text="+long)
	})
}

func TestDeepDial(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		w.expect(t, aigul, "2*1", "11 start=true dialled=[2 1] text=")
		w.expect(t, aigul, "2*1*9", "12 start=false dialled=[] text=9")
		w.say(t, bakyt, strings.Repeat("1*", 5000))
		if n := len(w.engine.last.Dialled); n != 32 {
			t.Errorf("%d choices were taken from one dialled string, want 32", n)
		}
	})
}

func TestRetryHasOneEffect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		for _, text := range []string{"", "1", "1*2", "1*2*end"} {
			first := w.say(t, aigul, text)
			for range 3 {
				if again := w.say(t, aigul, text); again != first {
					t.Errorf("a retry of %q was answered %+v, first %+v", text, again, first)
				}
			}
		}
		if w.engine.calls != 4 || w.events.count("done") != 4 {
			t.Errorf("4 turns sent 4 times each made %d calls and %d events", w.engine.calls, w.events.count("done"))
		}
	})
}

func TestLateAndRewrittenRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.NewMemory())
	w.say(t, aigul, "")
	w.say(t, aigul, "1")
	last := w.say(t, aigul, "1*22")
	if late := w.say(t, aigul, "1"); late != last || w.engine.calls != 3 {
		t.Errorf("an earlier turn that came late was answered %+v after %d calls", late, w.engine.calls)
	}
	w.expect(t, aigul, "7*22*5", "14 start=false dialled=[] text=5")
}

func TestConversationOverAndNewOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		w.text(t, aigul, "SM1", "hello")
		if end := w.text(t, aigul, "SM2", "end"); !end.End {
			t.Error("the conversation did not end")
		}
		if again := w.text(t, aigul, "SM2", "end"); !again.End || w.engine.calls != 2 {
			t.Error("the end's retry ran again")
		}
		if next := w.text(t, aigul, "SM3", "hi"); next.Text != "11 start=true dialled=[] text=hi" {
			t.Errorf("after the end: %q", next.Text)
		}
		if n := w.events.count("abandoned"); n != 0 {
			t.Errorf("%d conversations counted as abandoned", n)
		}
	})
}

// A text message that is delivered again after others came is not taken as new
// input.
func TestLateMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		for i := range 20 {
			w.text(t, aigul, fmt.Sprintf("SM%d", i), "1")
		}
		last := w.text(t, aigul, "SM19", "1")
		for i := 4; i < 20; i++ {
			if late := w.text(t, aigul, fmt.Sprintf("SM%d", i), "1"); late != last {
				t.Errorf("message %d that came late was answered %+v", i, late)
			}
		}
		if w.engine.calls != 20 {
			t.Errorf("20 messages made %d calls", w.engine.calls)
		}
	})
}

func TestTurnWithoutAnIdentityIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.NewMemory())
	turn := w.turn(aigul, "1")
	turn.Cumulative, turn.Channel = false, caller.SMS
	if _, err := w.Turn(context.Background(), turn); err == nil || w.engine.calls != 0 {
		t.Error("a message without an id was taken")
	}
}

func TestFailedTurnSavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.NewMemory())
	w.say(t, aigul, "")
	for range 2 {
		if _, err := w.Turn(context.Background(), w.turn(aigul, "fail")); err == nil {
			t.Error("the engine's error was lost")
		}
	}
	for turn, calls := range w.engine.effects {
		if len(turn) != 32 || (calls != 1 && calls != 2) {
			t.Errorf("turn %q was called %d times", turn, calls)
		}
	}
	if len(w.engine.effects) != 2 {
		t.Error("the same request sent again is another turn")
	}
}

func TestExpiredConversationStartsOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		w.say(t, aigul, "")
		w.say(t, aigul, "1")
		w.Pass(4 * time.Minute)
		w.expect(t, aigul, "1*2", "11 start=true dialled=[1 2] text=")
		if n := w.events.count("abandoned"); n != 1 {
			t.Errorf("%d conversations counted as abandoned, want 1", n)
		}
	})
}

func TestEndedBySomebody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		ctx := context.Background()
		last := w.say(t, aigul, "")
		for range 3 {
			if err := w.Ended(ctx, "gw/s1", aigul, w.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Ended(ctx, "gw/unknown", aigul, w.Now()); err != nil {
			t.Error(err)
		}
		if retry := w.say(t, aigul, ""); retry.Text != last.Text {
			t.Errorf("a retry after the end was answered %q", retry.Text)
		}
		if err := w.Sweep(ctx, w.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := w.events.count("abandoned"); n != 1 {
			t.Errorf("one conversation counted as abandoned %d times", n)
		}
	})
}

func TestSweepCountsEachOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		const conversations = 40
		for i := range conversations {
			w.say(t, fmt.Sprintf("+9965550001%02d", i), "")
		}
		w.say(t, bakyt, "")
		w.say(t, bakyt, "end")
		w.Pass(time.Minute)
		w.say(t, aigul, "") // still under way
		other := newConversations(t, w, secret)
		var both sync.WaitGroup
		for _, instance := range []*session.Conversations{w.Conversations, other, w.Conversations, other} {
			both.Go(func() {
				if err := instance.Sweep(context.Background(), w.Now().Add(150*time.Second)); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if n := w.events.count("abandoned"); n != conversations {
			t.Errorf("%d conversations counted as abandoned, want %d", n, conversations)
		}
		w.expect(t, aigul, "5", "12 start=false dialled=[] text=5")
	})
}

func TestAnotherSecretStartsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.NewMemory())
	w.say(t, aigul, "")
	w.Conversations = newConversations(t, w, []byte("another secret of 32 bytes ......"))
	w.expect(t, aigul, "1", "11 start=true dialled=[1] text=")
	if _, err := session.New(deps(w, []byte("short"))); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Error("a short secret was taken")
	}
}
