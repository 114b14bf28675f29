package session_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// shelf counts what is asked of a store.
type shelf struct {
	session.Store
	loads, saves, conflicts atomic.Int64
}

func (s *shelf) Load(ctx context.Context, key string) (session.Record, error) {
	s.loads.Add(1)
	return s.Store.Load(ctx, key)
}

func (s *shelf) Save(ctx context.Context, key string, rec session.Record, expect int64) error {
	s.saves.Add(1)
	err := s.Store.Save(ctx, key, rec, expect)
	if err != nil {
		s.conflicts.Add(1)
	}
	return err
}

func (s *shelf) Replace(ctx context.Context, key string, rec session.Record, expect int64) error {
	return s.Save(ctx, key, rec, expect)
}

func (s *shelf) expect(t *testing.T, what string, loads, saves, conflicts int64) {
	t.Helper()
	got := [3]int64{s.loads.Swap(0), s.saves.Swap(0), s.conflicts.Swap(0)}
	if got != [3]int64{loads, saves, conflicts} {
		t.Errorf("%s: %v loads, saves and conflicts, want %d, %d and %d", what, got, loads, saves, conflicts)
	}
}

// Plain screens that follow on what this instance saved are not loaded for; what
// asks somebody, has an effect, or may follow on something else is.
func TestPlainTurnsAreNotLoaded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		s := &shelf{Store: store}
		w, book := spoken(t, s)
		main := w.dial(t, "s1", "").Text
		s.expect(t, "the first turn", 1, 1, 0)
		want(t, w.dial(t, "s1", "1"), "Name?")
		s.expect(t, "a plain screen", 0, 1, 0)
		want(t, w.dial(t, "s1", "1"), "Name?")
		s.expect(t, "its retry", 1, 0, 0)
		want(t, w.dial(t, "s1", "1*0"), main)
		s.expect(t, "the next after a retry", 1, 1, 0)
		w.dial(t, "s1", "1*0*1")
		s.expect(t, "the next after that", 0, 1, 0)
		want(t, w.dial(t, "s1", "1*0*1*Asel"), "Code?")
		s.expect(t, "an answer that is taken by the service", 1, 1, 0)
		want(t, w.dial(t, "s1", "1*0*1*Asel*1234"), "Thanks, Asel")
		s.expect(t, "an effect", 1, 1, 0)
		if len(book.entries) != 1 {
			t.Errorf("the guestbook holds %v", book.entries)
		}
		w.dial(t, "s2", "")
		w.dial(t, "s2", "1")
		s.expect(t, "another session's first two", 1, 2, 0)
		want(t, w.dial(t, "s2", "7*0"), main)
		s.expect(t, "a turn after one that was lost", 1, 1, 0)
	})
}

// What an instance remembers is out of date once another has taken a turn: then
// the conversation goes on from there, over USSD and SMS.
func TestRememberedIsOutOfDate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		s := &shelf{Store: store}
		w, book := spoken(t, s)
		here, there := w.Conversations, w.beside(t)
		at := func(conversations *session.Conversations) *world { w.Conversations = conversations; return w }
		main := at(here).dial(t, "s1", "").Text
		want(t, at(there).dial(t, "s1", "1"), "Name?")
		want(t, at(here).dial(t, "s1", "1*0"), main)
		want(t, at(there).dial(t, "s1", "1*0*1"), "Name?")
		want(t, at(here).dial(t, "s1", "1*0*1*0"), main)
		s.expect(t, "in turns", 5, 5, 0)
		want(t, at(there).sms(t, "m1", "guest Bakyt"), "Code?")
		s.loads.Store(0)
		s.saves.Store(0)
		want(t, at(here).dial(t, "s1", "1*0*1*0*1"), "Name?")
		s.expect(t, "after a turn by SMS elsewhere", 1, 2, 1)
		want(t, at(there).sms(t, "m2", "1234"), "Thanks, Bakyt")
		if len(book.entries) != 1 {
			t.Errorf("the guestbook holds %v", book.entries)
		}
	})
}

// pass lets some seconds go by, as between a person's turns.
func (w *world) pass() { w.Pass(3 * time.Second) }

// confirmBySMS has a conversation by SMS come to its effect there, after the instance here
// took the last turn over USSD that it remembers.
func confirmBySMS(t *testing.T, here, there *world) {
	t.Helper()
	turns := []func(){
		func() { here.dial(t, "s1", "1") },
		func() { want(t, there.sms(t, "m1", "guest Bakyt"), "Code?") },
		func() { here.dial(t, "s1", "1*0") },
		func() { want(t, there.sms(t, "m2", "1234"), "Thanks, Bakyt") },
	}
	for _, turn := range turns {
		here.pass()
		turn()
	}
	here.pass()
}

// An instance that loses Redis trusts nothing that it only remembers: what another
// did meanwhile stands.
func TestRememberedIsNotTrustedWithoutRedis(t *testing.T) {
	t.Parallel()
	redis := session.NewMemory()
	cut := &cutStore{Store: redis}
	db := storetest.Open(t, storetest.NewSQLite(t))
	here, book := spoken(t, newFallback(cut, db))
	there := &world{Clock: here.Clock, spoken: here.spoken, events: here.events, store: newFallback(redis, db), languages: here.languages}
	there.Conversations = there.beside(t)
	confirmBySMS(t, here, there)
	cut.away = true
	here.dial(t, "s1", "1*0*1")
	cut.away = false
	time.Sleep(1100 * time.Millisecond) // the breaker's second
	there.pass()
	if answer := there.sms(t, "m3", "guest Asel"); strings.Contains(answer.Text, "Thanks") || len(book.entries) != 1 {
		t.Errorf("a conversation that was over went on: %+v, %d effects", answer, len(book.entries))
	}
}

