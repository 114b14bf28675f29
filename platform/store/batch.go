package store

import (
	"context"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

const (
	// batchSize bounds the items of one transaction.
	batchSize = 128
	// batchTime bounds one transaction.
	batchTime = 10 * time.Second
)

// Batch works on small items, and on those that wait at the same time in one
// transaction: most of what such an item costs alone is the begin, the commit and
// the round trips. While one is committed the next batch gathers, so that nobody
// waits for company.
//
// Each item has its effects or its error as if it had been alone: one that fails
// sends all of its batch to be worked on by themselves.
type Batch[T, R any] struct {
	db      *DB
	work    func(ctx context.Context, tx *Tx, items []T) ([]R, error)
	waiting gather[*member[T, R]]
}

// member is one item and who waits for it.
type member[T, R any] struct {
	item  T
	mu    sync.Mutex
	left  bool // its caller went away before it began
	began bool
	done  chan verdict[R]
}

// verdict is how a batch ended for a member.
type verdict[R any] struct {
	result R
	err    error
	// alone says that the batch was rolled back, by whomever's fault, and the
	// member is to be worked on by itself.
	alone bool
}

// NewBatch makes a batch on a database. work gives a result for each item, in
// their order; it keeps its effects in tx, may run more than once for an item,
// and does not wait for another item.
func NewBatch[T, R any](db *DB, work func(ctx context.Context, tx *Tx, items []T) ([]R, error)) *Batch[T, R] {
	b := &Batch[T, R]{db: db, work: work}
	b.waiting.run, b.waiting.size = b.commit, batchSize
	return b
}

// Do works on an item: it has its effects when no error is returned, and none
// otherwise.
func (b *Batch[T, R]) Do(ctx context.Context, item T) (R, error) {
	m := &member[T, R]{item: item, done: make(chan verdict[R], 1)}
	b.waiting.add(ctx, m)
	var v verdict[R]
	select {
	case v = <-m.done:
	case <-ctx.Done():
		if m.leave() {
			return v.result, ctx.Err()
		}
		v = <-m.done // it is being worked on: how it ends is known soon
	}
	if v.alone {
		return b.single(ctx, item)
	}
	return v.result, v.err
}

// single works on an item by itself.
func (b *Batch[T, R]) single(ctx context.Context, item T) (result R, err error) {
	err = b.db.InTx(ctx, func(tx *Tx) error {
		results, err := b.work(ctx, tx, []T{item})
		if err == nil {
			result = results[0]
		}
		return err
	})
	return result, err
}

// leave takes a member out that has not begun, also not to end.
func (m *member[T, R]) leave() bool {
	if !m.mu.TryLock() {
		return false
	}
	defer m.mu.Unlock()
	m.left = !m.began
	return m.left
}

// commit works on the members in one transaction and tells each how it ended.
func (b *Batch[T, R]) commit(ctx context.Context, members []*member[T, R]) {
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	var results []R
	worked := false
	err := b.db.once(ctx, func(tx *Tx) (err error) {
		// Until here, where there is a connection, everybody could go away.
		members = begin(members)
		results, err = b.together(ctx, tx, members)
		worked = err == nil
		return err
	})
	for i, m := range members {
		// Before the commit nothing happened. After it the outcome of an error is
		// unknown, as it is for a single transaction.
		v := verdict[R]{err: err, alone: err != nil && !worked}
		if worked {
			v.result = results[i]
		}
		m.done <- v
		if m.began {
			m.mu.Unlock()
		}
	}
}

// begin is the members that are still there; they cannot leave any more.
func begin[T, R any](members []*member[T, R]) []*member[T, R] {
	there := make([]*member[T, R], 0, len(members))
	for _, m := range members {
		m.mu.Lock() // until the verdict
		if m.left {
			m.mu.Unlock()
			continue
		}
		m.began = true
		there = append(there, m)
	}
	return there
}

// together works on the members at once. Whoever panics does so alone, in its own
// caller's goroutine.
func (b *Batch[T, R]) together(ctx context.Context, tx *Tx, members []*member[T, R]) (results []R, err error) {
	if len(members) == 0 {
		return nil, nil
	}
	items := make([]T, len(members))
	for i, m := range members {
		items[i] = m.item
	}
	return problem.Guarded(func() ([]R, error) { return b.work(ctx, tx, items) })
}
