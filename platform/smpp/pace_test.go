package smpp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever cannot wait for a turn takes none: the next one is as far off as before.
func TestPaceIsNotTakenInVain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		if err := p.wait(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var all sync.WaitGroup
		for n := range 500 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				if err := p.wait(ctx, n%2 == 0); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("without time to wait: %v", err)
				}
			})
		}
		all.Wait()
		if err := p.wait(t.Context(), false); err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v, want a second", err, time.Since(began))
		}
	})
}

// A screen does not wait behind a pile of messages, and all leave in their time.
func TestScreensGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(10)
		began := time.Now()
		var all sync.WaitGroup
		var mu sync.Mutex
		var order []string
		pass := func(name string, screen bool) {
			if err := p.wait(t.Context(), screen); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, name)
		}
		for range 20 {
			all.Go(func() { pass("message", false) })
		}
		synctest.Wait()
		time.Sleep(250 * time.Millisecond) // three are gone
		all.Go(func() { pass("screen", true) })
		p.hold(200 * time.Millisecond)
		all.Wait()
		if at := slices.Index(order, "screen"); at != 3 {
			t.Errorf("the screen left as number %d", at+1)
		}
		// Three at once and after 100 and 200 ms, the screen at 450 ms, then 17 more.
		if took := time.Since(began); took != 450*time.Millisecond+17*100*time.Millisecond {
			t.Errorf("all left after %s", took)
		}
	})
}
