package identity_test

import (
	"database/sql"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestAPseudonymIsMadeOnce: of somebody who never proved who they are it is made, once for all who act for
// them at once; of who did, it is theirs; and each row is what the log says.
func TestAPseudonymIsMadeOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		named := func(pin string) (id string, err error) {
			err = db.InTx(t.Context(), func(tx *store.Tx) error {
				id, err = w.service.Pseudonym(t.Context(), tx, "parent:x", pin, w.Now())
				return err
			})
			return id, err
		}
		const child = "10905202300044"
		var group sync.WaitGroup
		var all sync.Map
		for range 8 {
			group.Go(func() {
				id, err := named(child)
				if err != nil {
					t.Error(err)
				}
				all.Store(id, true)
			})
		}
		group.Wait()
		n := 0
		all.Range(func(any, any) bool { n++; return true })
		if n != 1 || w.Number("SELECT count(*) FROM identity_citizens") != 1 {
			t.Errorf("%d pseudonyms of one child", n)
		}
		id, err := named(child)
		w.OK(err)
		if n := w.Number("SELECT count(*) FROM audit_records WHERE action = 'identity.named' AND subject = $1 AND actor = 'parent:x'", id); n < 1 {
			t.Errorf("%d records", n)
		}
		w.verify(bakyt)
		citizen, err := w.service.Prove(t.Context(), w.by(bakyt), bakytPIN, bakytDocument)
		w.OK(err)
		if id, err := named(bakytPIN); err != nil || id != citizen.ID {
			t.Errorf("of who is known: %s, %v", id, err)
		}
		_, err = named("1090520230004")
		testworld.Refused(t, err, "problem.registry_answer")
		index, tail, ok := w.service.PINIndex(" 1090520 2300044 ")
		if !ok || tail != "0044" {
			t.Errorf("%s %v", tail, ok)
		}
		w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
			if known, ok, err := w.service.Known(t.Context(), tx, index); err != nil || !ok || known != id {
				t.Errorf("%s, %v, %v", known, ok, err)
			}
			_, ok, err := w.service.Known(t.Context(), tx, "x")
			if ok {
				t.Error("somebody whom nobody knows is known")
			}
			return err
		}))
		w.OK(db.Snapshot(t.Context(), func(tx *sql.Tx) error {
			_, err := w.look(tx)
			return err
		}))
	})
}
