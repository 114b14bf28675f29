package preschool

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// unsaid are the columns of the queue that nothing holds against a record, and why.
var unsaid = map[string]string{
	"preschool_registrations.id":        "ties the rows of a registration; in its digest too",
	"preschool_registrations.number":    "the row's name: renamed, it is gone and another is unknown",
	"preschool_choices.registration_id": "the row's name: moved, both registrations' choices differ",
	"preschool_offers.registration_id":  "the row's name: moved, both registrations' offers differ",
	"preschool_seats.seats":             "written anew from the register before a seat is taken",
}

// queued is one registration of each kind.
type queued struct{ waiting, offered, placed, declined, benefit, moved, left, withdrawn, taken string }

func everyRegistration(t *testing.T, s *Service, w *world) (all queued) {
	t.Helper()
	ctx := context.Background()
	numbers := make([]string, 0, 8)
	for i := range 8 {
		c := w.bear(i, time.Date(2023, time.May, 1+i, 0, 0, 0, 0, time.UTC))
		made := enrol(t, s, c, "K01", "K02")
		numbers = append(numbers, made.Number)
		w.Pass(time.Minute)
		c.Now = w.Now()
		if i >= 1 && i <= 3 || i == 6 {
			if _, err := s.OfferOutOfTurn(ctx, staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		switch i {
		case 2, 3:
			_, err = s.Answer(ctx, c, made.Number, lastOffer(s, made.Number), i == 2)
		case 4:
			err = s.SetBenefit(ctx, "officer", made.Number, "orphan")
		case 5:
			c.Phone = "+996700000005"
			_, err = s.Follow(ctx, c)
		case 6:
			if _, err = s.Answer(ctx, c, made.Number, lastOffer(s, made.Number), true); err == nil {
				_, err = s.TakeBack(ctx, staff.Act{Actor: "officer"}, made.Number)
			}
		case 7:
			err = s.Withdraw(ctx, staff.Act{Actor: "officer", Reason: "a stranger's"}, made.Number, true)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	child := Minor{PIN: "21905202300077", Name: "Бала", Born: time.Date(2023, time.May, 19, 0, 0, 0, 0, time.UTC)}
	if n, err := s.ImportWaiting(ctx, []Waiting{{Minor: child, Locale: "ky", Choices: []string{"K03"}, Since: start}}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	var taken string
	if err := s.DB.Reader().QueryRow("SELECT number FROM preschool_registrations WHERE citizen_id = ''").Scan(&taken); err != nil {
		t.Fatal(err)
	}
	return queued{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], taken}
}

func plants(q queued) []storetest.Plant {
	var list []storetest.Plant
	add := func(name, number, group string, statements ...string) {
		list = append(list, storetest.Plant{Name: name, Statements: statements, Named: []string{number, " in its " + group, " what the audit record "}})
	}
	found := func(name, number, words string, statements ...string) {
		list = append(list, storetest.Plant{Name: name, Statements: statements, Named: []string{number, words}})
	}
	of := func(number, table, set string) string {
		return "UPDATE preschool_" + table + " SET " + set + " WHERE number = '" + number + "'"
	}
	for _, number := range []string{q.waiting, q.offered, q.declined, q.benefit, q.moved, q.taken} {
		add("j: a rank", number, "place", of(number, "registrations", "benefit_rank = 1"), of(number, "choices", "benefit_rank = 1"))
		add("j: a benefit and its rank", number, "place", of(number, "registrations", "benefit = 'disability', benefit_rank = 20"),
			of(number, "choices", "benefit_rank = 20"))
		add("a cohort", number, "child", of(number, "registrations", "cohort = cohort - 1"), of(number, "choices", "cohort = cohort - 1"))
		add("a kindergarten", number, "choices", of(number, "choices", "kindergarten = 'K09'")+" AND choice = 1")
		add("whose child", number, "parent", of(number, "registrations", "citizen_id = 'x'"))
		add("whose phone", number, "parent", of(number, "registrations", "phone_index = 'x'"))
		add("whose phone, sealed", number, "parent", of(number, "registrations", "phone = child"))
	}
	add("a place as it was before an answer", q.benefit, "place", of(q.benefit, "registrations", "benefit = '', benefit_rank = 1000"),
		of(q.benefit, "choices", "benefit_rank = 1000"))
	found("a place before all others", q.waiting, "of which the audit log knows nothing", of(q.waiting, "registrations", "queued_at = 1"), of(q.waiting, "choices", "queued_at = 1"))
	add("a place after an answer that moved nobody", q.declined, "place",
		of(q.declined, "registrations", "queued_at = (SELECT o.answered_at FROM preschool_offers o WHERE o.number = '"+q.declined+"')"),
		of(q.declined, "choices", "queued_at = (SELECT o.answered_at FROM preschool_offers o WHERE o.number = '"+q.declined+"')"))
	add("wishes exchanged", q.waiting, "choices", of(q.waiting, "choices", "choice = 23 - choice"), of(q.waiting, "choices", "choice = choice - 20"))
	add("a wish more", q.waiting, "choices", "INSERT INTO preschool_choices SELECT registration_id, 3, number, 'K05', name_ky, name_ru, cohort, queued, benefit_rank, "+
		"queued_at FROM preschool_choices WHERE choice = 1 AND number = '"+q.waiting+"'")
	found("a choice under another's number", "K-1", "stands in the queue where", of(q.waiting, "choices", "number = 'K-1'")+" AND choice = 1")
	found("a choice alone that left the queue", q.waiting, "stands in the queue where", of(q.waiting, "choices", "queued = FALSE")+" AND choice = 1")
	found("a choice that is nobody's", "K-2", "belongs to no registration", "INSERT INTO preschool_choices SELECT 'x', 1, 'K-2', kindergarten, name_ky, name_ru, cohort, "+
		"queued, benefit_rank, queued_at FROM preschool_choices WHERE choice = 1 AND number = '"+q.waiting+"'")
	found("registered earlier", q.waiting, "the audit log says", of(q.waiting, "registrations", "registered_at = 1"))
	add("registered earlier, taken over", q.taken, "child", of(q.taken, "registrations", "registered_at = 1, queued_at = 1"), of(q.taken, "choices", "queued_at = 1"))
	found("an offer taken back", q.offered, "the audit log does not say", of(q.offered, "registrations", "state = 'waiting'"))
	found("an offer that was not", q.waiting, "1 offers, the audit log says 0", of(q.waiting, "registrations", "state = 'offered'"),
		"INSERT INTO preschool_offers SELECT 'x', r.id, r.number, o.kindergarten, o.name_ky, o.name_ru, o.intake, o.age, 'open', o.actor, o.offered_at, o.expires_at, NULL, '', NULL "+
			"FROM preschool_offers o, preschool_registrations r WHERE o.number = '"+q.offered+"' AND r.number = '"+q.waiting+"'",
		"UPDATE preschool_seats SET taken = taken + 1 WHERE kindergarten = 'K01'")
	found("a declined place accepted", q.declined, "is accepted, the audit log says declined", of(q.declined, "offers", "state = 'accepted'"),
		of(q.declined, "registrations", "state = 'placed'"), of(q.declined, "choices", "queued = FALSE"),
		"UPDATE preschool_seats SET taken = taken + 1 WHERE kindergarten = 'K01'")
	found("a seat hidden", "K01", "others are taken than the offers hold", "UPDATE preschool_seats SET taken = taken - 1")
	add("a second place made possible", q.placed, "place", of(q.placed, "registrations", "active_child = NULL"))
	found("a place given back", q.placed, "the audit log does not say", of(q.placed, "registrations", "state = 'left'"))
	found("a place not given back", q.left, "the audit log does not say", of(q.left, "registrations", "state = 'placed'"),
		"UPDATE preschool_seats SET taken = taken + 1 WHERE kindergarten = 'K01'")
	found("a withdrawal hidden", q.withdrawn, "the audit log does not say", of(q.withdrawn, "registrations", "state = 'waiting'"), of(q.withdrawn, "choices", "queued = TRUE"))
	found("a place taken over that was not kept", q.waiting, "of which the audit log knows nothing",
		of(q.waiting, "registrations", "queued_at = (SELECT w.queued_at FROM preschool_choices w WHERE w.number = '"+q.withdrawn+"' AND w.choice = 1)"),
		of(q.waiting, "choices", "queued_at = (SELECT w.queued_at FROM preschool_registrations w WHERE w.number = '"+q.withdrawn+"')"))
	for _, change := range []string{"place_kept_until_at = place_kept_until_at + 1", "place_kept_until_at = NULL"} {
		add(change, q.withdrawn, "place", of(q.withdrawn, "registrations", change))
	}
	for _, change := range []string{"name_ky = 'x'", "name_ru = 'x'"} {
		add(change, q.taken, "choices", of(q.taken, "choices", change))
	}
	for _, change := range []string{"turn = turn || 'x'", "child_index = child_index || 'x'", "child = phone"} {
		add(change, q.waiting, "child", of(q.waiting, "registrations", change))
	}
	for _, change := range []string{"locale = 'ru' || locale", "moved_from = 'x'"} {
		add(change, q.moved, "parent", of(q.moved, "registrations", change))
	}
	for _, number := range []string{q.offered, q.placed} {
		for _, change := range []string{"id = id || 'x'", "name_ky = 'x'", "name_ru = 'x'", "actor = 'another'",
			"offered_at = offered_at - 1", "expires_at = expires_at + 1", "answered_at = COALESCE(answered_at, 0) + 1",
			"answered_by = answered_by || 'x'", "shut_out_at = COALESCE(shut_out_at, 0) + 1"} {
			add(change, number, "offer 1", of(number, "offers", change))
		}
		for _, change := range []string{"kindergarten = 'K02'", "intake = intake + 1", "age = age + 1"} {
			add(change, number, "offer 1", of(number, "offers", change), "UPDATE preschool_seats SET "+change,
				"INSERT INTO preschool_seats SELECT 'K01', 2026, 3, 1, 1 FROM preschool_seats LIMIT 1")
		}
		add("an offer under another number", number, "offer 1", of(number, "offers", "number = 'K-3'"))
	}
	return list
}

// TestPlantedChanges: whoever changes the queue in every table alike is found, and the
// registration, the group of its fields and the audit record are named.
func TestPlantedChanges(t *testing.T) {
	t.Parallel()
	tables := []string{"preschool_registrations", "preschool_choices", "preschool_offers", "preschool_seats"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 4)
		s := newService(t, w)
		all := plants(everyRegistration(t, s, w))
		storetest.Covered(t, db, tables, all, unsaid)
		storetest.Planted(t, db, all, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// look compares the queue with the log in a transaction, and says how many records
// could not be compared.
func (w *world) look(tx *sql.Tx) (older int, err error) {
	return w.Compare(tx, NewCheck(w.Audit, w.Sealer))
}

// TestRecordsFromBefore: what older records do not say is counted, and no fault; a
// registration is compared from its next change on.
func TestRecordsFromBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 4)
		s := newService(t, w)
		s.Trail = w.TrailBy(testworld.Forgetful{Log: w.Audit})
		q := everyRegistration(t, s, w)
		s.Trail = w.TrailBy(w.Audit)
		older := 0
		check := func(tx *sql.Tx) (err error) { older, err = w.look(tx); return err }
		if err := db.Snapshot(t.Context(), check); err != nil || older != 20 {
			t.Fatalf("%d records cannot be compared; %v", older, err)
		}
		if err := s.SetBenefit(t.Context(), "officer", q.waiting, "orphan"); err != nil {
			t.Fatal(err)
		}
		storetest.Planted(t, db, []storetest.Plant{{Name: "of the newer", Named: []string{q.waiting, "place"}, Statements: []string{
			"UPDATE preschool_registrations SET benefit_rank = 1 WHERE number = '" + q.waiting + "'",
			"UPDATE preschool_choices SET benefit_rank = 1 WHERE number = '" + q.waiting + "'",
		}}}, check)
	})
}

// TestLapsedOffersAreTheLogs: an offer that nobody answered, and a place that it moved
// to the end, are what the log says.
func TestLapsedOffersAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		s.rules.Policies[0].Missed = toTheEnd
		made := enrol(t, s, w.parent("t1"), "K01")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		w.Set(w.Now().AddDate(0, 2, 0))
		if n, err := s.Expire(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}
