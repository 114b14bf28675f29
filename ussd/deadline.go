package ussd

import (
	"context"
	"sync/atomic"
	"time"
)

// deadline is a context that ends at a moment, as one of context.WithDeadline
// does. Its timer is made only for who waits on it: most turns are answered
// before anybody does, and a timer costs more than finding their screen.
type deadline struct {
	context.Context // the parent
	at              time.Time
	timed           atomic.Pointer[timed]
}

type timed struct {
	context.Context
	cancel context.CancelFunc
}

func withTimeout(parent context.Context, d time.Duration) *deadline {
	return &deadline{Context: parent, at: time.Now().Add(d)}
}

// release ends the context for those who wait on it.
func (d *deadline) release() {
	if t := d.timed.Load(); t != nil {
		t.cancel()
	}
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	if t := d.timed.Load(); t != nil {
		return t.Deadline()
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} {
	if d.timed.Load() == nil {
		made := &timed{}
		made.Context, made.cancel = context.WithDeadline(d.Context, d.at)
		if !d.timed.CompareAndSwap(nil, made) {
			made.cancel() // somebody else was first
		}
	}
	return d.timed.Load().Done()
}

// Err implements context.Context.
func (d *deadline) Err() error {
	if t := d.timed.Load(); t != nil {
		return t.Err()
	}
	if err := d.Context.Err(); err != nil {
		return err
	}
	if !time.Now().Before(d.at) {
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context: contexts made of this one find in it what
// they hang on.
func (d *deadline) Value(key any) any {
	if t := d.timed.Load(); t != nil {
		return t.Value(key)
	}
	return d.Context.Value(key)
}
