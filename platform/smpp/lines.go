package smpp

import (
	"context"
	"sync"
)

// lines keep the messages of one sender in the order they came in: of two that are
// worked on at once the second could be taken first. Senders do not wait for each
// other. The zero value is ready.
type lines struct {
	mu   sync.Mutex
	last map[string]*place // by sender
}

// place is a message's in its sender's line; nil is outside of all.
type place struct {
	sender string
	before <-chan struct{} // closed when it is this one's turn; nil: nobody is before it
	done   chan struct{}
}

// join takes the last place; the reader of the link calls it, in order.
func (l *lines) join(sender string) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &place{sender: sender, done: make(chan struct{})}
	if last := l.last[sender]; last != nil {
		p.before = last.done
	}
	if l.last == nil {
		l.last = map[string]*place{}
	}
	l.last[sender] = p
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
func (l *lines) leave(p *place) {
	if p == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	close(p.done)
	if l.last[p.sender] == p {
		delete(l.last, p.sender)
	}
}
