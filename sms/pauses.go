package sms

import (
	"sync"
	"time"
)

// pauses are until when something is left alone, by name.
type pauses struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// begin leaves something alone until a moment; the zero time ends its pause.
func (p *pauses) begin(name string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[string]time.Time{}
	}
	p.until[name] = until
}

// isOver reports that something is not left alone.
func (p *pauses) isOver(name string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !now.Before(p.until[name])
}
