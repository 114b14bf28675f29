package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

const scratch = "CREATE TABLE scratch (id TEXT PRIMARY KEY, n BIGINT NOT NULL, happened_at BIGINT)"

func makeScratch(t *testing.T, db *store.DB) {
	t.Helper()
	if _, err := db.Writer().ExecContext(t.Context(), scratch); err != nil {
		t.Fatal(err)
	}
}

func TestConcurrentTransactionsLoseNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeScratch(t, db)
		if _, err := db.Writer().ExecContext(t.Context(), "INSERT INTO scratch (id, n) VALUES ('a', 0)"); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				err := db.InTx(t.Context(), func(tx *store.Tx) error {
					_, err := tx.ExecContext(t.Context(), "UPDATE scratch SET n = n + 1 WHERE id = $1", "a")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var n int
		if err := db.Reader().QueryRowContext(t.Context(), "SELECT n FROM scratch").Scan(&n); err != nil || n != 32 {
			t.Fatalf("%d, %v", n, err)
		}
	})
}

// A statement for each row: how many each one changed, or nothing at all.
func TestEach(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeScratch(t, db)
		each := func(query string, rows ...[]any) (changed []int64, err error) {
			err = db.InTx(t.Context(), func(tx *store.Tx) (err error) {
				changed, err = tx.Each(t.Context(), query, rows)
				return err
			})
			return changed, err
		}
		const insert = "INSERT INTO scratch (id, n) VALUES ($1, $2) ON CONFLICT DO NOTHING"
		if changed, err := each(insert, []any{"a", 1}, []any{"b", 2}, []any{"a", 3}); err != nil || !slices.Equal(changed, []int64{1, 1, 0}) {
			t.Errorf("inserted %v, %v", changed, err)
		}
		if changed, err := each("UPDATE scratch SET n = n + $2 WHERE id = $1", []any{"c", 1}, []any{"b", 40}); err != nil || !slices.Equal(changed, []int64{0, 1}) {
			t.Errorf("updated %v, %v", changed, err)
		}
		if changed, err := each(insert); err != nil || len(changed) != 0 {
			t.Errorf("for no row: %v, %v", changed, err)
		}
		if _, err := each("INSERT INTO scratch (id, n) VALUES ($1, $2)", []any{"d", 1}, []any{"a", 1}); !store.IsUnique(err) {
			t.Errorf("one that fails: %v", err)
		}
		var ids, sum int
		if err := db.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*), SUM(n) FROM scratch").Scan(&ids, &sum); err != nil || ids != 2 || sum != 43 {
			t.Errorf("%d rows, sum %d, %v", ids, sum, err)
		}
	})
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeScratch(t, db)
		planned := errors.New("planned")
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO scratch (id, n) VALUES ('b', 1)"); err != nil {
				t.Error(err)
			}
			return planned
		})
		if !errors.Is(err, planned) {
			t.Fatal(err)
		}
		var n int
		if err := db.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM scratch").Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d, %v", n, err)
		}
	})
}

func TestUniqueViolationsAreRecognised(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeScratch(t, db)
		insert := func() error {
			_, err := db.Writer().ExecContext(t.Context(), "INSERT INTO scratch (id, n) VALUES ('c', 1)")
			return err
		}
		if err := insert(); err != nil {
			t.Fatal(err)
		}
		if err := insert(); !store.IsUnique(err) {
			t.Fatalf("got %v", err)
		}
		if store.IsUnique(context.Canceled) || store.IsUnique(nil) {
			t.Fatal("another error counts as one")
		}
	})
}

func TestTimesSurvive(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeScratch(t, db)
		at := dbtime.From(time.Date(2026, 2, 3, 4, 5, 6, 789_999, time.FixedZone("x", 3600)))
		for id, value := range map[string]dbtime.Time{"set": at, "null": {}} {
			if _, err := db.Writer().ExecContext(t.Context(), "INSERT INTO scratch (id, n, happened_at) VALUES ($1, 0, $2)", id, value); err != nil {
				t.Fatal(err)
			}
			var got dbtime.Time
			if err := db.Reader().QueryRowContext(t.Context(), "SELECT happened_at FROM scratch WHERE id = $1", id).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != value {
				t.Fatalf("wrote %v, read %v", value, got)
			}
		}
	})
}

// TestTheReaderCannotWrite holds on SQLite, where reads have connections of
// their own.
func TestTheReaderCannotWrite(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	if _, err := db.Reader().ExecContext(t.Context(), "CREATE TABLE x (y TEXT)"); err == nil {
		t.Fatal("it wrote")
	}
}

func TestMigrateTwiceIsMigrateOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if n, err := db.Migrate(t.Context()); n != 0 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	})
}

// A folder may have any name: what a URI would end at is part of it.
func TestSQLiteInAnOddFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a#b?c%20d é")
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(folder, "eshik.db")) // itself: storetest copies a file
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	makeScratch(t, db)
	info, err := os.Stat(filepath.Join(folder, "eshik.db"))
	if err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
		t.Errorf("the database is not in its file: %v, %v", info, err)
	}
	if others, err := os.ReadDir(filepath.Dir(folder)); err != nil || len(others) != 1 {
		t.Errorf("beside the folder lie %v, %v", others, err)
	}
}

func TestOpenRefusesOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"", "mysql://x", "eshik.db"} {
		if _, err := store.Open(t.Context(), dsn); err == nil {
			t.Errorf("%q opened", dsn)
		}
	}
}

// TestClock: the database's clock is about ours, as both are one machine's here.
func TestClock(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now, err := db.Clock(t.Context())
		if err != nil || time.Since(now).Abs() > time.Minute {
			t.Errorf("%s, %v", now, err)
		}
	})
}
