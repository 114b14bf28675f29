package store

import (
	"context"
	"sync"
)

// gather hands over together what comes while others are under way: nobody waits
// for company, and under load most of a round trip's cost is shared.
type gather[T any] struct {
	// run takes some items, size at the most. One runs at a time: the slower what it
	// waits for, the more share the next.
	run  func(ctx context.Context, items []T)
	size int

	mu      sync.Mutex
	waiting []T
	leading bool // a run is under way
}

// add hands an item over, soon. ctx gives the run its values, not its end.
func (g *gather[T]) add(ctx context.Context, item T) {
	g.mu.Lock()
	g.waiting = append(g.waiting, item)
	lead := !g.leading
	g.leading = true
	g.mu.Unlock()
	if lead {
		go g.lead(context.WithoutCancel(ctx))
	}
}

// lead runs until nothing waits.
func (g *gather[T]) lead(ctx context.Context) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), g.size)
		items := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.leading = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		g.run(ctx, items)
	}
}
