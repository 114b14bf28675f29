package fine_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// look compares the linked cars with the log in a transaction.
func (w *world) look(tx *sql.Tx) error {
	_, err := w.Compare(tx, fine.NewCheck(w.Audit))
	return err
}

// TestALinkedCarIsTheLogs: through linking, moving to an heir, unlinking and linking anew the log
// says how the row is; whoever writes to it is named, also once the car's next step made the row anew.
func TestALinkedCarIsTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		sound := func(after string) {
			t.Helper()
			if err := db.Snapshot(t.Context(), w.look); err != nil {
				t.Errorf("%s: %v", after, err)
			}
		}
		car := w.linked(t)
		sound("linked")
		cut := func(from, to string) {
			t.Helper()
			testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPerson(t.Context(), tx, citizen, from, to, w.Now()) }))
		}
		cut(aigul, bakyt)
		sound("told on the heir's phone")
		w.Pass(time.Minute)
		testworld.OK(t, w.Unlink(t.Context(), w.ownerOn(aigul), car.ID))
		sound("unlinked")
		w.linked(t)
		sound("linked anew")
		var list []storetest.Plant
		for _, set := range []string{
			"citizen_id = 'x'", "plate_index = 'x'", "phone_index = 'x'", "phone_sealed = plate_sealed", "plate_sealed = phone_sealed",
			"locale = 'x'", "linked_at = linked_at + 1", "ended_at = 1",
		} {
			list = append(list, storetest.Plant{Name: set, Statements: []string{"UPDATE fine_cars SET " + set}, Named: []string{car.ID, "otherwise"}})
		}
		list = append(list,
			storetest.Plant{Name: "another id", Statements: []string{"DELETE FROM fine_told", "UPDATE fine_cars SET id = 'x'"}, Named: []string{"knows nothing of the linked car x"}},
			storetest.Plant{Name: "gone", Statements: []string{"DELETE FROM fine_told", "DELETE FROM fine_cars"}, Named: []string{car.ID, "is gone"}})
		storetest.Planted(t, db, list, w.look)

		_, err := db.Writer().ExecContext(t.Context(), "UPDATE fine_cars SET locale = 'en'")
		testworld.OK(t, err)
		cut(aigul, bakyt)
		if err := db.Snapshot(t.Context(), w.look); err == nil || !strings.Contains(err.Error(), "was changed between the audit records") {
			t.Errorf("made right by the next step: %v", err)
		}
	})
}
