package identity_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// unsaid are the columns of who is who that nothing holds against a record, and why.
var unsaid = map[string]string{
	"identity_proofs.called_sealed": "what a screen calls the person; sealed to its proof, so that another's does not open",
	"identity_citizens.id":          "the row's name, which proofs and bindings refer to: renamed, one is gone and another is unknown",
	"identity_phones.phone_index":   "the row's name",
	"identity_phones.locale":        "a language, which anybody with the phone may choose",
	"identity_phones.talk":          "decides nothing that is kept",
	"identity_phones.tenure":        "how many held the number: the conversation that broke off is its holder's, for minutes",
	"identity_phones.changed_at":    "makes transactions wait for each other",
}

// people are Айгүл on three phones, which accuse each other, and one that an operator
// cleared, and Бакыт on his.
func (w *world) people() (her, him string) {
	w.T.Helper()
	her = w.prove(aigul).ID
	w.prove(second)
	w.Pass(time.Minute)
	w.prove(third)
	w.verify(bakyt)
	citizen, err := w.service.Prove(w.T.Context(), w.by(bakyt), bakytPIN, bakytDocument)
	w.OK(err)
	if got := w.undo(third, ""); got != identity.UndoDone {
		w.T.Fatalf("undone: %s", got)
	}
	w.OK(w.service.Unblock(w.T.Context(), staff.Act{Actor: "officer"}, aigul, aigulPIN))
	return her, citizen.ID
}

func plantsOf(her, him string) (list []storetest.Plant) {
	add := func(named string, statements ...string) {
		list = append(list, storetest.Plant{Name: strings.Join(statements, "; "), Statements: statements, Named: []string{named}})
	}
	citizen := func(set, id string) string { return "UPDATE identity_citizens SET " + set + " WHERE id = '" + id + "'" }
	swap := func(column string) []string {
		of := func(table, id string) string {
			return "(SELECT " + column + " FROM " + table + " WHERE id = '" + id + "')"
		}
		return []string{
			"CREATE TABLE kept AS SELECT * FROM identity_citizens", citizen(column+" = "+of("kept", her)+" || "+of("kept", her), him),
			citizen(column+" = "+of("kept", him), her), citizen(column+" = "+of("kept", her), him),
		}
	}
	index, sealed := swap("pin_index"), swap("pin_sealed")
	for _, id := range []string{her, him} {
		add("the number of the citizen "+id+": its index is another number's", index...)
		add("the citizen "+id+" is another person than the audit record ", append(index, sealed[1:]...)...)
		add("the number of the citizen "+id+": its index is another number's", citizen("pin_index = 'x'", id))
		add("the citizen "+id+" is another person", citizen("created_at = created_at + 1", id))
	}
	add("nothing of the citizen invented", "INSERT INTO identity_citizens SELECT 'invented', 'x', pin_sealed, created_at FROM identity_citizens LIMIT 1")
	add("the citizen "+him+" is gone", "DELETE FROM identity_bindings WHERE citizen_id = '"+him+"'",
		"DELETE FROM identity_proofs WHERE citizen_id = '"+him+"'", "DELETE FROM identity_citizens WHERE id = '"+him+"'")
	otherwise := "is bound to the citizen " + her + " otherwise than the audit record "
	for _, set := range []string{"blocked_until_at = NULL", "blocked_until_at = blocked_until_at - 1", "cleared_at = 1"} {
		add(otherwise, "UPDATE identity_bindings SET "+set+" WHERE blocked_until_at > 0")
	}
	for _, set := range []string{"cleared_at = NULL", "cleared_at = cleared_at + 1", "bound_at = bound_at - 1", "document_mac = 'x'",
		"locale = 'ky'", "phone_sealed = NULL"} {
		add(otherwise, "UPDATE identity_bindings SET "+set+" WHERE cleared_at > 0")
	}
	add("is no more bound to the citizen "+her, "DELETE FROM identity_bindings WHERE cleared_at > 0")
	add("is bound to the citizen "+him+", the audit log says that it is not", "UPDATE identity_bindings SET citizen_id = '"+him+"' WHERE cleared_at > 0")
	add("the phone x is bound", "UPDATE identity_bindings SET phone_index = 'x' WHERE cleared_at > 0")
	for set, named := range map[string]string{
		"id = 'x' || id": "nothing of the proof", "phone_index = 'x'": "another phone's", "citizen_id = '" + her + "'": "another phone's or citizen's",
		"proved_at = proved_at + 1": "the audit log says of", "expires_at = expires_at + 1": "the audit log says of",
		"level = 3": "is of the level 3", "session = 'x'": "was made in another session", "used_at = used_at + 1": "was last used at",
	} {
		add(named, "UPDATE identity_proofs SET "+set+" WHERE citizen_id = '"+him+"'")
	}
	add("the audit log says no time", "UPDATE identity_phones SET released_at = 1")
	add("were cut off", "UPDATE identity_phones SET generation = generation + 1")
	return list
}

