package smpp

import (
	"context"
	"sync"
	"time"
)

// pace spreads requests evenly: an SMS centre counts them second by second, and
// a saved-up burst would be refused.
type pace struct {
	gap  time.Duration
	mu   sync.Mutex
	next time.Time
}

func newPace(rate float64) pace {
	if rate == 0 {
		return pace{}
	}
	return pace{gap: time.Duration(float64(time.Second) / rate)}
}

// wait takes the next place in the queue, unless that comes too late, and waits for
// it. A place that was given up stays empty.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	if deadline, has := ctx.Deadline(); has && deadline.Before(at) {
		p.mu.Unlock()
		return context.DeadlineExceeded
	}
	p.next = at.Add(p.gap)
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(at.Sub(now)):
		return ctx.Err()
	}
}

// hold lets nobody pass for a while.
func (p *pace) hold(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(pause); p.next.Before(until) {
		p.next = until
	}
}
