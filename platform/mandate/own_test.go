package mandate_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// export is what a person is given of theirs.
func (w *world) export(c caller.Caller) (records []personal.Record) {
	w.T.Helper()
	w.OK(w.DB.InTx(w.T.Context(), func(tx *store.Tx) (err error) {
		records, err = w.Personal().Export(w.T.Context(), tx, personal.Person{ID: c.Subject, Now: w.Clock.Now()})
		return err
	}))
	return records
}

// erase forgets a person.
func (w *world) erase(c caller.Caller) error {
	return w.DB.InTx(w.T.Context(), func(tx *store.Tx) error {
		return w.Personal().Erase(w.T.Context(), tx, personal.Person{ID: c.Subject, Now: w.Clock.Now()})
	})
}

// alike reports that all of a person's records and all of their list say the same.
func (w *world) alike(c caller.Caller, when string) {
	w.T.Helper()
	records, list := w.export(c), w.list(c)
	for _, r := range records {
		if one, other := fmt.Sprint(records[0]), fmt.Sprint(r); len(records) != 3 || one != other {
			w.T.Errorf("%s, of %d: %s and %s", when, len(records), one, other)
		}
	}
	if len(list) != 0 && len(list) != 3 {
		w.T.Errorf("%s only some are listed: %+v", when, list)
	}
}

// TestARefusalIsNotInTheCopy: in who asked's own data, what was refused, what is not answered and what was
// asked of nobody are the same, before and after the time to answer, and when the phone is cut.
func TestARefusalIsNotInTheCopy(t *testing.T) {
	for _, cut := range []bool{false, true} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			w := newWorld(t, db)
			holder := w.bakyt()
			w.aigul()
			for _, number := range []string{testworld.AigulPIN, nobody, "10101199000056"} {
				_, err := w.Ask(t.Context(), holder, w.wish(number, 30))
				w.OK(err)
			}
			w.Clock.Pass(mandate.AskLasts / 2)
			giver := w.aigul()
			holder = w.bakyt()
			w.OK(w.End(t.Context(), giver, w.list(giver)[0].ID))
			w.alike(holder, "refused")
			if cut {
				w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
					return w.CutPerson(t.Context(), tx, holder.Subject, testworld.Bakyt, "", w.Clock.Now())
				}))
				w.alike(holder, "the phone is cut")
			}
			w.Clock.Pass(mandate.AskLasts)
			w.alike(w.bakyt(), "over")
			w.OK(db.Snapshot(t.Context(), w.look))
		})
	}
}

// TestWhatIsAskedOfAnErasedPerson: it has their number no more, and who asked sees no difference.
func TestWhatIsAskedOfAnErasedPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		for _, number := range []string{nobody, "10101199000056", testworld.AigulPIN} {
			_, err := w.Ask(t.Context(), holder, w.wish(number, 30))
			w.OK(err)
		}
		index, _, _ := w.identity.PINIndex(testworld.AigulPIN)
		before := w.Number("SELECT count(*) FROM mandates WHERE giver_index = $1", index)
		w.OK(w.erase(giver))
		if n := w.Number("SELECT count(*) FROM mandates WHERE giver_index = $1", index); before != 1 || n != 0 {
			t.Errorf("%d, then %d have the erased person's number", before, n)
		}
		if list := w.list(holder); len(list) != 3 {
			t.Errorf("who asked sees %+v", list)
		}
		w.alike(holder, "erased")
		if w.Number("SELECT count(*) FROM audit_records WHERE action LIKE 'mandate.%' AND action <> 'mandate.asked' AND subject = $1", holder.Subject) != 0 {
			t.Error("who asked has a record of it")
		}
		w.OK(db.Snapshot(t.Context(), w.look))
	})
}

// TestTwoErasedAtOnce: two people who gave each other mandates do not wait for each other.
func TestTwoErasedAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		aigul, bakyt := w.aigul(), w.bakyt()
		for range 3 {
			w.given(aigul, bakyt)
			m, err := w.Ask(t.Context(), aigul, w.wish(testworld.BakytPIN, 30))
			w.OK(err)
			_, err = w.Give(t.Context(), bakyt, m.ID)
			w.OK(err)
		}
		var group sync.WaitGroup
		for _, c := range []caller.Caller{aigul, bakyt} {
			group.Go(func() {
				if err := w.erase(c); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := w.Number("SELECT count(*) FROM mandates"); n != 0 {
			t.Errorf("%d are there", n)
		}
		w.OK(db.Snapshot(t.Context(), w.look))
	})
}

// TestAskersHideNothingGiven: however many ask, the giver sees what they gave, and may end it.
func TestAskersHideNothingGiven(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		m := w.given(giver, holder)
		asked, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 30))
		w.OK(err)
		const columns = ", giver_index, giver_id, holder_id, services, giver_sealed, "
		w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
			for i := range 60 {
				id := fmt.Sprintf("%s-%02d", asked.ID, i)
				sealed, err := w.Sealer.Seal([]byte(`{"tail":"0033"}`), "mandate.holder/"+id)
				if err != nil {
					return err
				}
				_, err = tx.ExecContext(t.Context(), "INSERT INTO mandates (id"+columns+"holder_sealed, phone_index, asked_at, expires_at, until_at, mac) SELECT $1"+
					columns+"$2, phone_index, asked_at + 1, expires_at, until_at, mac FROM mandates WHERE id = $3", id, sealed, asked.ID)
				if err != nil {
					return err
				}
			}
			return nil
		}))
		found := false
		for _, one := range w.list(giver) {
			found = found || one.ID == m.ID
		}
		if !found {
			t.Error("what was given is not on the list")
		}
	})
}
