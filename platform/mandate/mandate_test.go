package mandate_test

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// look compares the mandates with the log.
func (w *world) look(tx *sql.Tx) error {
	_, err := w.Compare(tx, mandate.NewCheck(w.Audit))
	return err
}

// TestAMandateIsAskedForGivenAndEnded: by two people on their own phones, each of whom is told and sees
// it, and either ends it at once.
func TestAMandateIsAskedForGivenAndEnded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, ends := range []string{"giver", "representative"} {
			w := newWorld(t, db)
			giver, holder := w.aigul(), w.bakyt()
			asked, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 30))
			w.OK(err)
			if again, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 30)); err != nil || again.ID != asked.ID {
				t.Errorf("asked again: %+v, %v", again, err)
			}
			if asked.Called != "" || asked.Tail != "0011" || asked.State != mandate.Asked || w.usable(holder, asked.ID) {
				t.Errorf("asked: %+v", asked)
			}
			testworld.Eventually(t, "the giver is told who asks", func() bool { return w.texts(testworld.Aigul, `Бакыт Т.*0022.*просит`) > 0 })
			if list := w.list(giver); len(list) != 1 || list[0].Called != "Бакыт Т." || list[0].Tail != "0022" || list[0].Role != mandate.Giver {
				t.Errorf("the giver sees %+v", list)
			}
			_, err = w.Give(t.Context(), holder, asked.ID) // nobody gives themselves one
			testworld.Refused(t, err, "problem.mandate_absent")
			given, err := w.Give(t.Context(), giver, asked.ID)
			w.OK(err)
			if given.State != mandate.Given || !w.usable(holder, given.ID) || w.usable(giver, given.ID) {
				t.Errorf("given: %+v", given)
			}
			under, err := w.Under(t.Context(), holder, "certificate")
			if w.OK(err); len(under) != 1 || under[0].Called != "Айгүл А." || under[0].Giver != giver.Subject {
				t.Errorf("under %+v", under)
			}
			if other, err := w.Under(t.Context(), holder, "fine"); err != nil || len(other) != 0 {
				t.Errorf("for what it is not: %+v, %v", other, err)
			}
			testworld.Eventually(t, "both are told", func() bool {
				return w.texts(testworld.Aigul, `дана доверенность`) > 0 && w.texts(testworld.Bakyt, `Айгүл А. дал`) > 0
			})
			who := giver
			if ends == "representative" {
				who = holder
			}
			w.OK(w.End(t.Context(), who, given.ID))
			if w.usable(holder, given.ID) || len(w.list(giver)) != 0 || len(w.list(holder)) != 0 {
				t.Errorf("it has not ended by the %s", ends)
			}
			_, err = w.Give(t.Context(), giver, given.ID) // a confirmation that is played again
			testworld.Refused(t, err, "problem.mandate_absent")
			testworld.Refused(t, w.End(t.Context(), who, given.ID), "problem.mandate_absent")
			testworld.Eventually(t, "both are told of the end", func() bool {
				return w.texts(testworld.Aigul, `доверенность прекращена`) > 0 && w.texts(testworld.Bakyt, `доверенность прекращена`) > 0
			})
			for action, subject := range map[string]string{"mandate.given": giver.Subject, "mandate.received": holder.Subject} {
				if n := w.records(action, subject); n < 1 {
					t.Errorf("%d records of %s", n, action)
				}
			}
			w.OK(db.Snapshot(t.Context(), w.look))
			w.Stop()
		}
	})
}

// TestWhoeverGuessesLearnsNothing: whether a number is anybody's, whether they refused, and whether a
// mandate is there that is not theirs.
func TestWhoeverGuessesLearnsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		known, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 30))
		w.OK(err)
		unknown, err := w.Ask(t.Context(), holder, w.wish(nobody, 30))
		w.OK(err)
		if known.ID, unknown.ID, known.Tail, unknown.Tail = "", "", "", ""; !equal(known, unknown) {
			t.Errorf("%+v and %+v", known, unknown)
		}
		asked := w.list(giver)[0].ID
		w.OK(w.End(t.Context(), giver, asked)) // refused
		if list := w.list(holder); len(list) != 2 || list[0].State != mandate.Asked || list[1].State != mandate.Asked {
			t.Errorf("who asked sees the refusal: %+v", list)
		}
		if again, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 30)); err != nil || again.ID != asked || len(w.list(giver)) != 0 {
			t.Errorf("asked again after the refusal: %+v, %v", again, err)
		}
		_, err = w.Give(t.Context(), giver, asked)
		testworld.Refused(t, err, "problem.mandate_absent")
		for _, m := range w.list(holder) { // of a refused one as of any other
			w.OK(w.End(t.Context(), holder, m.ID))
		}
		m := w.given(giver, holder)
		stranger := holder
		stranger.Subject = "01890000-0000-7000-8000-000000000001"
		if w.usable(stranger, m.ID) || w.usable(holder, "019ad3a2-5b1c-7c3e-8a55-0c7c2b1f9e01") {
			t.Error("a stranger uses it")
		}
		_, err = w.List(t.Context(), caller.Caller{Now: w.Clock.Now()})
		testworld.Refused(t, err, "problem.mandate_identify")
		weak := giver
		weak.Level = caller.LevelWeak
		_, err = w.Give(t.Context(), weak, m.ID)
		testworld.Refused(t, err, "problem.level_strong")
		w.OK(db.Snapshot(t.Context(), w.look))
	})
}