// TestPlantedChanges: whoever makes one person another, or a phone another's, is found.
func TestPlantedChanges(t *testing.T) {
	t.Parallel()
	tables := []string{"identity_citizens", "identity_bindings", "identity_phones", "identity_proofs"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		all := plantsOf(w.people())
		storetest.Covered(t, db, tables, all, unsaid)
		storetest.Planted(t, db, all, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// TestPeopleFromBefore: what older records do not say is counted, and no fault; a person
// is compared from the next proof on.
func TestPeopleFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, older := newWorld(t, db), 0
		w.deps.Trail = w.TrailBy(testworld.Forgetful{Log: w.Audit})
		w.rebuild()
		her, _ := w.people()
		check := func(tx *sql.Tx) (err error) { older, err = w.look(tx); return err }
		if err := db.Snapshot(t.Context(), check); err != nil || older != 8 {
			t.Fatalf("%d records cannot be compared; %v", older, err)
		}
		w.deps.Trail = w.TrailBy(w.Audit)
		w.rebuild()
		w.Pass(identity.ProofLasts)
		w.prove(aigul)
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "a person", Named: []string{"the citizen " + her + " is another person"},
				Statements: []string{"UPDATE identity_citizens SET created_at = created_at + 1 WHERE id = '" + her + "'"}},
			{Name: "a binding", Named: []string{"otherwise than the audit record "},
				Statements: []string{"UPDATE identity_bindings SET cleared_at = NULL WHERE cleared_at > 0"}},
			{Name: "a number", Named: []string{"its index is another number's"}, // whatever the log says
				Statements: []string{"UPDATE identity_citizens SET pin_index = 'x' WHERE id <> '" + her + "'"}},
		}, check)
	})
}

// TestAnotherPersonsNumberIsNotUsed: a number whose index is not its own is given to no
// register, and proves nobody.
func TestAnotherPersonsNumberIsNotUsed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		her := w.prove(aigul)
		w.verify(bakyt)
		him, err := w.service.Prove(t.Context(), w.by(bakyt), bakytPIN, bakytDocument)
		w.OK(err)
		for _, set := range []string{
			"UPDATE identity_citizens SET pin_index = 'x' || pin_index WHERE id = '" + her.ID + "'",
			"UPDATE identity_citizens SET pin_index = (SELECT SUBSTR(pin_index, 2) FROM identity_citizens WHERE id = '" + her.ID + "') WHERE id = '" + him.ID + "'",
		} {
			if _, err := db.Writer().ExecContext(t.Context(), set); err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range []string{her.ID, him.ID} {
			if pin, err := w.service.PIN(t.Context(), id); err == nil || pin != "" || !strings.Contains(err.Error(), id) {
				t.Errorf("the number of a changed row: %v", err)
			}
		}
		if citizen, err := w.service.Prove(t.Context(), w.by(aigul), aigulPIN, aigulDocument); err == nil {
			t.Errorf("proved as %s, who is %s", citizen.ID, him.ID)
		}
	})
}
