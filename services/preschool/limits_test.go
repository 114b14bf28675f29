package preschool

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestS5LooksAreBounded: who guesses registration numbers is refused, by phone or by
// address, and asking twice is no way around (F5); a number that is found is answered
// also then, and a phone is not refused for its address (F12).
func TestS5LooksAreBounded(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), 1)
		looksAreBounded(t, w, newService(t, w))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, storetest.Open(t, storetest.NewPostgres(t)), 1)
		s := newService(t, w)
		address := os.Getenv("ESHIK_TEST_REDIS")
		if address == "" {
			t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
		}
		client := redis.NewClient(&redis.Options{Addr: address})
		t.Cleanup(func() { _ = client.Close() })
		s.Limiter = apart{limit.NewRedis(client), uuid.NewString() + ":"}
		looksAreBounded(t, w, s)
	})
}

// apart counts in a Redis that other tests share, under keys of its own.
type apart struct {
	limit.Limiter
	prefix string
}

func (a apart) Allow(ctx context.Context, key string, rate limit.Rate) (bool, time.Duration, error) {
	return a.Limiter.Allow(ctx, a.prefix+key, rate)
}

func looksAreBounded(t *testing.T, w *world, s *Service) {
	t.Helper()
	made := enrol(t, s, w.parent("t1"), "K01")
	found := func(by caller.Caller) {
		t.Helper()
		if _, err := s.Position(t.Context(), by, made.Number); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		by    caller.Caller
		bound int
	}{
		"phone":   {caller.Caller{Phone: "+996700000002", Channel: caller.USSD, Now: start}, limit.GuessesByPhone.N},
		"address": {caller.Caller{Address: "192.0.2.7", Channel: caller.REST, Now: start}, limit.GuessesByAddress.N},
	} {
		for range 150 {
			found(c.by)
		}
		for i := range c.bound + 10 {
			number, err := newNumber(s.Random)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 { // F5
				_, err = s.Position(t.Context(), c.by, number)
				p := problem.From(err)
				if i < c.bound {
					if p.Key != problemNumber.Key {
						t.Fatalf("%s: number %d gives %v", name, i, err)
					}
					break
				}
				if p.Key != "problem.preschool_looks_many" || p.RetryAfter <= 0 || len(p.Args) != 4 {
					t.Fatalf("%s: number %d gives %v after %v: %v", name, i, err, p.RetryAfter, p.Args)
				}
			}
		}
		found(c.by) // F12
	}
	person := caller.Caller{Phone: "+996777000009", Address: "192.0.2.7", Channel: caller.REST, Now: start}
	number, err := newNumber(s.Random)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Position(t.Context(), person, number); problem.From(err).Key != problemNumber.Key {
		t.Errorf("a person behind the address: %v", err)
	}
}

// TestS5TheSameNumberIsBounded: a number that is found has a wide bound; it keeps
// nobody from their own registrations, nor others out.
func TestS5TheSameNumberIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), 1)
	s := newService(t, w)
	made := enrol(t, s, w.parent("t1"), "K01")
	by := w.parent("t2")
	for i := range limit.LooksByPhone.N + 3 {
		_, err := s.Position(t.Context(), by, made.Number)
		if i < limit.LooksByPhone.N && err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		if p := problem.From(err); i >= limit.LooksByPhone.N && (p.Key != "problem.preschool_looks_many" || p.RetryAfter <= 0) {
			t.Fatalf("time %d: %v", i, err)
		}
	}
	if own, err := s.Registrations(t.Context(), by); err != nil || len(own) != 1 {
		t.Errorf("the own registrations: %v, %v", own, err)
	}
	if again := enrol(t, s, w.parent("t1"), "K01"); again.Number != made.Number {
		t.Errorf("the same turn gives %v", again)
	}
	by.Phone = "+996700000003"
	if _, err := s.Position(t.Context(), by, made.Number); err != nil {
		t.Errorf("another: %v", err)
	}
}
