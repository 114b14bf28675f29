package session

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
)

const (
	// recentSlots is how many phones' records are remembered.
	recentSlots = 1 << 13
	// recentSize bounds one of them, in bytes; most have less than a quarter of it. A
	// long dialled path that waits for the choice of a language may have more.
	recentSize = 4 << 10
)

// recent remembers the records that this instance saved last, so that the next
// turn of a session need not load what only this instance has written since. What
// it gives may be out of date: it is good for nothing until it was saved over.
type recent struct {
	seed  maphash.Seed
	slots [recentSlots]slot
}

type slot struct {
	mu sync.Mutex
	Entry
}

func newRecent() *recent { return &recent{seed: maphash.MakeSeed()} }

func (m *recent) slot(key string) *slot {
	return &m.slots[maphash.String(m.seed, key)%recentSlots]
}

// keep remembers a record, unless it is too large, instead of another one.
func (m *recent) keep(key string, rec Record) {
	if len(rec.Data) > recentSize {
		return
	}
	s := m.slot(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Entry = Entry{Key: key, Record: rec}
}

// take gives the record of key, once.
func (m *recent) take(key string) (rec Record, has bool) {
	s := m.slot(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Key != key {
		return Record{}, false
	}
	rec, s.Entry = s.Record, Entry{}
	return rec, true
}

// shortcut takes the next turn of a session with the record that this instance
// remembers, if the gateway's text says that no turn came in between, and if the
// engine need ask nobody. The save proves that the record was still the last one;
// where it was not, nothing has happened, and the turn begins with a load.
func (t *Conversations) shortcut(ctx context.Context, key string, turn Turn) (answer Answer, taken bool) {
	if !turn.Cumulative || turn.Text == "" {
		return answer, false
	}
	rec, has := t.recent.take(key)
	if !has {
		return answer, false
	}
	r := t.request(key, turn, rec)
	if r.Start || r.isReplay() || !r.isLive() || r.old.Over {
		return answer, false
	}
	input, follows := t.newInput(r)
	if !follows || strings.Contains(input, "*") { // a retry, or perhaps several turns
		return answer, false
	}
	r.remembered = true
	answer, err := t.goOn(ctx, r, input)
	return answer, err == nil
}
