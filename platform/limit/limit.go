// Package limit bounds how often something may happen: at most N times in any
// span of Per, exactly. Limits kept here may be lost with Redis or the process;
// what guards secrets is counted in SQL by its owner.
//
// The limit is a sliding log and not the leaky bucket of redis_rate: a bucket of
// 10 an hour lets 19 through in the hour that begins with the burst, and what is
// promised is 10.
package limit

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Rate is at most N times in any span of Per.
type Rate struct {
	N   int
	Per time.Duration
}

// Limiter counts by key. A key has one rate, always the same. When it cannot
// count it returns an error, and the caller decides which way to fail.
type Limiter interface {
	// Allow counts one more use of key if the rate allows it; otherwise it
	// counts nothing and says after how long the next use is allowed.
	Allow(ctx context.Context, key string, rate Rate) (ok bool, retryAfter time.Duration, err error)
	// AllowOnce is Allow for a use that has a name: while one of the same name counts,
	// it is allowed and counts nothing, also where both come at once.
	AllowOnce(ctx context.Context, key, name string, rate Rate) (ok bool, retryAfter time.Duration, err error)
	// Would tells what Allow would, and counts nothing.
	Would(ctx context.Context, key string, rate Rate) (ok bool, retryAfter time.Duration, err error)
	// Spend counts one more use of key if there were fewer than n before the moment until,
	// at which all are forgotten, and says how many more there may be. It takes the same room
	// however many they are, and lets twice n through around until: it is for large numbers,
	// not for promises.
	Spend(ctx context.Context, key string, n int, until time.Time) (ok bool, left int, err error)
}

// Memory is the Limiter of one process.
type Memory struct {
	now func() time.Time

	mu    sync.Mutex
	uses  map[string]uses
	spent map[window]int
	sweep int // additions until forgotten keys are swept
}

// window is a key until a moment.
type window struct {
	key   string
	until int64 // in microseconds
}

// uses are the moments of a key's uses, the oldest first.
type uses struct {
	at  []use
	per time.Duration
}

type use struct {
	at   time.Time
	name string // empty: it has none
}

// NewMemory makes a Limiter that forgets all when the process ends.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, uses: map[string]uses{}, spent: map[window]int{}}
}

// Allow implements Limiter.
func (m *Memory) Allow(_ context.Context, key string, rate Rate) (bool, time.Duration, error) {
	return m.use(key, "", rate, true)
}

// AllowOnce implements Limiter.
func (m *Memory) AllowOnce(_ context.Context, key, name string, rate Rate) (bool, time.Duration, error) {
	return m.use(key, name, rate, true)
}

// Would implements Limiter.
func (m *Memory) Would(_ context.Context, key string, rate Rate) (bool, time.Duration, error) {
	return m.use(key, "", rate, false)
}

// Spend implements Limiter.
func (m *Memory) Spend(_ context.Context, key string, n int, until time.Time) (bool, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tidy(m.now())
	w := window{key, until.UnixMicro()}
	if m.spent[w] >= n {
		return false, 0, nil
	}
	m.spent[w]++
	return true, n - m.spent[w], nil
}

func (m *Memory) use(key, name string, rate Rate, count bool) (bool, time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	m.tidy(now)
	recent := m.uses[key].since(now.Add(-rate.Per))
	if name != "" && slices.ContainsFunc(recent, func(u use) bool { return u.name == name }) {
		return true, 0, nil
	}
	if len(recent) >= rate.N {
		if rate.N <= 0 {
			return false, rate.Per, nil
		}
		return false, recent[len(recent)-rate.N].at.Add(rate.Per).Sub(now), nil
	}
	if !count {
		return true, 0, nil
	}
	m.uses[key] = uses{at: append(recent, use{now, name}), per: rate.Per}
	return true, 0, nil
}

// since drops what happened at or before the moment.
func (u uses) since(moment time.Time) []use {
	at := u.at
	for len(at) > 0 && !at[0].at.After(moment) {
		at = at[1:]
	}
	return at
}

// tidy forgets keys whose uses are all past, at a cost that is spread over the
// calls: a sweep comes after as many calls as there are keys.
func (m *Memory) tidy(now time.Time) {
	if m.sweep--; m.sweep > 0 {
		return
	}
	for key, u := range m.uses {
		if len(u.since(now.Add(-u.per))) == 0 {
			delete(m.uses, key)
		}
	}
	for w := range m.spent {
		if w.until <= now.UnixMicro() {
			delete(m.spent, w)
		}
	}
	m.sweep = max(1024, len(m.uses)+len(m.spent))
}
