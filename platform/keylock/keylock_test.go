package keylock

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
)

// TestOneAtATime: of many on one key one works at a time, on other keys the others do,
// and nothing is kept of a key that nobody works on.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	var locks Locks
	var all sync.WaitGroup
	working := make([]int, 4)
	for i := range 400 {
		all.Go(func() {
			key := i % len(working)
			held, err := locks.Lock(t.Context(), strconv.Itoa(key))
			if err != nil {
				t.Error(err)
				return
			}
			defer held.Unlock()
			working[key]++ // the race detector tells of two at once
		})
	}
	all.Wait()
	for key, n := range working {
		if n != 100 {
			t.Errorf("%d worked on the key %d", n, key)
		}
	}
	if len(locks.held) != 0 {
		t.Errorf("%d keys are kept", len(locks.held))
	}
}

// TestWhoGivesUp leaves the key to the others.
func TestWhoGivesUp(t *testing.T) {
	t.Parallel()
	var locks Locks
	held, err := locks.Lock(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := locks.Lock(ended, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for nothing: %v", err)
	}
	if other, err := locks.Lock(ended, "b"); err != nil { // a free one needs no time
		t.Error(err)
	} else {
		other.Unlock()
	}
	held.Unlock()
	if held, err = locks.Lock(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	held.Unlock()
	if len(locks.held) != 0 {
		t.Errorf("%d keys are kept", len(locks.held))
	}
}
