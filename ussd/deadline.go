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

// released is what became of a context that nobody waited on.
var released = func() *timed {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return &timed{ctx, cancel}
}()

// release ends the context.
func (d *deadline) release() {
	if !d.timed.CompareAndSwap(nil, released) {
		d.timed.Load().cancel()
	}
}

// start makes the timer, once.
func (d *deadline) start() *timed {
	if d.timed.Load() == nil {
		made := &timed{}
		made.Context, made.cancel = context.WithDeadline(d.Context, d.at)
		if !d.timed.CompareAndSwap(nil, made) {
			made.cancel() // somebody else was first
		}
	}
	return d.timed.Load()
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	if at, has := d.Context.Deadline(); has && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.start().Done() }

// Err implements context.Context. Who was told that the context is over is told
// the same from then on.
func (d *deadline) Err() error {
	if d.timed.Load() == nil && d.Context.Err() == nil && time.Now().Before(d.at) {
		return nil
	}
	return d.start().Err()
}

// Value implements context.Context: contexts made of this one find in it what
// they hang on.
func (d *deadline) Value(key any) any {
	if t := d.timed.Load(); t != nil && t != released {
		return t.Value(key)
	}
	return d.Context.Value(key)
}
