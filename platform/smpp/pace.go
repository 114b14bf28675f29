package smpp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// pace spreads requests evenly: an SMS centre counts them second by second, and
// a saved-up burst would be refused. The screens of a dialogue go before messages,
// which nobody waits for with a phone in the hand.
type pace struct {
	gap     time.Duration
	mu      sync.Mutex
	next    time.Time // the earliest moment of the next request
	screens []ticket  // who waits, the first in front
	others  []ticket
}

// ticket is a place in the queue; it is told when it may be at the front.
type ticket chan struct{}

func newPace(rate float64) pace {
	if rate == 0 {
		return pace{}
	}
	return pace{gap: time.Duration(float64(time.Second) / rate)}
}

// wait returns when it is the caller's turn. Whoever gives up takes no turn.
func (p *pace) wait(ctx context.Context, screen bool) error {
	mine := make(ticket, 1)
	p.mu.Lock()
	if screen {
		p.screens = append(p.screens, mine)
	} else {
		p.others = append(p.others, mine)
	}
	p.mu.Unlock()
	for {
		left, first := p.turn(mine)
		if first && left <= 0 {
			return nil
		}
		var due <-chan time.Time
		if first {
			due = time.After(left)
		}
		select {
		case <-due:
		case <-mine:
		case <-ctx.Done():
			p.mu.Lock()
			p.drop(mine)
			p.mu.Unlock()
			return ctx.Err()
		}
	}
}

// turn takes the turn, if mine is at the front and left is not more than nothing.
func (p *pace) turn(mine ticket) (left time.Duration, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.front() != mine {
		return 0, false
	}
	now := time.Now()
	if left = p.next.Sub(now); left <= 0 {
		p.next = now.Add(p.gap)
		p.drop(mine)
	}
	return left, true
}

func (p *pace) front() ticket {
	for _, queue := range [][]ticket{p.screens, p.others} {
		if len(queue) > 0 {
			return queue[0]
		}
	}
	return nil
}

// drop takes a ticket out of its queue and tells the one that is in front now.
func (p *pace) drop(mine ticket) {
	is := func(other ticket) bool { return other == mine }
	p.screens, p.others = slices.DeleteFunc(p.screens, is), slices.DeleteFunc(p.others, is)
	if front := p.front(); front != nil {
		select {
		case front <- struct{}{}:
		default: // it was told
		}
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