func equal(a, b mandate.Mandate) bool {
	return a.Role == b.Role && a.State == b.State && a.Called == b.Called && a.Giver == b.Giver && a.Until.Equal(b.Until) && a.WaitsUntil.Equal(b.WaitsUntil)
}

// TestManyAtOnce: given and ended by many at once, it is given once and ended once.
func TestManyAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		m, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 30))
		w.OK(err)
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				if _, err := w.Give(t.Context(), giver, m.ID); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if n := w.records("mandate.given", giver.Subject); n != 1 {
			t.Errorf("given %d times", n)
		}
		var mu sync.Mutex
		ended := 0
		for i := range 16 {
			group.Go(func() {
				c := giver
				if i%2 == 0 {
					c = holder
				}
				err := w.End(t.Context(), c, m.ID)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ended++
				} else if !errors.Is(err, mandate.ErrAbsent) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if ended != 1 || w.records("mandate.ended", giver.Subject) != 1 {
			t.Errorf("ended %d times", ended)
		}
		w.OK(db.Snapshot(t.Context(), w.look))
	})
}

// TestWhatCannotBeAsked: oneself, no number, no service, a day that has passed or is too far, too many.
func TestWhatCannotBeAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		holder := w.bakyt()
		none, other := w.wish(testworld.AigulPIN, 30), w.wish(testworld.AigulPIN, 30)
		none.Services, other.Services = nil, []string{"certificate", "preschool"}
		for want, wish := range map[string]mandate.Wish{
			"problem.mandate_self": w.wish(testworld.BakytPIN, 30), "problem.mandate_number": w.wish("1150319880001", 30),
			"problem.mandate_services": none, "problem.mandate_until": w.wish(testworld.AigulPIN, 366),
		} {
			_, err := w.Ask(t.Context(), holder, wish)
			testworld.Refused(t, err, want)
		}
		_, err := w.Ask(t.Context(), holder, other)
		testworld.Refused(t, err, "problem.mandate_services")
		_, err = w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, -1))
		testworld.Refused(t, err, "problem.mandate_until")
		for i, number := range []string{testworld.AigulPIN, nobody, "10101199000056", "10101199000057", "10101199000058"} {
			if _, err := w.Ask(t.Context(), holder, w.wish(number, i)); err != nil {
				t.Error(err)
			}
		}
		_, err = w.Ask(t.Context(), holder, w.wish("10101199000059", 1))
		testworld.Refused(t, err, "problem.mandate_many")
		_, err = w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, 31))
		testworld.Refused(t, err, "problem.mandate_open")
	})
}

// TestItsDays: what nobody gives is over after three days, and what was given with the midnight after its
// last day.
func TestItsDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		m := w.given(giver, holder)
		late, err := w.Ask(t.Context(), holder, w.wish(nobody, 30))
		w.OK(err)
		w.Clock.Pass(mandate.AskLasts)
		holder = w.bakyt()
		if list := w.list(holder); len(list) != 1 || list[0].ID != m.ID {
			t.Errorf("what waited is listed still: %+v", list)
		}
		testworld.Refused(t, w.End(t.Context(), holder, late.ID), "problem.mandate_absent")
		w.Clock.Set(m.Until.Add(-time.Second))
		if !w.usable(holder, m.ID) {
			t.Error("over on its last day")
		}
		w.Clock.Pass(time.Second)
		if w.usable(holder, m.ID) {
			t.Error("not over after its last day")
		}
		w.Clock.Pass(4 * 365 * 24 * time.Hour)
		w.OK(w.ForgetOver(t.Context()))
		if n := w.Number("SELECT count(*) FROM mandates"); n != 0 {
			t.Errorf("%d are kept", n)
		}
		w.OK(db.Snapshot(t.Context(), w.look))
		_ = giver
	})
}

