package testworld

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
)

// Clock stands still until it is moved. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that shows a moment; the zero time means Start.
func NewClock(at time.Time) *Clock {
	if at.IsZero() {
		at = Start
	}
	return &Clock{now: at}
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass lets time pass.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set puts the clock to a moment.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

// Phones is a provider that takes every message, once a queue works, and keeps it.
type Phones struct {
	mu   sync.Mutex
	sent []notify.MT
}

// Send implements notify.Sender.
func (p *Phones) Send(_ context.Context, m notify.MT) (notify.Submission, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return notify.Submission{Provider: "test", ID: "SM" + m.ID}, nil
}

// Sent is what the phones got, the earliest first.
func (p *Phones) Sent() []notify.MT {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// Texts are what the phones got, each after its number.
func (p *Phones) Texts() []string {
	texts := []string{}
	for _, m := range p.Sent() {
		texts = append(texts, m.To+" "+m.Text)
	}
	return texts
}
