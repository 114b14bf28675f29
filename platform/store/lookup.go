package store

import (
	"context"
	"time"
)

const (
	// lookupSize bounds the keys of one query.
	lookupSize = 64
	// lookupTime bounds one query: the others wait for it.
	lookupTime = time.Second
)

// Lookup finds values by their keys; those asked for at the same time are found
// by one query. Nothing is kept: an answer is never older than its question.
type Lookup[V any] struct {
	asked gather[*question[V]]
	find  func(ctx context.Context, keys []string) (map[string]V, error)
}

// question is one key whose value is wanted.
type question[V any] struct {
	key    string
	answer chan answer[V]
}

type answer[V any] struct {
	value V
	found bool
	err   error
}

// NewLookup makes a look-up. find gives the values of the keys that have one; it
// is given each key once.
func NewLookup[V any](find func(ctx context.Context, keys []string) (map[string]V, error)) *Lookup[V] {
	l := &Lookup[V]{find: find}
	l.asked.run, l.asked.size = l.run, lookupSize
	return l
}

// Get finds the value of a key; found is false when it has none.
func (l *Lookup[V]) Get(ctx context.Context, key string) (value V, found bool, err error) {
	q := &question[V]{key: key, answer: make(chan answer[V], 1)}
	l.asked.add(ctx, q)
	select {
	case a := <-q.answer:
		return a.value, a.found, a.err
	case <-ctx.Done():
		return value, false, ctx.Err()
	}
}

// run answers some questions.
func (l *Lookup[V]) run(ctx context.Context, questions []*question[V]) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	keys := make([]string, 0, len(questions))
	seen := make(map[string]bool, len(questions))
	for _, q := range questions {
		if !seen[q.key] {
			seen[q.key] = true
			keys = append(keys, q.key)
		}
	}
	values, err := l.find(ctx, keys)
	for _, q := range questions {
		value, found := values[q.key]
		q.answer <- answer[V]{value: value, found: found, err: err}
	}
}
