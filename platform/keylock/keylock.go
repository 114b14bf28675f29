// Package keylock lets one goroutine at a time work on a key. The others wait in this
// process; what several processes must keep to is kept in SQL.
package keylock

import (
	"context"
	"sync"
)

// Locks are the locks of all keys. Who is slow on one key holds up nobody on another.
// The zero value is ready.
type Locks struct {
	mu   sync.Mutex
	held map[string]*waiting
	free sync.Pool // of *waiting
}

type waiting struct {
	turn    chan struct{} // holds one token while the key is free
	holders int           // those who work or wait
}

// Held is a key that is locked.
type Held struct {
	locks *Locks
	key   string
	w     *waiting
}

// Lock waits for the key until ctx ends; its error is ctx's.
func (l *Locks) Lock(ctx context.Context, key string) (Held, error) {
	h := Held{locks: l, key: key, w: l.join(key)}
	select {
	case <-h.w.turn: // as a rule it is free, and ctx is not asked for its timer
		return h, nil
	default:
	}
	select {
	case <-h.w.turn:
		return h, nil
	case <-ctx.Done():
		h.leave()
		return Held{}, ctx.Err()
	}
}

// join counts one more who works on the key or waits for it.
func (l *Locks) join(key string) *waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.held[key]
	if w == nil {
		if l.held == nil {
			l.held = map[string]*waiting{}
		}
		var pooled bool
		if w, pooled = l.free.Get().(*waiting); !pooled {
			w = &waiting{turn: make(chan struct{}, 1)}
			w.turn <- struct{}{}
		}
		l.held[key] = w
	}
	w.holders++
	return w
}

// Unlock gives the key to the next.
func (h Held) Unlock() {
	h.w.turn <- struct{}{}
	h.leave()
}

func (h Held) leave() {
	h.locks.mu.Lock()
	defer h.locks.mu.Unlock()
	if h.w.holders--; h.w.holders == 0 {
		delete(h.locks.held, h.key)
		h.locks.free.Put(h.w) // nobody has it, and its token is back
	}
}
