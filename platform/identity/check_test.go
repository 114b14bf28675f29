package identity_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// M5 i, l: who holds which phone is what the audit log says, or it is named.
func TestM5PhonesAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.prove(aigul)
		check := func() error {
			c := identity.NewCheck(w.Audit, w.deps.Sealer)
			return db.Snapshot(t.Context(), func(tx *sql.Tx) error {
				if _, err := w.Audit.Replay(t.Context(), tx, c.See); err != nil {
					return err
				}
				return c.Run(t.Context(), tx)
			})
		}
		if err := check(); err != nil {
			t.Fatalf("untouched: %v", err)
		}
		w.Pass(identity.ProofLasts / 2)
		if err := w.service.Release(t.Context(), staff.Act{Actor: "operator"}, aigul); err != nil {
			t.Fatal(err)
		}
		if err := check(); err != nil {
			t.Fatalf("released: %v", err)
		}
		for _, c := range []struct{ table, do, named string }{
			{"identity_phones", "UPDATE identity_phones SET released_at = NULL, generation = 0", "was released at no time"},
			{"identity_phones", "UPDATE identity_phones SET generation = 0", "cut off 0 times, the audit log says 1"},
			{"identity_phones", "DELETE FROM identity_phones", "is gone"},
			{"identity_proofs", "UPDATE identity_proofs SET expires_at = expires_at + 1000000", "outlives what ended it"},
			{"identity_proofs", "UPDATE identity_proofs SET id = 'invented'", "nothing of the proof invented"},
			{"identity_proofs", "UPDATE identity_proofs SET phone_index = 'x'", "another phone's"},
			{"identity_proofs", "UPDATE identity_proofs SET proved_at = proved_at + 1", "the audit log says of"},
		} {
			run := func(statement string) {
				if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			run("CREATE TABLE kept AS SELECT * FROM " + c.table)
			run(c.do)
			if err := check(); err == nil || !strings.Contains(err.Error(), c.named) {
				t.Errorf("%s: %v", c.do, err)
			}
			run("DELETE FROM " + c.table)
			run("INSERT INTO " + c.table + " SELECT * FROM kept")
			run("DROP TABLE kept")
		}
		if err := check(); err != nil {
			t.Errorf("restored: %v", err)
		}
	})
}

// look compares identity's rows with the log in a transaction.
func (w *world) look(tx *sql.Tx) (older int, err error) {
	return w.Compare(tx, identity.NewCheck(w.Audit, w.Sealer))
}

// fsck wants nothing to be found.
func (w *world) fsck(after string) {
	w.T.Helper()
	if err := w.DB.Snapshot(w.T.Context(), func(tx *sql.Tx) error { _, err := w.look(tx); return err }); err != nil {
		w.T.Errorf("%s: %v", after, err)
	}
}

// changed wants a change of the database named.
func (w *world) changed(named, statement string) {
	w.T.Helper()
	storetest.Planted(w.T, w.DB, []storetest.Plant{{Name: statement, Statements: []string{statement}, Named: []string{named}}},
		func(tx *sql.Tx) error { _, err := w.look(tx); return err })
}

// TestAnUndoIsTheLogs: the word cuts off every phone of the person, from whichever it
// comes, and each is what the audit log says; so it stays when an operator clears one
// and a number is released.
func TestAnUndoIsTheLogs(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{"the earlier phone": aigul, "the later phone": third} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) { undoIsTheLogs(t, newWorld(t, db), says) })
		})
	}
}

func undoIsTheLogs(t *testing.T, w *world, says string) {
	t.Helper()
	for _, phone := range []string{aigul, second, third} {
		w.prove(phone)
		w.Pass(identity.CodesPer)
	}
	w.fsck("proved")
	if got := w.undo(says, ""); got != identity.UndoDone {
		t.Fatalf("undone: %s", got)
	}
	w.fsck("undone")
	if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'identity.undo.done'"); n != 3 {
		t.Errorf("%d phones have a record", n)
	}
	if got := w.undo(says, ""); got != identity.UndoAlready {
		t.Fatalf("again: %s", got)
	}
	w.fsck("undone twice")
	w.changed("cut off 2 times, the audit log says 1", "UPDATE identity_phones SET generation = generation + 1 WHERE generation > 0")
	w.changed("cut off 0 times, the audit log says 1", "UPDATE identity_phones SET generation = generation - 1 WHERE generation > 0")
	w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
	w.fsck("unblocked")
	w.prove(aigul)
	w.Pass(identity.DisputeLasts)
	w.prove(second)
	if got := w.undo(aigul, ""); got != identity.UndoOthers {
		t.Fatalf("the cleared phone's word: %s", got)
	}
	w.fsck("undone by the cleared phone")
	for _, phone := range []string{aigul, third} {
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "operator"}, phone))
		w.fsck("released")
	}
	w.Pass(identity.DisputeLasts)
	w.prove(aigul)
	w.fsck("proved by the next holder")
}

// blanket is a log from before each phone that an undo cut off had a record: the first
// alone names one of them.
type blanket struct {
	testworld.Forgetful
	named map[string]bool // the person and the moment
}

func (b blanket) Record(ctx context.Context, tx *store.Tx, e audit.Entry) error {
	if key := e.Subject + e.At.String(); e.Action == "identity.undo.done" {
		if b.named[key] {
			return nil
		}
		b.named[key] = true
	}
	return b.Forgetful.Record(ctx, tx, e)
}

// TestAnUndoFromBefore: a record that names one phone of those it cut off is no fault,
// whichever it names; what it cannot mean is named.
func TestAnUndoFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.deps.Trail = w.TrailBy(blanket{testworld.Forgetful{Log: w.Audit}, map[string]bool{}})
		w.rebuild()
		w.prove(aigul)
		w.Pass(time.Minute)
		w.prove(second)
		w.prove(third)
		if got := w.undo(second, ""); got != identity.UndoDone {
			t.Fatalf("undone: %s", got)
		}
		w.fsck("undone")
		w.changed("cut off 2 times", "UPDATE identity_phones SET generation = generation + 1 WHERE generation > 0")
		w.changed("cut off 0 times, the audit log says 1", "UPDATE identity_phones SET generation = 0")
		w.OK(w.service.Unblock(t.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
		w.fsck("unblocked")
		w.OK(w.service.Release(t.Context(), staff.Act{Actor: "operator"}, second))
		w.fsck("released")
		w.deps.Trail = w.TrailBy(w.Audit) // from here on each phone has its record
		w.rebuild()
		w.Pass(identity.DisputeLasts)
		w.prove(third)
		w.prove(aigul)
		if got := w.undo(aigul, ""); got != identity.UndoOthers {
			t.Fatalf("undone: %s", got)
		}
		w.fsck("undone anew")
		w.changed("cut off 3 times", "UPDATE identity_phones SET generation = 3 WHERE generation = 2")
	})
}
