package session_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/session"
)

// redisVariable names the environment variable with the address of a throwaway
// Redis; `make test` sets it.
const redisVariable = "ESHIK_TEST_REDIS"

// each runs test on a fresh store of either kind. Without a Redis the test
// fails: it is never skipped.
func each(t *testing.T, test func(t *testing.T, store session.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, session.NewMemory())
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		client, prefix := newRedis(t)
		test(t, onRedis(t, client, prefix))
	})
}

// onRedis is the store on a client.
func onRedis(t testing.TB, client redis.UniversalClient, prefix string) *session.Redis {
	t.Helper()
	store, err := session.NewRedis(client, prefix)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// newRedis gives a client and a key prefix of the test's own, whose keys go
// with the test.
func newRedis(t testing.TB) (*redis.Client, string) {
	t.Helper()
	address := os.Getenv(redisVariable)
	if address == "" {
		t.Fatalf("%s is not set: run the tests with `make test`, which starts a throwaway Redis", redisVariable)
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	ctx := context.Background()
	if err := client.Ping(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	prefix := "eshiktest" + uuid.NewString()
	t.Cleanup(func() {
		for _, key := range redisKeys(t, client, prefix) {
			client.Del(ctx, key)
		}
		_ = client.Close()
	})
	return client, prefix
}

func redisKeys(t testing.TB, client *redis.Client, prefix string) []string {
	t.Helper()
	var keys []string
	it := client.Scan(context.Background(), 0, prefix+":*", 1000).Iterator()
	for it.Next(context.Background()) {
		keys = append(keys, it.Val())
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestStoreSaves(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store session.Store) {
		ctx := context.Background()
		soon := time.Now().Add(time.Minute).Truncate(time.Millisecond)
		if rec, err := store.Load(ctx, "a"); err != nil || rec.Version != 0 {
			t.Fatalf("an absent record is %+v, %v", rec, err)
		}
		first := session.Record{Version: 7, Expires: soon, Data: []byte{0, 1, 0xff}}
		if err := store.Save(ctx, "a", first, 0); err != nil {
			t.Fatal(err)
		}
		got, err := store.Load(ctx, "a")
		if err != nil || got.Version != 7 || !got.Expires.Equal(soon) || !bytes.Equal(got.Data, first.Data) {
			t.Fatalf("loaded %+v, %v", got, err)
		}
		for _, stale := range []int64{0, 6, 8} {
			if err := store.Save(ctx, "a", session.Record{Version: 9, Expires: soon}, stale); !errors.Is(err, session.ErrConflict) {
				t.Errorf("saving over version %d gave %v", stale, err)
			}
		}
		if f, ok := store.(*session.Fallback); ok && f.Away() {
			t.Log("without Redis a first save in the database is trusted") // see Fallback.Save
		} else if err := store.Save(ctx, "b", first, 7); !errors.Is(err, session.ErrConflict) {
			t.Errorf("saving over a version that never was gave %v", err)
		}
		if err := store.Save(ctx, "a", session.Record{Version: 8, Expires: soon}, 7); err != nil {
			t.Error(err)
		}
	})
}

func TestStoreDeletes(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store session.Store) {
		ctx := context.Background()
		rec := session.Record{Version: 3, Expires: time.Now().Add(time.Minute), Data: []byte("x")}
		if err := store.Save(ctx, "a", rec, 0); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			version int64
			want    bool
		}{{2, false}, {3, true}, {3, false}} {
			if got, err := store.Delete(ctx, "a", step.version); err != nil || got != step.want {
				t.Errorf("deleting version %d: %v, %v, want %v", step.version, got, err, step.want)
			}
		}
		if rec, err := store.Load(ctx, "a"); err != nil || rec.Version != 0 {
			t.Errorf("a deleted record is %+v, %v", rec, err)
		}
	})
}

