package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// seatsOnly leaves free seats in the group 3-4 of some kindergartens only.
func (w *world) seatsOnly(free ...int) {
	for i := range w.list {
		w.list[i].Free = map[int]int{}
		if i < len(free) {
			w.list[i].Free[3] = free[i]
		}
	}
}

// threes registers n children of the group 3-4 for kindergartens, a minute apart.
func threes(t *testing.T, s *Service, w *world, n int, choices ...string) (numbers []string) {
	t.Helper()
	for i := range n {
		w.Pass(time.Minute)
		numbers = append(numbers, enrol(t, s, w.bear(len(w.families), time.Date(2023, time.May, 1+i%28, 0, 0, 0, 0, time.UTC)), choices...).Number)
	}
	return numbers
}

// dry is the next allocation, as it would be.
func dry(t *testing.T, s *Service) Preview {
	t.Helper()
	found, err := s.Allocations(t.Context())
	if err != nil || found.Next == nil {
		t.Fatalf("no allocation is next: %+v, %v", found, err)
	}
	return *found.Next
}

func (p Preview) shown() Shown { return Shown{N: p.N, Seats: p.Seats, Waiting: p.Waiting} }

var twoOfThem = staff.Act{Actor: "staff:vera", Reason: "the intake of September"}

// TestAllocation: the dry run shows whose turn it is and changes nothing; the allocation then
// offers exactly those, who are told, and its check finds no fault.
func TestAllocation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(2, 1)
		s := newService(t, w)
		numbers := threes(t, s, w, 3, "K01", "K02")
		numbers = append(numbers, threes(t, s, w, 1, "K02", "K01")...)
		testworld.OK(t, s.SetBenefit(t.Context(), "officer", numbers[3], "orphan"))
		p := dry(t, s)
		if p.N != 1 || p.Seats != 3 || p.Waiting != 4 || p.Placed != 3 || len(p.Commitment) != 64 {
			t.Fatalf("the dry run shows %+v", p)
		}
		want := []PreviewGroup{
			{Kindergarten: "K01", Name: w.list[0].Name, Age: 3, Free: 2, Asking: 4, Offered: numbers[:2]},
			{Kindergarten: "K02", Name: w.list[1].Name, Age: 3, Free: 1, Asking: 4, Offered: numbers[3:], Benefit: 1},
		}
		for i, g := range p.Groups {
			slices.Sort(g.Offered)
			slices.Sort(want[i].Offered)
			if fmt.Sprint(g) != fmt.Sprint(want[i]) {
				t.Errorf("the dry run shows %+v, not %+v", g, want[i])
			}
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_offers"); n != 0 {
			t.Errorf("the dry run made %d offers", n)
		}
		d, err := s.Allocate(t.Context(), twoOfThem, p.shown())
		if err != nil || d.Placed != 3 {
			t.Fatalf("decided %+v, %v", d, err)
		}
		found, err := s.Allocations(t.Context())
		testworld.OK(t, err)
		last := found.Last
		if last.State != runDone || last.Verdict != runNoFault || last.Offered != 3 || last.Commitment != p.Commitment || found.Next.N != 2 || found.Next.Commitment == p.Commitment {
			t.Errorf("afterwards %+v, next %+v", last, found.Next)
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_offers o JOIN preschool_registrations r ON r.id = o.registration_id AND r.state = 'offered' "+
			"WHERE o.state = 'open' AND o.actor = 'staff:vera'"); n != 3 {
			t.Errorf("%d offers are open", n)
		}
		told := 0
		for _, m := range w.messages() {
			if strings.HasPrefix(m.Dedup, "preschool.offer:") {
				told++
			}
		}
		if told != 3 {
			t.Errorf("%d parents were told", told)
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestOneSeatOfFiveHundred: of five hundred parents for one seat exactly one gets it, who
// registered first; two officers who decide at once have one effect.
func TestOneSeatOfFiveHundred(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(1)
		s := newService(t, w)
		_, err := s.ImportWaiting(t.Context(), waiting(500))
		testworld.OK(t, err)
		p := dry(t, s)
		if p.Waiting != 500 || p.Placed != 1 {
			t.Fatalf("the dry run shows %+v", p)
		}
		var decided atomic.Int32
		atOnce(t, 4, func(int) error {
			_, err := s.Allocate(context.Background(), twoOfThem, p.shown())
			switch {
			case err == nil:
				decided.Add(1)
			case !errors.Is(err, problemRunGone) && !errors.Is(err, problemRunBusy) && !errors.Is(err, problemRunNone):
				return err
			}
			return nil
		})
		if decided.Load() != 1 {
			t.Errorf("it was decided %d times", decided.Load())
		}
		testworld.OK(t, s.Proceed(t.Context()))
		if n := count(t, db, "SELECT count(*) FROM preschool_offers"); n != 1 {
			t.Errorf("%d offers of one seat", n)
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_registrations WHERE state = 'offered' AND queued_at = (SELECT min(queued_at) FROM preschool_registrations)"); n != 1 {
			t.Error("the seat is not of one of the two who waited longest")
		}
		if offered := p.Groups[0].Offered; count(t, db, "SELECT count(*) FROM preschool_registrations WHERE state = 'offered' AND number = '"+offered[0]+"'") != 1 {
			t.Error("the dry run showed another child")
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestWhatChangesMeanwhile: fewer seats than shown are allocated, more are refused; who withdrew
// is left out, and a seat that goes away after the decision is offered to nobody.
func TestWhatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(2)
		s := newService(t, w)
		numbers := threes(t, s, w, 4, "K01")
		p := dry(t, s)
		w.seatsOnly(3)
		_, err := s.Allocate(t.Context(), twoOfThem, p.shown())
		testworld.Refused(t, err, "problem.preschool_allocation_seats")
		w.seatsOnly()
		_, err = s.Allocate(t.Context(), twoOfThem, p.shown())
		testworld.Refused(t, err, "problem.preschool_allocation_none")
		_, err = s.Allocate(t.Context(), twoOfThem, Shown{N: 7, Seats: 9})
		testworld.Refused(t, err, "problem.preschool_allocation_gone")
		if n := count(t, db, "SELECT count(*) FROM preschool_run_children"); n != 0 {
			t.Errorf("refused, and %d rows are kept", n)
		}
		w.seatsOnly(1)
		testworld.OK(t, s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "wrong"}, numbers[0], false))
		d, err := s.Allocate(t.Context(), twoOfThem, p.shown())
		if err != nil || d.Seats != 1 || d.Waiting != 3 || d.Shown.Waiting != 4 {
			t.Fatalf("decided %+v, %v", d, err)
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_offers WHERE number = '"+numbers[1]+"'"); n != 1 {
			t.Error("the next in turn was not offered the place")
		}
		if n := count(t, db, "SELECT count(*) FROM audit_records WHERE action = 'preschool.allocate' AND purpose LIKE '%free seats: 1 (shown: at most 2), children who ask for them: 3 (shown: 4)%'"); n != 1 {
			t.Error("the audit log does not say what changed meanwhile")
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestKilledInTheMiddle: what a killed process had not offered is offered once, whoever goes on
// and however many; who withdrew in between gets nothing, and neither does who asks for a seat that went away.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(8, 1)
		s := newService(t, w)
		numbers := threes(t, s, w, 8, "K01")
		numbers = append(numbers, threes(t, s, w, 1, "K02")...)
		p := dry(t, s)
		killed, kill := context.WithCancel(t.Context())
		s.Now = func() time.Time { // it is asked for each offer
			if count(t, db, "SELECT count(*) FROM preschool_offers") == 2 {
				kill()
			}
			return w.Now()
		}
		if d, err := s.Allocate(killed, twoOfThem, p.shown()); err != nil || d.Placed != 9 || killed.Err() == nil {
			t.Fatalf("decided %+v, %v; killed: %v", d, err, killed.Err())
		}
		s.Now = w.Now
		made := count(t, db, "SELECT count(*) FROM preschool_offers")
		if made == 0 || made == 9 {
			t.Fatalf("%d offers were made before", made)
		}
		if _, err := s.Allocate(t.Context(), twoOfThem, p.shown()); !errors.Is(err, problemRunBusy) {
			t.Errorf("a second allocation while one is under way: %v", err)
		}
		var left string
		testworld.OK(t, db.Reader().QueryRow("SELECT number FROM preschool_run_children WHERE outcome = 'waits' AND number <> '"+numbers[8]+"' ORDER BY child LIMIT 1").Scan(&left))
		testworld.OK(t, s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "wrong"}, left, false))
		w.list[1].Free = map[int]int{}
		atOnce(t, 4, func(int) error { return s.Proceed(context.Background()) })
		last, err := s.run(t.Context(), 1)
		if err != nil || last.State != runDone || last.Offered+last.Gone != 9 || last.Gone < 1 {
			t.Errorf("afterwards %+v, %v", last, err)
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_offers"); n != last.Offered {
			t.Errorf("%d offers are kept, %d were noted", n, last.Offered)
		}
		if n := count(t, db, "SELECT count(*) FROM (SELECT registration_id FROM preschool_offers GROUP BY registration_id HAVING count(*) > 1) twice"); n != 0 {
			t.Errorf("%d children were offered two places", n)
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestMoreThanOneBatch: the deciding call makes the first offers, and the chore the others.
func TestMoreThanOneBatch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(120)
		s := newService(t, w)
		_, err := s.ImportWaiting(t.Context(), waiting(150))
		testworld.OK(t, err)
		d, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
		testworld.OK(t, err)
		found, err := s.Allocations(t.Context())
		if testworld.OK(t, err); d.Placed != 120 || found.Next != nil || found.Last.State != runOffering || found.Last.Offered != 100 || found.Last.Waits != 20 {
			t.Errorf("decided %+v; after the first batch %+v, next %+v", d, found.Last, found.Next)
		}
		testworld.OK(t, s.Proceed(t.Context()))
		if last, err := s.run(t.Context(), 1); err != nil || last.State != runDone || last.Offered != 120 {
			t.Errorf("afterwards %+v, %v", last, err)
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// waiting are n children of another queue who ask for K01, two of each moment.
func waiting(n int) []Waiting {
	rows := make([]Waiting, n)
	for i := range rows {
		rows[i] = Waiting{
			Minor:  Minor{PIN: fmt.Sprintf("209052023%05d", i), Name: "Бала", Born: time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC)},
			Locale: "ky", Choices: []string{"K01"}, Since: start.Add(-time.Duration(i/2) * time.Hour),
		}
	}
	return rows
}

// TestRefusedPlaces: who let a place of a kindergarten go is not offered it again, unless the
// policy says so; another kindergarten is.
func TestRefusedPlaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01", "K02")
		_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
		testworld.OK(t, err)
		_, err = s.Answer(t.Context(), w.parent("t2"), made.Number, lastOffer(s, made.Number), false)
		testworld.OK(t, err)
		if p := dry(t, s); p.Placed != 0 {
			t.Errorf("the place that was declined is offered again: %+v", p)
		}
		s.rules.Policies[0].Refused = asksAgain
		if p := dry(t, s); p.Placed != 1 {
			t.Errorf("by the other policy it is not: %+v", p)
		}
		s.rules.Policies[0].Refused = skipsRefused
		w.seatsOnly(1, 1)
		if p := dry(t, s); p.Placed != 1 || p.Groups[0].Kindergarten != "K02" {
			t.Errorf("the other kindergarten is not offered: %+v", p)
		}
	})
}

