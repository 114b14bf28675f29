package session

import (
	"context"
	"sync"
)

// keyLock lets one goroutine at a time work on a key. A slow turn holds up its
// own phone only, never a neighbour's.
type keyLock struct {
	mu   sync.Mutex
	held map[string]*waiting
	free sync.Pool // of *waiting
}

type waiting struct {
	turn    chan struct{} // holds one token while the key is free
	holders int           // those who work or wait
}

func newKeyLock() *keyLock {
	return &keyLock{held: map[string]*waiting{}, free: sync.Pool{New: func() any {
		w := &waiting{turn: make(chan struct{}, 1)}
		w.turn <- struct{}{}
		return w
	}}}
}

// lock waits for the key until ctx ends; what it gives is for unlock.
func (l *keyLock) lock(ctx context.Context, key string) (*waiting, error) {
	l.mu.Lock()
	w := l.held[key]
	if w == nil {
		w = l.free.Get().(*waiting) //nolint:forcetypeassert // the pool holds nothing else
		l.held[key] = w
	}
	w.holders++
	l.mu.Unlock()
	select {
	case <-w.turn: // as a rule it is free, and ctx is not asked for its timer
		return w, nil
	default:
	}
	select {
	case <-w.turn:
		return w, nil
	case <-ctx.Done():
		l.leave(key, w)
		return nil, ctx.Err()
	}
}

// unlock gives the key to the next.
func (l *keyLock) unlock(key string, w *waiting) {
	w.turn <- struct{}{}
	l.leave(key, w)
}

func (l *keyLock) leave(key string, w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.holders--; w.holders == 0 {
		delete(l.held, key)
		l.free.Put(w) // nobody has it, and its token is back
	}
}