func TestStoreListsExpired(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store session.Store) {
		ctx := context.Background()
		now := time.Now().Truncate(time.Millisecond)
		for key, expires := range map[string]time.Duration{"old": -time.Minute, "older": -time.Hour / 2, "young": time.Minute} {
			rec := session.Record{Version: 1, Expires: now.Add(expires), Data: []byte(key)}
			if err := store.Save(ctx, key, rec, 0); err != nil {
				t.Fatal(err)
			}
		}
		found, err := store.Expired(ctx, now, 10)
		if err != nil || len(found) != 2 {
			t.Fatalf("expired: %+v, %v", found, err)
		}
		for _, e := range found {
			if string(e.Data) != e.Key || e.Key == "young" || e.Version != 1 {
				t.Errorf("found %+v", e)
			}
		}
		if some, err := store.Expired(ctx, now, 1); err != nil || len(some) != 1 {
			t.Errorf("with a limit of one: %+v, %v", some, err)
		}
		// A record that goes on is no longer expired.
		rec := session.Record{Version: 2, Expires: now.Add(time.Minute), Data: []byte("old")}
		if err := store.Save(ctx, "old", rec, 1); err != nil {
			t.Fatal(err)
		}
		if left, err := store.Expired(ctx, now, 10); err != nil || len(left) != 1 || left[0].Key != "older" {
			t.Errorf("expired after one went on: %+v, %v", left, err)
		}
		// Nor is one that goes on before it expires, until its new time is over.
		rec = session.Record{Version: 2, Expires: now.Add(5 * time.Minute), Data: []byte("young")}
		if err := store.Save(ctx, "young", rec, 1); err != nil {
			t.Fatal(err)
		}
		keys := func(before time.Duration) (list string) {
			found, err := store.Expired(ctx, now.Add(before), 10)
			if err != nil {
				t.Error(err)
			}
			for _, e := range found {
				if e.Key == "young" {
					list += e.Key
				}
			}
			return list
		}
		if early, twice, late := keys(2*time.Minute), keys(2*time.Minute), keys(6*time.Minute); early+twice != "" || late != "young" {
			t.Errorf("one that went on expired: %q, %q, then %q", early, twice, late)
		}
	})
}

func TestStoreComparesAndSets(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, store session.Store) {
		ctx := context.Background()
		const writers, rounds = 16, 20
		var won [rounds]atomic.Int32
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for round := range int64(rounds) {
					rec := session.Record{Version: round + 1, Expires: time.Now().Add(time.Minute)}
					for {
						now, err := store.Load(ctx, "contended")
						if err != nil {
							t.Error(err)
							return
						}
						if now.Version > round {
							break
						}
						if now.Version == round && store.Save(ctx, "contended", rec, round) == nil {
							won[round].Add(1)
						}
					}
				}
			})
		}
		all.Wait()
		for round := range won {
			if n := won[round].Load(); n != 1 {
				t.Errorf("version %d was saved %d times", round+1, n)
			}
		}
	})
}

// Redis forgets an expired record by itself when nobody sweeps, and the index
// entry it leaves behind does not trouble anybody.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	client, prefix := newRedis(t)
	store := onRedis(t, client, prefix)
	ctx := context.Background()
	rec := session.Record{Version: 1, Expires: time.Now().Add(-session.Grace - time.Second)}
	if err := store.Save(ctx, "a", rec, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(ctx, "a"); err != nil || got.Version != 0 {
		t.Errorf("a record past its grace is %+v, %v", got, err)
	}
	if found, err := store.Expired(ctx, time.Now(), 10); err != nil || len(found) != 0 {
		t.Errorf("expired: %+v, %v", found, err)
	}
	if keys := redisKeys(t, client, prefix); len(keys) != 0 {
		t.Errorf("keys left behind: %v", keys)
	}
}

// counting counts a client's round trips.
type counting struct{ trips atomic.Int32 }

func (c *counting) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.trips.Add(1)
		return next(ctx, cmd)
	}
}

func (c *counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.trips.Add(1)
		return next(ctx, cmds)
	}
}

func TestATurnTakesTwoRoundTrips(t *testing.T) {
	t.Parallel()
	client, prefix := newRedis(t)
	w := newWorld(t, onRedis(t, client, prefix))
	w.say(t, aigul, "") // loads the script
	count := &counting{}
	client.AddHook(count)
	w.say(t, aigul, "1")
	if n := count.trips.Load(); n != 2 {
		t.Errorf("a turn took %d round trips, want 2", n)
	}
}
