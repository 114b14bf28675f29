package ussd

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The lazy deadline ends when, and as, the standard one does: for who waits on it,
// for who only looks, and for the contexts made of it.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := withTimeout(t.Context(), time.Second)
		if at, has := d.Deadline(); !has || time.Until(at) != time.Second {
			t.Errorf("the deadline is %v, %v", at, has)
		}
		if d.Err() != nil {
			t.Errorf("over at the start: %v", d.Err())
		}
		time.Sleep(time.Second)
		if !errors.Is(d.Err(), context.DeadlineExceeded) {
			t.Errorf("after its time, nobody waiting: %v", d.Err())
		}
		<-d.Done()

		d = withTimeout(t.Context(), time.Second)
		child, cancel := context.WithCancel(d)
		defer cancel()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { <-d.Done() })
		}
		all.Go(func() { <-child.Done() })
		synctest.Wait()
		if d.Err() != nil || child.Err() != nil {
			t.Errorf("over before its time: %v, %v", d.Err(), child.Err())
		}
		start := time.Now()
		all.Wait()
		if time.Since(start) != time.Second || !errors.Is(d.Err(), context.DeadlineExceeded) || !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Errorf("after %v: %v, %v", time.Since(start), d.Err(), child.Err())
		}

		d = withTimeout(t.Context(), time.Second)
		done := d.Done()
		d.release()
		if <-done; !errors.Is(d.Err(), context.Canceled) {
			t.Errorf("released: %v", d.Err())
		}
		d = withTimeout(t.Context(), time.Second)
		if d.release(); !errors.Is(d.Err(), context.Canceled) {
			t.Errorf("released, nobody waiting: %v", d.Err())
		}
		<-d.Done()
		parent, cancel := context.WithCancel(context.WithValue(t.Context(), deadline{}, 1))
		d = withTimeout(parent, time.Second)
		if cancel(); !errors.Is(d.Err(), context.Canceled) || d.Value(deadline{}) != 1 {
			t.Errorf("the parent is over: %v", d.Err())
		}
		<-d.Done()

		parent, cancel = context.WithCancel(t.Context())
		d = withTimeout(parent, time.Second)
		time.Sleep(time.Second)
		first := d.Err()
		cancel()
		if second := d.Err(); !errors.Is(first, second) || !errors.Is(context.Cause(d), first) {
			t.Errorf("over as %v, then as %v, for %v", first, second, context.Cause(d))
		}
	})
}
