package session_test

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/session"
)

// One request that arrives 64 times at once at two instances has one effect and
// 64 equal answers.
func TestDuplicatesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		instances := []*session.Conversations{w.Conversations, newConversations(t, w, secret)}
		w.say(t, aigul, "")
		answers := make([]session.Answer, 64)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				var err error
				if answers[i], err = instances[i%2].Turn(context.Background(), w.turn(aigul, "1")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for i, answer := range answers {
			if answer != answers[0] {
				t.Errorf("answer %d is %+v, answer 0 %+v", i, answer, answers[0])
			}
		}
		if len(w.engine.effects) != 2 || w.events.count("done") != 2 {
			t.Errorf("2 turns made %d effects and %d events", len(w.engine.effects), w.events.count("done"))
		}
		if w.engine.calls > 3 {
			t.Errorf("the engine ran %d times; each instance may run a turn once", w.engine.calls)
		}
		w.expect(t, aigul, "1*2", "13 start=false dialled=[] text=2")
	})
}

// Two callers whose gateway uses one session id, with 64 requests under way,
// never see each other's screens.
func TestTwoCallersAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w := newWorld(t, store)
		var all sync.WaitGroup
		for i := range 64 {
			phone := []string{aigul, bakyt}[i%2]
			all.Go(func() {
				text := ""
				for step := range 10 {
					answer, err := w.Turn(context.Background(), w.turn(phone, text))
					if err != nil {
						t.Error(err)
						return
					}
					if !strings.HasPrefix(answer.Text, phone[len(phone)-1:]) {
						t.Errorf("%s saw %q", phone, answer.Text)
					}
					text = strings.TrimPrefix(text+"*"+strconv.Itoa(step), "*")
				}
			})
		}
		all.Wait()
		if w.engine.calls != 20 {
			t.Errorf("2 conversations of 10 turns made %d calls", w.engine.calls)
		}
	})
}

// A slow turn holds up its duplicates for as long as they care to wait, and
// nobody else.
func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	slow := &slowStore{Store: session.NewMemory(), reached: make(chan struct{}), release: make(chan struct{})}
	w := newWorld(t, slow)
	var first sync.WaitGroup
	first.Go(func() { w.say(t, aigul, "") })
	<-slow.reached
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := w.Turn(ctx, w.turn(aigul, "")); err == nil {
		t.Error("a duplicate did not wait")
	}
	w.say(t, bakyt, "")
	close(slow.release)
	first.Wait()
	if w.engine.calls != 2 {
		t.Errorf("the engine ran %d times, want 2", w.engine.calls)
	}
}

// slowStore holds the first Load until it is released.
type slowStore struct {
	session.Store
	begun            atomic.Bool
	reached, release chan struct{}
}

func (s *slowStore) Load(ctx context.Context, key string) (session.Record, error) {
	if s.begun.CompareAndSwap(false, true) {
		close(s.reached)
		<-s.release
	}
	return s.Store.Load(ctx, key)
}

// Nothing that was typed, no phone, no session id and no screen can be read in
// the store.
func TestNothingReadableIsStored(t *testing.T) {
	t.Parallel()
	canaries := []string{"secret-canary-11503198800011", "5550000", "sessioncanary", "thank you", "echo.screen"}
	seen := &spy{Store: session.NewMemory()}
	client, prefix := newRedis(t)
	w := newWorld(t, seen)
	use := func() {
		for _, text := range []string{"", "1", "1*secret-canary-11503198800011"} {
			turn := w.turn(aigul, text)
			turn.Session = "gw/sessioncanary"
			if _, err := w.Turn(context.Background(), turn); err != nil {
				t.Fatal(err)
			}
		}
	}
	use()
	w = newWorld(t, onRedis(t, client, prefix))
	use()
	stored := seen.all
	for _, key := range redisKeys(t, client, prefix) {
		dump, err := client.Dump(context.Background(), key).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		stored = append(append(stored, key...), dump...)
	}
	for _, canary := range canaries {
		if bytes.Contains(stored, []byte(canary)) {
			t.Errorf("%q is readable in the store", canary)
		}
	}
	if len(stored) < 500 {
		t.Errorf("only %d bytes were stored: this test saw nothing", len(stored))
	}
}

// spy keeps every key and every byte saved.
type spy struct {
	session.Store
	all []byte
}

func (s *spy) Save(ctx context.Context, key string, rec session.Record, expect int64) error {
	s.all = append(append(s.all, key...), rec.Data...)
	return s.Store.Save(ctx, key, rec, expect)
}
