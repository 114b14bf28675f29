package session_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/eshik-kg/eshik/platform/session"
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
// the talk goes on from there, over USSD and SMS.
func TestRememberedIsOutOfDate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		s := &shelf{Store: store}
		w, book := spoken(t, s)
		here, there := w.Talks, w.beside(t, book)
		at := func(talks *session.Talks) *world { w.Talks = talks; return w }
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

// Two instances between which a gateway's requests fall at random answer as one
// does.
func TestTwoInstancesAnswerAsOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		one, _ := spoken(t, session.NewMemory())
		two, book := spoken(t, store)
		instances := [2]*session.Talks{two.Talks, two.beside(t, book)}
		texts := []string{"", "1", "1*0", "1*0*1", "1*0*1*0", "1*0*1*0*1", "1*0*1*0*1*Asel", "1*0*1*0*1*Asel*0", "1*0*1*0*1*Asel*0*0"}
		for pattern := range 1 << len(texts) {
			session := fmt.Sprintf("s%d", pattern)
			for i, text := range texts {
				two.Talks = instances[pattern>>i&1]
				if got, want := two.dial(t, session, text), one.dial(t, session, text); got != want {
					t.Fatalf("pattern %b, %q: %+v, want %+v", pattern, text, got, want)
				}
			}
		}
	})
}