// TestItEndsWithThePhone: what was given on a number that has another holder now ends; that of who holds
// it does not matter.
func TestItEndsWithThePhone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		m := w.given(giver, holder)
		w.OK(w.identity.Release(t.Context(), staff.Act{Actor: "staff:op"}, testworld.Bakyt))
		if !w.usable(holder, m.ID) {
			t.Error("it ended with the representative's number")
		}
		w.OK(w.identity.Release(t.Context(), staff.Act{Actor: "staff:op"}, testworld.Aigul))
		if w.usable(holder, m.ID) {
			t.Error("it is good, and the number it was given on is another's")
		}
		w.OK(db.Snapshot(t.Context(), w.look))
	})
}

// TestDeathAndErasure: both end it, and of who is erased nothing stays.
func TestDeathAndErasure(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		m := w.given(giver, holder)
		w.OK(w.Died(t.Context(), giver.Subject, w.Clock.Now()))
		if w.usable(holder, m.ID) {
			t.Error("it outlives the giver")
		}
		w.OK(db.Snapshot(t.Context(), w.look))
		m = w.given(giver, holder)
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			records, err := w.Personal().Export(t.Context(), tx, personal.Person{ID: holder.Subject, Now: w.Clock.Now()})
			if len(records) != 2 || !strings.Contains(records[0].Fields[1].Value, "Айгүл А.") {
				t.Errorf("given is %+v", records)
			}
			return err
		})
		w.OK(err)
		w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
			return w.Personal().Erase(t.Context(), tx, personal.Person{ID: giver.Subject, Now: w.Clock.Now()})
		}))
		if w.usable(holder, m.ID) || w.Number("SELECT count(*) FROM mandates") != 0 {
			t.Error("the erased person's mandates are there")
		}
		testworld.Eventually(t, "the other side is told", func() bool { return w.texts(testworld.Bakyt, `доверенность прекращена`) == 2 })
		w.OK(db.Snapshot(t.Context(), w.look))
	})
}

// TestPlantedMandates: who writes to the database gives nobody a mandate, and is found.
func TestPlantedMandates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		giver, holder := w.aigul(), w.bakyt()
		m := w.given(giver, holder)
		var all []storetest.Plant
		for _, set := range []string{
			"services = 'certificate fine'", "holder_id = 'x'", "giver_id = 'x'", "giver_index = 'x'", "until_at = until_at + 1", "ended_at = 1", "given_at = given_at + 1",
			"phone_index = 'x'", "ended_by = 'x'", "asked_at = asked_at + 1", "expires_at = expires_at + 1", "giver_sealed = holder_sealed", "holder_sealed = giver_sealed",
		} {
			all = append(all, storetest.Plant{Name: set, Statements: []string{"UPDATE mandates SET " + set}, Named: []string{m.ID}})
		}
		all = append(all, storetest.Plant{
			Name: "one of nobody's", Named: []string{"knows nothing of the mandate x"},
			Statements: []string{"INSERT INTO mandates (id, giver_index, giver_id, holder_id, services, giver_sealed, holder_sealed, phone_index, asked_at, expires_at, until_at, mac) " +
				"SELECT 'x', giver_index, giver_id, holder_id, services, giver_sealed, holder_sealed, phone_index, asked_at, expires_at, until_at, mac FROM mandates"},
		})
		storetest.Planted(t, db, all, w.look)
		w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE mandates SET services = 'certificate fine'")
			return err
		}))
		if _, err := w.Use(t.Context(), m.ID, holder.Subject, "fine", w.Clock.Now()); !errors.Is(err, mandate.ErrTampered) {
			t.Errorf("a widened mandate: %v", err)
		}
	})
}

// TestTheGiverIsNotPestered: however many ask, a person is told three times a day.
func TestTheGiverIsNotPestered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.aigul()
	holder := w.bakyt()
	for i := range 5 {
		m, err := w.Ask(t.Context(), holder, w.wish(testworld.AigulPIN, i))
		w.OK(err)
		w.OK(w.End(t.Context(), holder, m.ID))
	}
	w.Stop()
	if n := w.texts(testworld.Aigul, "просит у вас"); n > 3 {
		t.Errorf("told %d times", n)
	}
}
