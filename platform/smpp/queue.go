package smpp

import (
	"context"
	"sync"
)

// queues keep the messages of each sender in the order they came in: of two that are
// worked on at once the second could be taken first. Senders do not wait for each
// other. The zero value is ready.
type queues struct {
	mu   sync.Mutex
	last map[string]*place // by sender
}

// place is a message's in its sender's queue; nil is outside of all.
type place struct {
	sender string
	before <-chan struct{} // closed when it is this one's turn; nil: nobody is before it
	done   chan struct{}
}

// join takes the last place; the reader of the link calls it, in order.
func (q *queues) join(sender string) *place {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := &place{sender: sender, done: make(chan struct{})}
	if last := q.last[sender]; last != nil {
		p.before = last.done
	}
	if q.last == nil {
		q.last = map[string]*place{}
	}
	q.last[sender] = p
	return p
}

// wait waits for the turn of p, or for the end of ctx.
func (p *place) wait(ctx context.Context) {
	if p == nil || p.before == nil {
		return
	}
	select {
	case <-p.before:
	case <-ctx.Done():
	}
}

// leave lets the next one go.
func (q *queues) leave(p *place) {
	if p == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	close(p.done)
	if q.last[p.sender] == p {
		delete(q.last, p.sender)
	}
}
