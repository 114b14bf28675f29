package audit_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/transparency"
)

func openTree(t *testing.T, db *store.DB) *transparency.Tree {
	t.Helper()
	tree, err := transparency.Open(t.Context(), transparency.Deps{DB: db, Sealer: testworld.Sealer(t), Random: rand.Reader, Now: time.Now},
		audit.Tree, "eshik.example.kg/audit")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// checkpoint seals, grows and signs what was recorded.
func checkpoint(t *testing.T, log *audit.Log, tree *transparency.Tree) transparency.Checkpoint {
	t.Helper()
	if _, err := log.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := log.Grow(t.Context(), tree); err != nil {
		t.Fatal(err)
	}
	c, err := tree.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Checkpoints of every age hold for the log that grew on, across the batches.
func TestCheckpointsHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log, tree := newLog(t, db), openTree(t, db)
		kept := []transparency.Checkpoint{checkpoint(t, log, tree)}
		for _, n := range []int{1, 520, 3, 1001} {
			record(t, db, log, n)
			kept = append(kept, checkpoint(t, log, tree))
		}
		record(t, db, log, 2) // not sealed
		for i, want := range []int64{0, 1, 521, 524, 1525} {
			if kept[i].Size != want {
				t.Errorf("checkpoint %d is of %d records, want %d", i, kept[i].Size, want)
			}
			if err := audit.VerifyCheckpoint(t.Context(), db, kept[i]); err != nil {
				t.Errorf("checkpoint %d: %v", i, err)
			}
		}
	})
}

// Whatever is done to the records that a checkpoint is of is found without the master
// key, and named where the tree was left alone.
func TestCheckpointsNameWhatWasChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log, tree := newLog(t, db), openTree(t, db)
		record(t, db, log, 8)
		c := checkpoint(t, log, tree)
		record(t, db, log, 4)
		checkpoint(t, log, tree)
		for name, row := range map[string]struct {
			statements []string
			names      string
		}{
			"changed":         {[]string{"UPDATE audit_records SET subject = 'citizen9' WHERE n = 3"}, "record 3 (certificate.read of object2)"},
			"another moment":  {[]string{"UPDATE audit_records SET happened_at = happened_at + 1 WHERE n = 8"}, "record 8"},
			"another digest":  {[]string{"UPDATE audit_records SET decided = '' WHERE n = 1"}, "record 1"},
			"dropped":         {[]string{"DELETE FROM audit_records WHERE n = 4"}, "record 4 is missing"},
			"moved":           {[]string{"UPDATE audit_records SET n = 100 WHERE n = 5", "UPDATE audit_records SET n = 5 WHERE n = 6", "UPDATE audit_records SET n = 6 WHERE n = 100"}, "record 5"},
			"cut off":         {[]string{"DELETE FROM audit_records WHERE n > 7"}, "the log has 7"},
			"added in front":  {[]string{"UPDATE audit_records SET n = n + 1000", "UPDATE audit_records SET n = n - 999", "INSERT INTO audit_records (id, happened_at, actor, action, object, subject, purpose, mac, decided, n) VALUES ('x', 1, 'a', 'b', 'c', 'd', 'e', 'f', '', 1)"}, "record 1 (b of c)"},
			"with its leaves": {[]string{"UPDATE audit_records SET subject = 'citizen9' WHERE n = 3", "DELETE FROM transparency_hashes"}, "not those of the checkpoint"},
		} {
			before := storetest.Dump(t, db)
			undo := errors.New("undo")
			err := db.InTx(t.Context(), func(tx *store.Tx) error {
				for _, statement := range row.statements {
					if _, err := tx.ExecContext(t.Context(), statement); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				if err := audit.CheckRecords(t.Context(), tx.Tx, c); !errors.Is(err, audit.ErrTampered) || !strings.Contains(err.Error(), row.names) {
					t.Errorf("%s: said %v", name, err)
				}
				return undo
			})
			if !errors.Is(err, undo) || storetest.Dump(t, db) != before {
				t.Fatalf("%s was not undone: %v", name, err)
			}
		}
		if err := audit.VerifyCheckpoint(t.Context(), db, c); err != nil {
			t.Errorf("nothing is changed: %v", err)
		}
	})
}
