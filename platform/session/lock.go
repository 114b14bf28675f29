package session

import (
	"context"
	"sync"
)

// keyLock lets one goroutine at a time work on a key. A slow turn holds up its
// own session only, never a neighbour's.
type keyLock struct {
	mu   sync.Mutex
	held map[string]*waiting
}

type waiting struct {
	turn    chan struct{} // holds one token while the key is free
	holders int           // those who work or wait
}

func newKeyLock() *keyLock { return &keyLock{held: map[string]*waiting{}} }

// lock waits for the key until ctx ends.
func (l *keyLock) lock(ctx context.Context, key string) (unlock func(), err error) {
	l.mu.Lock()
	w := l.held[key]
	if w == nil {
		w = &waiting{turn: make(chan struct{}, 1)}
		w.turn <- struct{}{}
		l.held[key] = w
	}
	w.holders++
	l.mu.Unlock()
	select {
	case <-w.turn:
		return func() { w.turn <- struct{}{}; l.leave(key, w) }, nil
	case <-ctx.Done():
		l.leave(key, w)
		return nil, ctx.Err()
	}
}

func (l *keyLock) leave(key string, w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.holders--; w.holders == 0 {
		delete(l.held, key)
	}
}
