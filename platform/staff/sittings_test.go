package staff

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestOwnSessions: an officer sees where they are signed in, and ends it there; nobody else's.
func TestOwnSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel", "bolot")
		first, _ := w.signIn("asel")
		second, _ := w.signIn("asel")
		other, _ := w.signIn("bolot")
		here, left := Session{Token: second, Origin: terminal}, Session{Token: first, Origin: terminal}
		list, err := w.Sittings(t.Context(), here)
		w.OK(err)
		if len(list) != 2 || !list[0].Current || list[1].Current || list[0].ID == list[1].ID {
			t.Fatalf("%+v", list)
		}
		testworld.Refused(t, w.EndSitting(t.Context(), Session{Token: other, Origin: terminal}, list[1].ID), "problem.staff_session_absent")
		w.OK(w.EndSitting(t.Context(), here, list[1].ID))
		testworld.Refused(t, w.EndSitting(t.Context(), here, list[1].ID), "problem.staff_session_absent")
		_, err = w.Authenticate(t.Context(), left)
		testworld.Refused(t, err, "problem.staff_session")
		if _, err := w.Authenticate(t.Context(), here); err != nil {
			t.Error(err)
		}
		if n := w.recorded("staff.sign_out"); n != 1 {
			t.Errorf("%d records", n)
		}
		w.Pass(SessionIdles)
		_, err = w.Sittings(t.Context(), here)
		testworld.Refused(t, err, "problem.staff_session")
	})
}

// TestASessionIsOfItsAccountsRow: of an account that is gone it is over, and it is not that of another
// one of the same name, also where somebody writes that it is.
func TestASessionIsOfItsAccountsRow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, "asel")
		token, o := w.signIn("asel")
		shown := Session{Token: token, Origin: terminal}
		write := func(statement string, args ...any) {
			w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(t.Context(), statement, args...)
				return err
			}))
		}
		write("UPDATE staff_accounts SET login = 'gone' WHERE id = $1", o.ID)
		w.make(house["asel"])
		if _, err := w.Authenticate(t.Context(), shown); err == nil {
			t.Error("an account whose row was renamed acts")
		}
		write("UPDATE staff_sessions SET account_id = (SELECT id FROM staff_accounts WHERE login = 'asel')")
		_, err := w.Authenticate(t.Context(), shown)
		testworld.Refused(t, err, "problem.staff_session")
		write("DELETE FROM staff_accounts WHERE id = $1", o.ID)
		_, err = w.Authenticate(t.Context(), shown)
		testworld.Refused(t, err, "problem.staff_session")
	})
}
