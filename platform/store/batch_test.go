package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// Of many transactions at once every one has its effect or its own error, once.
func TestGroup(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		exec := func(tx *store.Tx, query string, args ...any) error {
			_, err := tx.ExecContext(t.Context(), query, args...)
			return err
		}
		if err := db.InTx(t.Context(), func(tx *store.Tx) error { return exec(tx, "CREATE TABLE grouped (n BIGINT PRIMARY KEY)") }); err != nil {
			t.Fatal(err)
		}
		g := store.NewGroup(db)
		planned := errors.New("planned")
		const callers, each = 64, 20
		var all sync.WaitGroup
		var failed, panicked atomic.Int64
		for caller := range callers {
			all.Go(func() {
				for n := range each {
					number := caller*each + n
					err := guarded(&panicked, func() error {
						return g.InTx(t.Context(), func(tx *store.Tx) error {
							if err := exec(tx, "INSERT INTO grouped (n) VALUES ($1)", number); err != nil {
								return err
							}
							switch number % 50 {
							case 7:
								return planned
							case 8:
								return exec(tx, "INSERT INTO grouped (n) VALUES ($1)", number) // twice: PostgreSQL's transaction is dead
							case 9:
								panic("planned")
							}
							return nil
						})
					})
					bad := number%50 >= 7 && number%50 <= 9
					if (err != nil) != bad || (number%50 == 7 && !errors.Is(err, planned)) || (number%50 == 8 && !store.IsUnique(err)) {
						t.Errorf("%d ended with %v", number, err)
					}
					if err != nil {
						failed.Add(1)
					}
				}
			})
		}
		all.Wait()
		var rows int64
		if err := db.Reader().QueryRow("SELECT COUNT(*) FROM grouped").Scan(&rows); err != nil {
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
func TestGroupLeave(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		g := store.NewGroup(db)
		entered, hold := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- g.InTx(t.Context(), func(*store.Tx) error { close(entered); <-hold; return nil })
		}()
		<-entered
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := g.InTx(ctx, func(*store.Tx) error { t.Error("it ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("whoever went away was told %v", err)
		}
		close(hold)
		ran := false
		if err := errors.Join(<-first, g.InTx(t.Context(), func(*store.Tx) error { ran = true; return nil })); err != nil || !ran {
			t.Errorf("the others: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := g.InTx(t.Context(), func(*store.Tx) error { return nil }); err == nil || strings.Contains(err.Error(), "group") {
			t.Errorf("on a closed database: %v", err)
		}
	})
}
