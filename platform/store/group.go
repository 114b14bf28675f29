package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// groupSize bounds the transactions that are committed as one.
	groupSize = 64
	// groupTime bounds one commit.
	groupTime = 10 * time.Second
)

// Group commits small transactions that wait at the same time as one: most of
// what such a transaction costs is its begin and its commit. While one commit is
// under way the next group gathers, so that nobody waits for company.
//
// The functions of one group must not wait for each other. Use a group for many
// short transactions of one kind.
type Group struct {
	db      *DB
	mu      sync.Mutex
	waiting []*member
	leading bool
}

// member is one transaction of a group.
type member struct {
	run  func(tx *Tx) error
	mu   sync.Mutex
	left bool // its caller went away before it began
	done chan verdict
}

// verdict is how a group ended for a member.
type verdict struct {
	err error
	// alone says that the group was rolled back, by whomever's fault, and the
	// member is to be run by itself.
	alone bool
}

// NewGroup makes a group of transactions on a database.
func NewGroup(db *DB) *Group { return &Group{db: db} }

// InTx is as (*DB).InTx: fn has its effects when nil is returned, and none
// otherwise. fn may run more than once.
func (g *Group) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	m := &member{run: fn, done: make(chan verdict, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, m)
	lead := !g.leading
	g.leading = true
	g.mu.Unlock()
	if lead {
		go g.lead(context.WithoutCancel(ctx))
	}
	var v verdict
	select {
	case v = <-m.done:
	case <-ctx.Done():
		if m.leave() {
			return ctx.Err()
		}
		v = <-m.done // it is being run: how it ends is known soon
	}
	if v.alone {
		return g.db.InTx(ctx, fn)
	}
	return v.err
}

// leave takes a member out that has not begun.
func (m *member) leave() bool {
	if !m.mu.TryLock() {
		return false
	}
	defer m.mu.Unlock()
	m.left = true
	return true
}

// lead commits group after group until nobody waits.
func (g *Group) lead(ctx context.Context) {
	for {
		g.mu.Lock()
		n := min(len(g.waiting), groupSize)
		members := g.waiting[:n:n]
		g.waiting = g.waiting[n:]
		g.leading = n > 0
		g.mu.Unlock()
		if n == 0 {
			return
		}
		g.commit(ctx, members)
	}
}

// commit runs the members in one transaction and tells each how it ended.
func (g *Group) commit(ctx context.Context, members []*member) {
	ctx, cancel := context.WithTimeout(ctx, groupTime)
	defer cancel()
	began := make([]*member, 0, len(members))
	for _, m := range members {
		m.mu.Lock() // held until the verdict: whoever is run cannot leave
		if m.left {
			m.mu.Unlock()
			continue
		}
		began = append(began, m)
	}
	if len(began) == 0 {
		return
	}
	ran := false
	err := g.db.once(ctx, func(tx *Tx) error {
		if err := runAll(tx, began); err != nil {
			return err
		}
		ran = true
		return nil
	})
	for _, m := range began {
		// Before the commit nothing happened. After it the outcome of an error is
		// unknown, as it is for a single transaction.
		m.done <- verdict{err: err, alone: err != nil && !ran}
		m.mu.Unlock()
	}
}

// runAll runs the members one after the other; the first fault ends it.
func runAll(tx *Tx, members []*member) (err error) {
	defer func() {
		// Alone, it panics in its own caller's goroutine.
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a transaction panicked: %v", fault)
		}
	}()
	for _, m := range members {
		if err := m.run(tx); err != nil {
			return err
		}
	}
	return nil
}
