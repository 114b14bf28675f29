package limit_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
)

// TestGuesses: only what missed is a guess; who is refused is refused again, and what
// is found, or fails otherwise, answers on within the wide bound.
func TestGuesses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 23, 6, 0, 31, 0, time.UTC)
	missed, broken := errors.New("missed"), errors.New("broken")
	for name, by := range map[string]struct {
		caller         caller.Caller
		guesses, looks int
	}{
		"phone":   {caller.Caller{Phone: "+996700000002", Address: "192.0.2.7", Now: now}, limit.GuessesByPhone.N, limit.LooksByPhone.N},
		"address": {caller.Caller{Address: "192.0.2.7", Now: now}, limit.GuessesByAddress.N, limit.LooksByAddress.N},
	} {
		g := limit.Guesses{
			Limiter: limit.NewMemory(func() time.Time { return now }), Service: "test", Refusal: "problem.test",
			Index: func(purpose, value string) string { return purpose + value },
		}
		look := func(err error) error {
			return g.Look(t.Context(), by.caller, func() error { return err }, func(err error) bool { return errors.Is(err, missed) })
		}
		looks := 0
		for range by.guesses + 10 {
			for _, outcome := range []error{nil, broken} {
				if err := look(outcome); !errors.Is(err, outcome) {
					t.Fatalf("%s, look %d: %v, not %v", name, looks, err, outcome)
				}
				looks++
			}
		}
		for i := range by.guesses + 10 {
			err := look(missed)
			looks++
			if p := problem.From(err); i < by.guesses && !errors.Is(err, missed) || i >= by.guesses && (p.Key != g.Refusal || p.RetryAfter <= 0 || !slices.Contains(p.Args, any(clock.NotBefore(now.Add(p.RetryAfter))))) {
				t.Fatalf("%s, guess %d: %v", name, i, err)
			}
		}
		for ; looks < by.looks; looks++ {
			if err := look(nil); err != nil {
				t.Fatalf("%s, look %d: %v", name, looks, err)
			}
		}
		if p := problem.From(look(nil)); p.Key != g.Refusal {
			t.Errorf("%s, beyond the wide bound: %v", name, p)
		}
	}
}
