package identity

import (
	"context"
	"fmt"
	"sync"
)

// turns lets in one at a time for each key, the others wait. What several processes
// must keep to is kept in SQL: here they only wait where they would be refused.
type turns struct {
	mu    sync.Mutex
	doors map[string]*turn
}

type turn struct {
	inside chan struct{} // holds one
	users  int           // inside or waiting
}

// take waits for the key's turn; done gives it on. It gives up when ctx ends.
func (t *turns) take(ctx context.Context, key string) (done func(), err error) {
	t.mu.Lock()
	d := t.doors[key]
	if d == nil {
		if t.doors == nil {
			t.doors = map[string]*turn{}
		}
		d = &turn{inside: make(chan struct{}, 1)}
		t.doors[key] = d
	}
	d.users++
	t.mu.Unlock()
	select {
	case d.inside <- struct{}{}:
		return func() { <-d.inside; t.leave(key, d) }, nil
	case <-ctx.Done():
		t.leave(key, d)
		return nil, fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
}

func (t *turns) leave(key string, d *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.users--; d.users == 0 {
		delete(t.doors, key)
	}
}
