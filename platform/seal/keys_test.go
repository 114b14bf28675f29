package seal_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// master is a master key of one repeated byte.
func master(t *testing.T, fill byte) *seal.LocalMaster {
	t.Helper()
	m, err := seal.NewLocalMaster(bytes.Repeat([]byte{fill}, seal.MasterKeySize))
	testworld.OK(t, err)
	return m
}

func tryKeys(db *store.DB, now func() time.Time, masters ...seal.Master) (*seal.Keys, error) {
	return seal.Open(context.Background(), seal.Deps{DB: db, Masters: masters, Now: now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
}

// keys are those of a process that starts with the master keys.
func keys(t *testing.T, db *store.DB, now func() time.Time, masters ...seal.Master) *seal.Keys {
	t.Helper()
	k, err := tryKeys(db, now, masters...)
	testworld.OK(t, err)
	return k
}

func sealed(t *testing.T, k *seal.Keys, plain string) []byte {
	t.Helper()
	out, err := k.Sealer().Seal([]byte(plain), "place")
	testworld.OK(t, err)
	return out
}

// opens fails unless the value opens to plain.
func opens(t *testing.T, k *seal.Keys, value []byte, plain string) {
	t.Helper()
	if got, err := k.Sealer().Open(value, "place"); err != nil || string(got) != plain {
		t.Fatalf("%q opened as %q, %v", plain, got, err)
	}
}

func exec(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	_, err := db.Writer().ExecContext(t.Context(), query, args...)
	testworld.OK(t, err)
}

func inTx(t *testing.T, db *store.DB, do func(tx *store.Tx) error) {
	t.Helper()
	testworld.OK(t, db.InTx(t.Context(), do))
}

// TestProcessesShareKeys: of several that start at once on an empty database one makes the
// keys, and all open and index alike; nothing in the database seals without the master key.
func TestProcessesShareKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		all := make([]*seal.Keys, 8)
		var start sync.WaitGroup
		for i := range all {
			start.Go(func() { all[i], _ = tryKeys(db, time.Now, master(t, 1)) })
		}
		start.Wait()
		if slices.Contains(all, nil) {
			t.Fatal("one of eight did not start")
		}
		value := sealed(t, all[0], "a")
		for _, k := range all {
			opens(t, k, value, "a")
			if k.Sealer().Index("p", "v") != all[0].Sealer().Index("p", "v") {
				t.Error("two indexes of one value")
			}
		}
		if derived := sealer(t, 1); derived.Index("p", "v") == all[0].Sealer().Index("p", "v") {
			t.Error("the key of the indexes of a new database follows from its master key")
		}
	})
}

// TestWhatIsWrongWithKeys: another master key, a row that was changed and two rows that were
// exchanged are refused at the start, in words that say what to do.
func TestWhatIsWrongWithKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		first := master(t, 1)
		value := sealed(t, keys(t, db, time.Now, first), "a")
		refused := func(what string, says []string, given ...seal.Master) {
			t.Helper()
			_, err := tryKeys(db, time.Now, given...)
			var wrong *seal.WrongMaster
			if !errors.As(err, &wrong) {
				t.Fatalf("%s: %v", what, err)
			}
			for _, part := range says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: %q is not said in: %v", what, part, err)
				}
			}
		}
		refused("another master key", []string{first.ID(), master(t, 2).ID(), "ESHIK_MASTER_KEY_FORMER"}, master(t, 2))
		wraps := make([][]byte, 2)
		for number := range wraps {
			testworld.OK(t, db.Reader().QueryRowContext(t.Context(), "SELECT wrapped FROM seal_keys WHERE number = $1", number).Scan(&wraps[number]))
		}
		put := func(number int, wrapped []byte) {
			t.Helper()
			exec(t, db, "UPDATE seal_keys SET wrapped = $1 WHERE number = $2", wrapped, number)
		}
		put(0, wraps[1])
		put(1, wraps[0])
		refused("two rows exchanged", []string{"seal_keys", "backup"}, first)
		put(0, wraps[0])
		changed := bytes.Clone(wraps[1])
		changed[len(changed)/2] ^= 1
		put(1, changed)
		refused("a changed row", []string{"the wrapped key 1", "backup"}, first)
		put(1, wraps[1])
		opens(t, keys(t, db, time.Now, first), value, "a")
	})
}

