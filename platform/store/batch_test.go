package store_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// numbers inserts each number with one statement for all, and fails on some.
func numbers(db *store.DB) *store.Batch[int, int] {
	insert := func(ctx context.Context, tx *store.Tx, items ...any) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO batched (n) VALUES "+store.Values(len(items), 1), items...)
		return err
	}
	return store.NewBatch(db, func(ctx context.Context, tx *store.Tx, items []int) ([]int, error) {
		all, doubled := make([]any, len(items)), make([]int, len(items))
		for i, n := range items {
			all[i], doubled[i] = n, 2*n
		}
		if err := insert(ctx, tx, all...); err != nil {
			return nil, err
		}
		for _, n := range items {
			switch n % 50 {
			case 7:
				return nil, errPlanned
			case 8:
				return nil, insert(ctx, tx, n) // twice: PostgreSQL's transaction is dead
			case 9:
				panic("planned")
			}
		}
		return doubled, nil
	})
}

var errPlanned = errors.New("planned")

// Of many items at once every one has its effect and its result, or its own
// error, once.
func TestBatch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if _, err := db.Writer().ExecContext(t.Context(), "CREATE TABLE batched (n BIGINT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
		b := numbers(db)
		const callers, each = 64, 20
		var all sync.WaitGroup
		var failed, panicked atomic.Int64
		for caller := range callers {
			all.Go(func() {
				for n := range each {
					number := caller*each + n
					var result int
					err := guarded(&panicked, func() (err error) { result, err = b.Do(t.Context(), number); return err })
					bad := number%50 >= 7 && number%50 <= 9
					if (err != nil) != bad || (number%50 == 7 && !errors.Is(err, errPlanned)) || (number%50 == 8 && !store.IsUnique(err)) {
						t.Errorf("%d ended with %v", number, err)
					}
					if err != nil {
						failed.Add(1)
					} else if result != 2*number {
						t.Errorf("%d was given the result %d", number, result)
					}
				}
			})
		}
		all.Wait()
		var rows int64
		if err := db.Reader().QueryRow("SELECT COUNT(*) FROM batched").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if want := callers*each - failed.Load(); rows != want || failed.Load() == 0 || panicked.Load() == 0 {
			t.Errorf("%d rows, want %d; %d panics", rows, want, panicked.Load())
		}
	})
}

// guarded turns a panic into an error, in the goroutine of its own caller.
func guarded(panicked *atomic.Int64, do func() error) (err error) {
	defer func() {
		if recover() != nil {
			panicked.Add(1)
			err = errors.New("panicked")
		}
	}()
	return do()
}

// Whoever went away before the turn came has no effect; the others have theirs.
func TestBatchLeave(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		entered, hold := make(chan struct{}), make(chan struct{})
		var worked sync.Map
		b := store.NewBatch(db, func(_ context.Context, _ *store.Tx, items []string) ([]bool, error) {
			for _, item := range items {
				worked.Store(item, true)
				if item == "holds" {
					close(entered)
					<-hold
				}
			}
			return make([]bool, len(items)), nil
		})
		var ended sync.WaitGroup
		ended.Go(func() {
			if _, err := b.Do(t.Context(), "holds"); err != nil {
				t.Error(err)
			}
		})
		<-entered
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := b.Do(ctx, "left"); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever went away was told %v", err)
		}
		close(hold)
		ended.Wait()
		if _, err := b.Do(t.Context(), "stays"); err != nil {
			t.Error(err)
		}
		_, left := worked.Load("left")
		if _, stays := worked.Load("stays"); left || !stays {
			t.Errorf("left: worked on %v; stays: %v", left, stays)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Do(t.Context(), "late"); err == nil || strings.Contains(err.Error(), "batch") {
			t.Errorf("on a closed database: %v", err)
		}
	})
}

// Whoever is told that time ran out has no effect, also when that happens while the
// batch ends.
func TestBatchTellsTheTruth(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	if _, err := db.Writer().ExecContext(t.Context(), "CREATE TABLE batched (n BIGINT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	b := numbers(db)
	late := 0
	for i := range 2000 {
		n := 50 * i
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(20+i%400)*time.Microsecond)
		_, err := b.Do(ctx, n)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			continue
		}
		late++
		if _, err := b.Do(t.Context(), n); err != nil {
			t.Errorf("%d was told that time ran out, and is there: %v", n, err)
		}
	}
	t.Logf("%d of 2000 ran out of time", late)
}

// Keys asked for at once are found by few queries, each with its own value.
func TestLookup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, lookUp)
}

func lookUp(t *testing.T) {
	var queries, asked atomic.Int64
	hold := make(chan struct{})
	l := store.NewLookup(func(_ context.Context, keys []string) (map[string]int, error) {
		queries.Add(1)
		asked.Add(int64(len(keys)))
		<-hold
		found := map[string]int{}
		for _, key := range keys {
			n, err := strconv.Atoi(key)
			if err != nil {
				return nil, err
			}
			if n%3 > 0 {
				found[key] = n
			}
		}
		return found, nil
	})
	get := func(n int) {
		value, found, err := l.Get(t.Context(), strconv.Itoa(n))
		if err != nil || found != (n%3 > 0) || (found && value != n) {
			t.Errorf("%d: %d, %v, %v", n, value, found, err)
		}
	}
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() { get(n) })
		all.Go(func() { get(n) })
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Get(ctx, "1"); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever does not wait was told %v", err)
	}
	synctest.Wait() // all have asked
	close(hold)
	all.Wait()
	if queries.Load() > 3 || asked.Load() > 100 {
		t.Errorf("%d queries for %d keys", queries.Load(), asked.Load())
	}
	if _, _, err := l.Get(t.Context(), "rubbish"); err == nil {
		t.Error("a failed query found something")
	}
}
