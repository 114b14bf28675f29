package limit_test

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/limit"
)

// redisVariable names the environment variable with the host:port of a
// throwaway Redis; `make test` sets it.
const redisVariable = "ESHIK_TEST_REDIS"

func newRedis(t *testing.T) *limit.Redis {
	t.Helper()
	address := os.Getenv(redisVariable)
	if address == "" {
		t.Fatalf("%s is not set: run the tests with `make test`, which starts a throwaway Redis", redisVariable)
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return limit.NewRedis(client)
}

// TestConformance holds both limiters to the same promises, by the real clock.
func TestConformance(t *testing.T) {
	for name, limiter := range map[string]limit.Limiter{"memory": limit.NewMemory(time.Now), "redis": newRedis(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("at most N at once", func(t *testing.T) { atMostAtOnce(t, limiter) })
			t.Run("allowed again after the wait", func(t *testing.T) { allowedAgain(t, limiter) })
			t.Run("never more than N in any span", func(t *testing.T) { neverMore(t, limiter) })
			t.Run("a name counts once", func(t *testing.T) { countsOnce(t, limiter) })
			t.Run("S5 F3: a question counts nothing", func(t *testing.T) { questions(t, limiter) })
			t.Run("so many until a moment", func(t *testing.T) { untilAMoment(t, limiter) })
			t.Run("none at all", func(t *testing.T) {
				ok, wait, err := limiter.Allow(t.Context(), uuid.NewString(), limit.Rate{N: 0, Per: time.Minute})
				if ok || wait != time.Minute || err != nil {
					t.Errorf("a rate of none gave %v, %v, %v", ok, wait, err)
				}
			})
		})
	}
}

func atMostAtOnce(t *testing.T, limiter limit.Limiter) {
	key, other := uuid.NewString(), uuid.NewString()
	rate := limit.Rate{N: 10, Per: time.Hour}
	var allowed atomic.Int64
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			ok, wait, err := limiter.Allow(t.Context(), key, rate)
			if err != nil {
				t.Error(err)
			}
			if ok {
				allowed.Add(1)
			} else if wait <= 0 || wait > time.Hour {
				t.Errorf("refused with a wait of %v", wait)
			}
		})
	}
	group.Wait()
	if n := allowed.Load(); n != 10 {
		t.Errorf("%d of 64 were allowed, want 10", n)
	}
	if ok, _, err := limiter.Allow(t.Context(), other, rate); !ok || err != nil {
		t.Errorf("another key got %v, %v", ok, err)
	}
}

// countsOnce: uses of one name that come at once are one use, and it stays allowed when
// another is not.
func countsOnce(t *testing.T, limiter limit.Limiter) {
	key, rate := uuid.NewString(), limit.Rate{N: 3, Per: time.Hour}
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			if ok, wait, err := limiter.AllowOnce(t.Context(), key, []string{"a", "b"}[i%2], rate); !ok || wait != 0 || err != nil {
				t.Errorf("one of two names got %v, %v, %v", ok, wait, err)
			}
		})
	}
	group.Wait()
	if ok, _, err := limiter.Allow(t.Context(), key, rate); !ok || err != nil { // the third
		t.Errorf("after two names: %v, %v", ok, err)
	}
	for name, want := range map[string]bool{"a": true, "b": true, "c": false} {
		ok, wait, err := limiter.AllowOnce(t.Context(), key, name, rate)
		if ok != want || err != nil || !ok && (wait <= 0 || wait > time.Hour) {
			t.Errorf("%s: %v, %v, %v", name, ok, wait, err)
		}
	}
	if ok, _, err := limiter.AllowOnce(t.Context(), uuid.NewString(), "c", rate); !ok || err != nil {
		t.Errorf("another key: %v, %v", ok, err)
	}
}

