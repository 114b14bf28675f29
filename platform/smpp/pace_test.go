package smpp

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever cannot wait for a place takes none: the next one is as far off as before.
func TestPaceIsNotTakenInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		if err := p.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 500 {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			if err := p.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("without time to wait: %v", err)
			}
			cancel()
		}
		began := time.Now()
		if err := p.wait(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want a second", err, time.Since(began))
		}
	})
}
