package owndata_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/owndata"
)

// look compares the erasures with the log.
func (w *world) look(tx *sql.Tx) error {
	_, err := w.Compare(tx, owndata.NewCheck(w.Audit))
	return err
}

func (w *world) fsck() error { return w.DB.Snapshot(w.T.Context(), w.look) }

// erasures are one that Бакыт withdrew and one of Айгүл that is under way.
func (w *world) erasures() (hers string) {
	w.T.Helper()
	his := w.strong(w.bakyt())
	_, err := w.AskErasure(w.T.Context(), his)
	w.OK(err)
	w.OK(w.WithdrawErasure(w.T.Context(), his))
	her := w.strong(w.aigul())
	_, err = w.AskErasure(w.T.Context(), her)
	w.OK(err)
	return her.Subject
}

// TestPlantedChanges: whoever has another erased, sooner, from another phone or not, or says
// of an erasure that it is over or not, is named.
func TestPlantedChanges(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		hers := w.erasures()
		var list []storetest.Plant
		add := func(named string, statements ...string) {
			list = append(list, storetest.Plant{Name: strings.Join(statements, "; "), Named: []string{named}, Statements: statements})
		}
		const other = "(SELECT o.citizen_id FROM owndata_erasures o WHERE o.open_citizen IS NULL)"
		for _, set := range []string{
			"citizen_id = " + other + ", open_citizen = " + other, "due_at = 1", "asked_at = asked_at - 1", "phone_index = 'x'", "locale = 'x'",
			"phone_sealed = (SELECT o.phone_sealed FROM owndata_erasures o WHERE o.open_citizen IS NULL)", "done_at = 1",
			"withdrawn_at = asked_at + 1, open_citizen = NULL, phone_index = ''",
		} {
			add("is otherwise than it was asked for", "UPDATE owndata_erasures SET "+set+" WHERE citizen_id = '"+hers+"'")
		}
		for _, set := range []string{"open_citizen = citizen_id, withdrawn_at = NULL", "withdrawn_at = withdrawn_at + 1", "done_at = 1"} {
			add("did not end as the audit log says", "UPDATE owndata_erasures SET "+set+" WHERE citizen_id <> '"+hers+"'")
		}
		add("is gone", "DELETE FROM owndata_erasures WHERE citizen_id = '"+hers+"'")
		add("knows nothing of the erasure", "UPDATE owndata_erasures SET id = 'x' WHERE citizen_id = '"+hers+"'")
		storetest.Covered(t, db, []string{"owndata_erasures"}, list, nil)
		storetest.Planted(t, db, list, w.look)
	})
}

// TestWhatWasNotAskedForIsNotErased: whoever changes whom an erasure is of, or when it is due,
// opens one again, or takes the record of its asking away, has nothing erased.
func TestWhatWasNotAskedForIsNotErased(t *testing.T) {
	t.Parallel()
	const other = "(SELECT o.citizen_id FROM owndata_erasures o WHERE o.open_citizen IS NULL)"
	for name, c := range map[string]struct {
		statements []string
		early      bool
	}{
		"another person": {[]string{"UPDATE owndata_erasures SET citizen_id = " + other + ", open_citizen = " + other + " WHERE open_citizen IS NOT NULL"}, false},
		"sooner":         {[]string{"UPDATE owndata_erasures SET due_at = 1 WHERE open_citizen IS NOT NULL"}, true},
		"opened again": {[]string{"DELETE FROM owndata_erasures WHERE open_citizen IS NOT NULL",
			"UPDATE owndata_erasures SET open_citizen = citizen_id, withdrawn_at = NULL"}, false},
		"not asked for": {[]string{"DELETE FROM owndata_erasures WHERE open_citizen IS NULL", "DELETE FROM audit_records WHERE action = 'owndata.erasure_asked'"}, false},
		"a made-up record": {[]string{
			"UPDATE audit_records SET subject = " + other + " WHERE object = (SELECT id FROM owndata_erasures WHERE open_citizen IS NOT NULL)",
			"UPDATE owndata_erasures SET citizen_id = " + other + ", open_citizen = " + other + " WHERE open_citizen IS NOT NULL",
		}, false},
	} {
		for _, sealed := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", sealed"}[sealed], func(t *testing.T) {
				t.Parallel()
				storetest.Each(t, func(t *testing.T, db *store.DB) {
					w := newWorld(t, db)
					w.erasures()
					if sealed {
						_, err := w.Audit.Seal(t.Context())
						w.OK(err)
					}
					for _, statement := range c.statements {
						_, err := db.Writer().ExecContext(t.Context(), statement)
						w.OK(err)
					}
					if !c.early {
						w.Pass(owndata.EraseAfter)
					}
					err := w.EraseDue(t.Context())
					if !errors.Is(err, owndata.ErrNotAsked) && !errors.Is(err, audit.ErrTampered) {
						t.Errorf("done: %v", err)
					}
					if n := w.Number("SELECT COUNT(*) FROM identity_citizens"); n != 2 {
						t.Errorf("%d persons are left", n)
					}
				})
			})
		}
	}
}

// TestErasuresAreTheLogs: asked for, withdrawn and done they are what the log says, before and
// after it is sealed.
func TestErasuresAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.erasures()
		w.OK(w.fsck())
		_, err := w.Audit.Seal(t.Context())
		w.OK(err)
		w.Pass(owndata.EraseAfter)
		w.OK(w.EraseDue(t.Context()))
		w.OK(w.fsck())
		if n := w.Number("SELECT COUNT(*) FROM identity_citizens"); n != 1 {
			t.Errorf("%d persons are left", n)
		}
	})
}