// untilAMoment: as many as are given before the moment, whoever asks at once, and as many
// again before the next one.
func untilAMoment(t *testing.T, limiter limit.Limiter) {
	key, until := uuid.NewString(), time.Now().Add(time.Hour)
	for _, end := range []time.Time{until, until.Add(time.Hour)} {
		var allowed, left atomic.Int64
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				ok, more, err := limiter.Spend(t.Context(), key, 10, end)
				if err != nil {
					t.Error(err)
				}
				if ok {
					allowed.Add(1)
				}
				left.Add(int64(more))
			})
		}
		group.Wait()
		if n := allowed.Load(); n != 10 || left.Load() != 45 { // 9 + 8 + … + 0: each was told another number
			t.Errorf("%d of 64 were allowed, want 10; what was left adds up to %d, want 45", n, left.Load())
		}
	}
}

func questions(t *testing.T, limiter limit.Limiter) {
	key, rate := uuid.NewString(), limit.Rate{N: 2, Per: time.Hour}
	for used := range 4 {
		for range 5 {
			if ok, wait, err := limiter.Would(t.Context(), key, rate); ok != (used < 2) || err != nil || !ok && (wait <= 0 || wait > time.Hour) {
				t.Errorf("after %d uses: %v, %v, %v", used, ok, wait, err)
			}
		}
		if ok, _, err := limiter.Allow(t.Context(), key, rate); ok != (used < 2) || err != nil {
			t.Errorf("use %d: %v, %v", used, ok, err)
		}
	}
}

func allowedAgain(t *testing.T, limiter limit.Limiter) {
	key, rate := uuid.NewString(), limit.Rate{N: 1, Per: 100 * time.Millisecond}
	begun := time.Now()
	if ok, _, err := limiter.Allow(t.Context(), key, rate); !ok || err != nil {
		t.Fatalf("the first use gave %v, %v", ok, err)
	}
	for time.Since(begun) < 10*time.Second {
		ok, wait, err := limiter.Allow(t.Context(), key, rate)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			if waited := time.Since(begun); waited < 99*time.Millisecond {
				t.Errorf("allowed again after only %v", waited)
			}
			return
		}
		<-time.After(wait)
	}
	t.Error("not allowed again in 10 s")
}

func neverMore(t *testing.T, limiter limit.Limiter) {
	key, rate := uuid.NewString(), limit.Rate{N: 3, Per: 50 * time.Millisecond}
	type span struct{ before, after time.Time }
	var allowed []span
	for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
		before := time.Now()
		ok, _, err := limiter.Allow(t.Context(), key, rate)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			allowed = append(allowed, span{before, time.Now()})
		}
	}
	if len(allowed) < 2*rate.N {
		t.Fatalf("only %d uses in six spans", len(allowed))
	}
	for i := rate.N; i < len(allowed); i++ {
		// The moments of the uses lie between these; a millisecond is for clocks.
		if apart := allowed[i].after.Sub(allowed[i-rate.N].before); apart < rate.Per-time.Millisecond {
			t.Errorf("uses %d and %d are %v apart", i-rate.N, i, apart)
		}
	}
}

func TestMemoryForgets(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	limiter := limit.NewMemory(func() time.Time { return now })
	rate := limit.Rate{N: 1, Per: time.Minute}
	for range 5000 {
		if ok, _, _ := limiter.Allow(t.Context(), uuid.NewString(), rate); !ok {
			t.Fatal("refused")
		}
		now = now.Add(time.Second)
	}
	if n := limiter.Keys(); n > 2200 {
		t.Errorf("%d keys are remembered, of which 60 count", n)
	}
}

func TestRedisDown(t *testing.T) {
	client := redis.NewClient(&redis.Options{
		Addr: "192.0.2.1:1", MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded },
	})
	defer client.Close()
	ok, _, err := limit.NewRedis(client).Allow(t.Context(), "key", limit.Rate{N: 1, Per: time.Second})
	if ok || err == nil {
		t.Errorf("without Redis Allow gave %v, %v", ok, err)
	}
}