// TestADatabaseFromBefore: what was sealed and indexed by keys derived from the master key
// goes on, also in processes of the version before, until the data key is rotated.
func TestADatabaseFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Before(t, 200, func(t *testing.T, db *store.DB) {
		exec(t, db, "INSERT INTO identity_keys (slot, kid, private_sealed, created_at) VALUES (1, 't1', $1, 1)", []byte{1})
		_, err := db.Migrate(t.Context())
		testworld.OK(t, err)
		before := sealer(t, 1)
		old, err := before.Seal([]byte("old"), "place")
		testworld.OK(t, err)
		check := func(k *seal.Keys) {
			t.Helper()
			opens(t, k, old, "old")
			if got, err := before.Open(sealed(t, k, "new"), "place"); err != nil || string(got) != "new" {
				t.Errorf("the version before opens %q, %v", got, err)
			}
			if k.Sealer().Index("p", "v") != before.Index("p", "v") {
				t.Error("the indexes are others")
			}
		}
		k := keys(t, db, time.Now, master(t, 1))
		check(k)
		if wrong := keys(t, db, time.Now, master(t, 2)); wrong != nil { // who opens by it finds out
			if _, err := wrong.Sealer().Open(old, "place"); !errors.Is(err, seal.ErrOpen) {
				t.Errorf("another master key: %v", err)
			}
		}
		testworld.OK(t, k.Keep(t.Context()))
		testworld.OK(t, k.Keep(t.Context()))
		check(k)
		check(keys(t, db, time.Now, master(t, 1)))
		if _, err := tryKeys(db, time.Now, master(t, 2)); err == nil {
			t.Error("another master key was taken when the keys had been wrapped")
		}
	})
}

// TestTwoMasterKeys: while a master key is replaced processes with either start or go on, and
// afterwards the former one opens nothing.
func TestTwoMasterKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		former, next := master(t, 1), master(t, 2)
		running := keys(t, db, time.Now, former)
		value := sealed(t, running, "a")
		first, second := keys(t, db, time.Now, next, former), keys(t, db, time.Now, next, former)
		var both sync.WaitGroup
		total := make([]int, 2)
		for i, k := range []*seal.Keys{first, second} {
			both.Go(func() {
				err := db.InTx(t.Context(), func(tx *store.Tx) (err error) { total[i], err = k.Rewrap(t.Context(), tx); return err })
				if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if total[0]+total[1] != 2 {
			t.Errorf("two processes rewrapped %v keys of two", total)
		}
		testworld.OK(t, running.Refresh(t.Context())) // it was not given the new one, and goes on by what it holds
		for _, k := range []*seal.Keys{running, first, second, keys(t, db, time.Now, next), keys(t, db, time.Now, next, former)} {
			opens(t, k, value, "a")
			opens(t, first, sealed(t, k, "b"), "b")
		}
		if _, err := tryKeys(db, time.Now, former); err == nil {
			t.Error("the former master key still opens the keys")
		}
	})
}

// TestANewKeyIsKnownBeforeItSeals: a process that read it seals by it when its moment comes; one that did not
// opens what it sealed all the same, and seals by nothing that it read long ago.
func TestANewKeyIsKnownBeforeItSeals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		clock := testworld.NewClock(time.Time{})
		reads, sleeps := keys(t, db, clock.Now, master(t, 1)), keys(t, db, clock.Now, master(t, 1))
		inTx(t, db, func(tx *store.Tx) error {
			key, made, err := reads.Add(t.Context(), tx)
			if err != nil || !made || key.Number != 2 {
				t.Errorf("made %+v, %v, %v", key, made, err)
			}
			if again, made, err := sleeps.Add(t.Context(), tx); err != nil || made || again.Number != 2 {
				t.Errorf("while one waits, made %+v, %v, %v", again, made, err)
			}
			return nil
		})
		by := func(k *seal.Keys, want uint32) {
			t.Helper()
			value := sealed(t, k, "v")
			if n, _ := seal.Number(value); n != want {
				t.Errorf("sealed by data key %d, want %d", n, want)
			}
			opens(t, reads, value, "v")
			opens(t, sleeps, value, "v")
		}
		testworld.OK(t, reads.Refresh(t.Context()))
		by(reads, 1)
		clock.Pass(seal.Leads)
		testworld.OK(t, reads.Refresh(t.Context()))
		by(sleeps, 1)
		by(reads, 2)
		clock.Pass(6 * time.Minute)
		by(sleeps, 2)

		before := sealed(t, reads, "gone")
		inTx(t, db, func(tx *store.Tx) error { return reads.Destroy(t.Context(), tx, 2) })
		testworld.OK(t, reads.Refresh(t.Context()))
		if _, err := reads.Sealer().Open(before, "place"); !errors.Is(err, seal.ErrKeyGone) || !errors.Is(err, seal.ErrOpen) {
			t.Errorf("a value whose key was destroyed: %v", err)
		}
	})
}
