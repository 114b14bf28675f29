package limit_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/limit"
)

// broken is a limiter that is away, or slow, and counts how often it is asked.
type broken struct {
	limit.Limiter
	away, slow bool
	asked      int
}

func (b *broken) Allow(ctx context.Context, key string, rate limit.Rate) (bool, time.Duration, error) {
	b.asked++
	if b.slow {
		<-ctx.Done()
		return false, 0, ctx.Err()
	}
	if b.away {
		return false, 0, errors.New("away")
	}
	return b.Limiter.Allow(ctx, key, rate)
}

func TestFallback(t *testing.T) {
	t.Parallel()
	for _, slow := range []bool{false, true} {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		primary := &broken{Limiter: limit.NewMemory(clock)}
		var log strings.Builder
		f := limit.NewFallback(primary, limit.NewMemory(clock), clock, slog.New(slog.NewTextHandler(&log, nil)))
		allowed := func(want bool) {
			t.Helper()
			if ok, _, err := f.Allow(t.Context(), "phone", limit.Rate{N: 2, Per: time.Hour}); err != nil || ok != want {
				t.Errorf("allowed %v, %v, want %v", ok, err, want)
			}
		}
		allowed(true)
		allowed(true)
		allowed(false)
		primary.away, primary.slow = true, slow
		allowed(true) // this process counts from nothing
		allowed(true)
		allowed(false)
		if primary.asked != 4 {
			t.Errorf("the limiter that is away was asked %d times", primary.asked)
		}
		now = now.Add(2 * time.Second)
		allowed(false)
		primary.away, primary.slow = false, false
		now = now.Add(2 * time.Second)
		allowed(false) // the first one still knows
		if n := strings.Count(log.String(), "unreachable"); n != 1 || strings.Contains(log.String(), "phone") {
			t.Errorf("logged: %s", log.String())
		}
	}
}
