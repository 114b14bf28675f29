package fine_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestAPlateCountsOnce: look-ups of one plate that come at once, in any spelling, are one
// of the hour's plates, and it stays free when the hour's are used up.
func TestAPlateCountsOnce(t *testing.T) {
	t.Parallel()
	t.Run("in the process", func(t *testing.T) {
		t.Parallel()
		countsOnce(t, newWorld(t, storetest.Open(t, storetest.NewSQLite(t))))
	})
	t.Run("in Redis", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, storetest.Open(t, storetest.NewPostgres(t)))
		address := os.Getenv("ESHIK_TEST_REDIS")
		if address == "" {
			t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
		}
		client := redis.NewClient(&redis.Options{Addr: address})
		t.Cleanup(func() { _ = client.Close() })
		w.Service.Limiter = apart{limit.NewRedis(client), uuid.NewString() + ":"}
		countsOnce(t, w)
	})
}

// apart counts in a Redis that other tests share, under keys of its own.
type apart struct {
	limit.Limiter
	prefix string
}

func (a apart) AllowOnce(ctx context.Context, key, name string, rate limit.Rate) (bool, time.Duration, error) {
	return a.Limiter.AllowOnce(ctx, a.prefix+key, name, rate)
}

func countsOnce(t *testing.T, w *world) {
	t.Helper()
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			if _, err := w.Lookup(t.Context(), w.caller(""), []string{"01KG000ABC", "01 kg 000 abc"}[i%2]); err != nil {
				t.Errorf("look-up %d: %v", i, err)
			}
		})
	}
	group.Wait()
	for n := range 12 {
		_, err := w.Lookup(t.Context(), w.caller(""), fmt.Sprintf("01KG%03dABC", n))
		if n < 10 {
			testworld.OK(t, err)
		} else if problem.From(err).Key != "problem.fine_plates" {
			t.Errorf("plate %d: %v", n+1, err)
		}
	}
	_, err := w.Lookup(t.Context(), w.caller(""), "01KG000ABC")
	testworld.OK(t, err)
}