// TestOpenSeatsByPolicy: by a policy with open seats who waited longest has one beside those with a benefit.
func TestOpenSeatsByPolicy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(2)
		s := newService(t, w)
		s.rules.Policies[0].OpenEvery = 2
		numbers := threes(t, s, w, 4, "K01")
		for _, number := range numbers[1:] {
			testworld.OK(t, s.SetBenefit(t.Context(), "officer", number, "orphan"))
		}
		_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
		testworld.OK(t, err)
		for i, number := range numbers {
			if n := count(t, db, "SELECT count(*) FROM preschool_offers WHERE number = '"+number+"'"); (n == 1) != (i < 2) {
				t.Errorf("the child %d has %d offers", i, n)
			}
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestPlantedInAllocations: whoever changes what an allocation rested on, decided or was drawn by
// is found, and the row is named.
func TestPlantedInAllocations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(2, 1)
		s := newService(t, w)
		numbers := threes(t, s, w, 4, "K01", "K02")
		_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
		testworld.OK(t, err)
		dry(t, s) // the next one is committed to
		all := runPlants(numbers)
		tables := []string{"preschool_runs", "preschool_run_groups", "preschool_run_children"}
		storetest.Covered(t, db, tables, all, map[string]string{
			"preschool_runs.id":                       "the row's name: renamed, it is gone and another is unknown",
			"preschool_run_children.failing_since_at": "decides nothing but how long an offer is tried; what it ends in is recorded",
		})
		storetest.Planted(t, db, all, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

func runPlants(numbers []string) (list []storetest.Plant) {
	add := func(statement string, named ...string) {
		list = append(list, storetest.Plant{Name: statement, Statements: []string{statement}, Named: named})
	}
	for _, change := range []string{"n = n + 10", "commitment = 'x'", "seed_sealed = x'00'", "committed_at = committed_at + 1"} {
		add("UPDATE preschool_runs SET "+strings.ReplaceAll(change, "x'00'", "(SELECT child FROM preschool_registrations LIMIT 1)")+" WHERE id = '2'", "seed of the allocation 2 is otherwise")
	}
	for _, change := range []string{"seed = 'aa'", "intake = intake + 1", "open_every = 1", "seats = 9", "waiting = 9", "placed = 9", "shown_seats = 9", "shown_waiting = 9",
		"actor = 'x'", "decided_at = decided_at + 1"} {
		add("UPDATE preschool_runs SET "+change+" WHERE id = '1'", "the allocation 1 is otherwise")
	}
	add("UPDATE preschool_runs SET seed = 'aa' WHERE id = '1'", "the allocation 1 has another seed than was committed to")
	add("UPDATE preschool_runs SET replay = 'aa' WHERE id = '1'", "the allocation 1 is otherwise", "the allocation 1 has rows of another replay file")
	add("UPDATE preschool_run_children SET place = -1"+" WHERE number = '"+numbers[0]+"'", "the allocation 1 has rows of another replay file")
	add("UPDATE preschool_runs SET state = 'next' WHERE id = '1'", "the allocation 1 is gone")
	add("UPDATE preschool_runs SET state = 'wrong' WHERE id = '1'", "the end of the allocation 1 is otherwise")
	add("UPDATE preschool_runs SET verdict = 'x' WHERE id = '1'", "the end of the allocation 1 is otherwise", `it is kept as "x"`)
	add("UPDATE preschool_runs SET ended_at = ended_at + 1 WHERE id = '1'", "the end of the allocation 1 is otherwise")
	add("DELETE FROM preschool_runs WHERE id = '1'", "the allocation 1 is gone", "seed of the allocation 1 is gone")
	for _, change := range []string{"kindergarten = 'K09'", "age = age + 1", "free = free + 1", "taken = taken + 1", "run = 9", "place = 9"} {
		add("UPDATE preschool_run_groups SET "+change+" WHERE place = 1", "the allocation 1 is otherwise")
	}
	of := func(number string) string { return " WHERE number = '" + number + "'" }
	for _, change := range []string{"registration_id = registration_id || 'x'", "benefit_rank = 1", "queued_at = queued_at - 1", "tie = '00' || substr(tie, 3)", "wishes = '1'", "wishes = ''", "wishes = '999'", "mac = 'x'"} {
		add("UPDATE preschool_run_children SET "+change+of(numbers[3]), "of the registration "+numbers[3]+", was changed")
	}
	add("UPDATE preschool_run_children SET number = 'K-9'"+of(numbers[3]), "of the registration K-9, was changed")
	add("UPDATE preschool_run_children SET run = 9"+of(numbers[3]), "the allocation 1 is otherwise")
	add("UPDATE preschool_run_children SET child = 9"+of(numbers[3]), "of the registration "+numbers[3]+", was changed")
	add("UPDATE preschool_run_children SET place = 0"+of(numbers[3]), "of the registration "+numbers[3]+", has the place 0: computed anew it has -1", "was changed")
	add("UPDATE preschool_run_children SET benefit_rank = 1"+of(numbers[3]), "of the registration "+numbers[3]+", has the place -1: computed anew it has 0")
	add("UPDATE preschool_run_children SET tie = '00' || substr(tie, 3)"+of(numbers[3]), numbers[3]+" has another child's tie")
	for _, run := range []string{"2", "9"} {
		add("INSERT INTO preschool_run_groups SELECT "+run+", place, kindergarten, age, free, taken FROM preschool_run_groups WHERE place = 0", "rows are kept of the allocation "+run+", which is not decided")
	}
	add("DELETE FROM preschool_run_children"+of(numbers[3]), "the allocation 1 is otherwise")
	add("UPDATE preschool_run_children SET outcome = 'gone'"+of(numbers[0]), "the registration "+numbers[0]+" is gone, which the offers do not say")
	add("UPDATE preschool_run_children SET outcome = 'gone', offer_id = ''"+of(numbers[0]), "the audit log knows nothing of the offer that was not made 1/0")
	add("UPDATE preschool_run_children SET offer_id = 'x'"+of(numbers[0]), "the registration "+numbers[0]+" is offered, which the offers do not say")
	return list
}