// An instance whose clock is ahead writes a version that is lost with a fail-over;
// the version written in its place is another one.
func TestVersionsAreNotMetAgain(t *testing.T) {
	t.Parallel()
	versions := map[int64]bool{}
	for range 8 {
		w, _ := spoken(t, session.NewMemory())
		w.dial(t, "s1", "")
		entries, err := w.store.Expired(t.Context(), w.Now().Add(time.Hour), 10)
		if err != nil || len(entries) != 1 {
			t.Fatalf("%+v, %v", entries, err)
		}
		versions[entries[0].Version-w.Now().UnixMicro()] = true
	}
	if len(versions) < 3 {
		t.Errorf("of 8 saves at one moment the versions are %v after it", versions)
	}
}

// A Redis that stops for a moment, here after the citizen confirmed by SMS, does not
// bring back the conversation as it was before that.
func TestRememberedWhileRedisStalls(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	const patience = 300 * time.Millisecond
	client := redis.NewClient(&redis.Options{
		Addr: server.address(), MaxRetries: -1, DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience, DialerRetries: 1,
	})
	t.Cleanup(func() { _ = client.Close() })
	w, book := spoken(t, newFallback(onRedis(t, client, "eshik"), storetest.Open(t, storetest.NewSQLite(t))))
	signal := func(s os.Signal) {
		if err := server.command.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	confirmBySMS(t, w, w)
	signal(syscall.SIGSTOP)
	w.dial(t, "s1", "1*0*1")
	signal(syscall.SIGCONT)
	time.Sleep(1200 * time.Millisecond) // the breaker's second
	w.pass()
	if w.sms(t, "m3", "guest Asel"); len(book.entries) != 1 {
		t.Errorf("one confirmation had %d effects", len(book.entries))
	}
}

// Two instances between which a gateway's requests fall at random answer, act and
// count as one that remembers nothing: over USSD and SMS, with requests repeated and
// late, sessions that end, and a store that is emptied.
func TestRememberingChangesNothing(t *testing.T) {
	t.Parallel()
	remembered, loaded := int64(0), int64(0)
	for seed := range uint64(30) {
		one, two := newScript(t, seed), newScript(t, seed)
		instances := [2]*session.Conversations{one.Conversations, one.beside(t)}
		for step := range 80 {
			turn := one.next()
			if other := two.next(); other != turn {
				t.Fatalf("the scripts differ: %+v, %+v", turn, other)
			}
			one.Conversations, two.Conversations = instances[step/3%2], two.beside(t)
			if step%5 == 0 {
				one.Conversations = instances[one.random.IntN(2)]
				two.random.IntN(2)
			}
			got, err := one.Turn(t.Context(), turn)
			want, fault := two.Turn(t.Context(), turn)
			if got != want || (err == nil) != (fault == nil) {
				t.Fatalf("seed %d, turn %d %+v: %+v, %v; without a memory %+v, %v", seed, step, turn, got, err, want, fault)
			}
		}
		if !maps.Equal(one.book.entries, two.book.entries) || !maps.Equal(one.counted(), two.counted()) {
			t.Errorf("seed %d: %v and %v, want %v and %v", seed, one.book.entries, one.counted(), two.book.entries, two.counted())
		}
		remembered += one.shelf.loads.Load()
		loaded += two.shelf.loads.Load()
	}
	if remembered >= loaded {
		t.Errorf("%d loads with a memory, %d without", remembered, loaded)
	}
}

// script makes turns at random, the same ones for a seed.
type script struct {
	*world
	book   *guestbook
	shelf  *shelf
	random *rand.Rand
	name   int
	text   *string
	past   []session.Turn
}

func newScript(t *testing.T, seed uint64) *script {
	t.Helper()
	s := &script{shelf: &shelf{Store: session.NewMemory()}, random: rand.New(rand.NewPCG(seed, 9))} // #nosec G404 -- a test's
	s.world, s.book = spoken(t, s.shelf)
	s.Set(time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC))
	return s
}

func (s *script) next() session.Turn {
	s.Pass(time.Duration(s.random.IntN(4000)) * time.Millisecond)
	turn := s.turn(aigul, "")
	switch what := s.random.IntN(40); {
	case what < 3 && len(s.past) > 0: // once more, or late
		turn = s.past[max(0, len(s.past)-1-s.random.IntN(4))]
		turn.Now = s.Now()
	case what < 9: // by SMS
		turn.Channel, turn.Cumulative, turn.ID, turn.Lifetime = caller.SMS, false, fmt.Sprint("m", len(s.past)), 24*time.Hour
		turn.Text = []string{"guest Bakyt", "guest", "1", "0", "00", "1234"}[s.random.IntN(6)]
	case what == 9: // everything is lost
		s.shelf.Store = session.NewMemory()
		fallthrough
	case what < 13: // another session
		s.name, s.text = s.name+1, nil
		fallthrough
	default:
		if s.text == nil {
			s.text = new(string)
		} else {
			*s.text = strings.TrimPrefix(*s.text+"*"+[]string{"1", "1", "2", "0", "0", "00", "Asel", "7*1"}[s.random.IntN(8)], "*")
		}
		turn.Session, turn.Text = fmt.Sprint("s", s.name), *s.text
	}
	turn.Budget = screen
	s.past = append(s.past, turn)
	return turn
}

// counted is how often each event was.
func (s *script) counted() map[string]int {
	counts := map[string]int{}
	for _, e := range s.events.kept {
		counts[fmt.Sprintf("%+v", e)]++
	}
	return counts
}
