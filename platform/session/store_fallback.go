package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// lookPatience is how long the database may take to say whether it holds any
	// conversation: citizens wait behind it.
	lookPatience = 300 * time.Millisecond
	// breakFor is how long an unreachable Redis is left alone.
	breakFor = time.Second
	// lookEvery is how often the database is asked whether it holds any conversation: for
	// that long an instance may overlook one that another, which lost Redis, has
	// just moved there.
	lookEvery = time.Second
)

// errAway says that the primary store is not asked for now.
var errAway = errors.New("the session store was unreachable a moment ago")

// Fallback is a Store that keeps sessions in Redis, and in the database while
// Redis is unreachable. Of a session that is in both the newer version counts:
// versions follow the clock. A save whose outcome Redis did not tell is done in
// the database as well; where both happened they hold the same turn, whose
// effects know it.
type Fallback struct {
	primary   Store
	secondary *SQL
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	until  time.Time // the primary is left alone until then
	away   bool
	looked time.Time
	any    bool // the database held a record when it was looked at
}

// NewFallback makes a store over Redis and the database.
func NewFallback(primary Store, secondary *SQL, now func() time.Time, log *slog.Logger) *Fallback {
	return &Fallback{primary: primary, secondary: secondary, now: now, log: log}
}

// Away reports that the primary store was unreachable when it was last asked.
func (f *Fallback) Away() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

// ask runs an operation on the primary store, unless that was unreachable just
// now. The store bounds its own time, whatever time the caller has left.
func (f *Fallback) ask(ctx context.Context, operation func(context.Context) error) error {
	f.mu.Lock()
	closed := f.now().Before(f.until)
	f.mu.Unlock()
	if closed {
		return errAway
	}
	err := operation(context.WithoutCancel(ctx))
	f.note(err == nil || errors.Is(err, ErrConflict))
	return err
}

// note keeps whether the primary answered, and tells of a change.
func (f *Fallback) note(well bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !well {
		f.until = f.now().Add(breakFor)
	}
	if f.away == !well {
		return
	}
	f.away = !well
	if well {
		f.log.Warn("Redis answers again: sessions go back to it")
	} else {
		f.log.Warn("Redis is unreachable: sessions are kept in the database")
	}
}

// inUse reports whether the database may hold sessions.
func (f *Fallback) inUse(ctx context.Context) bool {
	f.mu.Lock()
	fresh, known := f.now().Before(f.looked.Add(lookEvery)), f.any
	if !fresh {
		f.looked = f.now() // one looks, the others go on
	}
	f.mu.Unlock()
	if fresh {
		return known
	}
	short, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	found, err := f.secondary.Any(short) // in a moment, or not at all
	if err != nil {                      // Redis goes on without the database
		f.log.Warn("the database's sessions cannot be looked at", "error", err)
		found = known
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked, f.any = f.now(), found
	return found
}

// Load implements Store.
func (f *Fallback) Load(ctx context.Context, key string) (Record, error) {
	var first Record
	err := f.ask(ctx, func(ctx context.Context) (err error) {
		first, err = f.primary.Load(ctx, key)
		return err
	})
	if err == nil && !f.inUse(ctx) {
		return first, nil
	}
	second, failed := f.secondary.Load(ctx, key)
	switch {
	case failed != nil && err == nil:
		return first, nil
	case failed != nil:
		return Record{}, errors.Join(err, failed)
	case err != nil || second.Version > first.Version:
		return second, nil //nolint:nilerr // Redis is away: what the database has counts
	}
	return first, nil
}

// Save implements Store.
func (f *Fallback) Save(ctx context.Context, key string, rec Record, expect int64) error {
	err := f.Replace(ctx, key, rec, expect)
	if err == nil || errors.Is(err, ErrConflict) {
		return err
	}
	second, failed := f.secondary.Load(ctx, key)
	if failed != nil {
		return errors.Join(err, failed)
	}
	// Where the database knows nothing of the session, what the turn loaded was
	// Redis's last word, which is trusted.
	if second.Version != 0 && second.Version != expect {
		return ErrConflict
	}
	if err := f.secondary.Save(ctx, key, rec, second.Version); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked, f.any = f.now(), true
	return nil
}

// Replace implements Store: it saves in the primary store, and takes the session out
// of the database if it is there.
func (f *Fallback) Replace(ctx context.Context, key string, rec Record, expect int64) error {
	if !f.inUse(ctx) {
		return f.ask(ctx, func(ctx context.Context) error { return f.primary.Save(ctx, key, rec, expect) })
	}
	second, err := f.secondary.Load(ctx, key)
	if err != nil {
		return err
	}
	err = f.ask(ctx, func(ctx context.Context) error {
		first, err := f.primary.Load(ctx, key)
		if err != nil {
			return err
		}
		if max(first.Version, second.Version) != expect {
			return ErrConflict
		}
		return f.primary.Save(ctx, key, rec, first.Version)
	})
	if err == nil && second.Version != 0 {
		_, err = f.secondary.Delete(ctx, key, second.Version)
	}
	return err
}

// Delete implements Store.
func (f *Fallback) Delete(ctx context.Context, key string, expect int64) (bool, error) {
	var first bool
	err := f.ask(ctx, func(ctx context.Context) (err error) {
		first, err = f.primary.Delete(ctx, key, expect)
		return err
	})
	if err == nil && !f.inUse(ctx) {
		return first, nil
	}
	second, failed := f.secondary.Delete(ctx, key, expect)
	if failed != nil {
		return first, failed
	}
	return first || second, nil
}

// Expired implements Store. What Redis holds of a session that went on in the
// database is dropped on the way.
func (f *Fallback) Expired(ctx context.Context, before time.Time, limit int) ([]Entry, error) {
	found, err := f.secondary.Expired(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	if f.Away() {
		return found, nil
	}
	first, err := f.primary.Expired(ctx, before, limit)
	if err != nil {
		f.note(false)
		return found, nil //nolint:nilerr // Redis is away: its sessions expire when it is back
	}
	for _, e := range first {
		second, err := f.secondary.Load(ctx, e.Key)
		if err != nil {
			return nil, err
		}
		if second.Version <= e.Version {
			found = append(found, e)
		} else if _, err := f.primary.Delete(ctx, e.Key, e.Version); err != nil {
			return nil, err
		}
	}
	return found, nil
}
