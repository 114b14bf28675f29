package limit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// patience is how long Redis may take to count; slower counts as unreachable.
	patience = 300 * time.Millisecond
	// breakFor is how long an unreachable Redis is left alone.
	breakFor = time.Second
)

// Fallback counts in Redis, and in this process while Redis is unreachable: the
// limits then hold for each instance by itself. What guards secrets is counted
// in SQL and does not come here.
type Fallback struct {
	primary, secondary Limiter
	now                func() time.Time
	log                *slog.Logger

	mu    sync.Mutex
	until time.Time
	away  bool
}

// NewFallback makes a Limiter of two.
func NewFallback(primary, secondary Limiter, now func() time.Time, log *slog.Logger) *Fallback {
	return &Fallback{primary: primary, secondary: secondary, now: now, log: log}
}

// Allow implements Limiter.
func (f *Fallback) Allow(ctx context.Context, key string, rate Rate) (bool, time.Duration, error) {
	return f.ask(ctx, func(ctx context.Context, l Limiter) (bool, time.Duration, error) { return l.Allow(ctx, key, rate) })
}

// AllowOnce implements Limiter.
func (f *Fallback) AllowOnce(ctx context.Context, key, name string, rate Rate) (bool, time.Duration, error) {
	return f.ask(ctx, func(ctx context.Context, l Limiter) (bool, time.Duration, error) {
		return l.AllowOnce(ctx, key, name, rate)
	})
}

// Would implements Limiter.
func (f *Fallback) Would(ctx context.Context, key string, rate Rate) (bool, time.Duration, error) {
	return f.ask(ctx, func(ctx context.Context, l Limiter) (bool, time.Duration, error) { return l.Would(ctx, key, rate) })
}

// Spend implements Limiter.
func (f *Fallback) Spend(ctx context.Context, key string, n int, until time.Time) (ok bool, left int, err error) {
	ok, _, err = f.ask(ctx, func(ctx context.Context, l Limiter) (ok bool, _ time.Duration, err error) {
		ok, left, err = l.Spend(ctx, key, n, until)
		return ok, 0, err
	})
	return ok, left, err
}

func (f *Fallback) ask(ctx context.Context, one func(context.Context, Limiter) (bool, time.Duration, error)) (bool, time.Duration, error) {
	f.mu.Lock()
	closed := f.now().Before(f.until)
	f.mu.Unlock()
	if closed {
		return one(ctx, f.secondary)
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ok, wait, err := one(short, f.primary)
	if err != nil && ctx.Err() != nil {
		return false, 0, err // the caller gave up, not Redis
	}
	f.note(err == nil)
	if err != nil {
		return one(ctx, f.secondary)
	}
	return ok, wait, nil
}

func (f *Fallback) note(well bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !well {
		f.until = f.now().Add(breakFor)
		if !f.away {
			f.log.Warn("Redis is unreachable: limits are counted in this process")
		}
	}
	f.away = !well
}
