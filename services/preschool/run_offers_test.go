package preschool

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestOneOfferThatFails: an offer that cannot be made keeps nobody behind it without one. It is
// tried again for a day, operators see it, and then the allocation ends and the next one is free.
func TestOneOfferThatFails(t *testing.T) {
	t.Parallel()
	for name, mended := range map[string]bool{"mended in time": true, "never mended": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 0)
				w.seatsOnly(3)
				s := newService(t, w)
				numbers := threes(t, s, w, 3, "K01")
				mend := spoilPhone(t, db, numbers[0])
				_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
				testworld.OK(t, err)
				if err := s.Proceed(t.Context()); err == nil || !strings.Contains(err.Error(), "1 offers of an allocation could not be made") {
					t.Errorf("nobody is told: %v", err)
				}
				last, err := s.run(t.Context(), 1)
				testworld.OK(t, err)
				if last.Offered != 2 || last.Waits != 1 || last.State != runOffering || len(last.Failing) != 1 || last.Failing[0].Number != numbers[0] || last.Failing[0].GivenUp {
					t.Fatalf("behind an offer that fails: %+v", last)
				}
				if said := sayRun(*last); !strings.Contains(said, numbers[0]) || !strings.Contains(said, "is tried again until") {
					t.Errorf("operators are told %q", said)
				}
				w.Pass(offersFailFor - time.Minute)
				if s.Proceed(t.Context()) == nil {
					t.Error("given up within the day")
				}
				w.Pass(time.Minute)
				if mended {
					mend()
				}
				testworld.OK(t, s.Proceed(t.Context()))
				last, err = s.run(t.Context(), 1)
				testworld.OK(t, err)
				if last.State != runDone || last.Waits != 0 || (last.Failed == 0) != mended || (last.Offered == 3) != mended {
					t.Errorf("after a day %+v", last)
				}
				dry(t, s) // the next one is not kept from
				mend()
				if n := count(t, db, "SELECT count(*) FROM audit_records WHERE action = 'preschool.allocation_lost' AND object = '1/0'"); (n == 0) != mended {
					t.Errorf("%d records that an offer was not made", n)
				}
				testworld.OK(t, w.checked())
			})
		})
	}
}

// spoilPhone makes the sealed phone of a registration one that cannot be opened, until it is mended.
func spoilPhone(t *testing.T, db *store.DB, number string) (mend func()) {
	t.Helper()
	var phone []byte
	testworld.OK(t, db.Reader().QueryRow("SELECT phone FROM preschool_registrations WHERE number = $1", number).Scan(&phone))
	set := func(to []byte) {
		_, err := db.Writer().Exec("UPDATE preschool_registrations SET phone = $1 WHERE number = $2", to, number)
		testworld.OK(t, err)
	}
	set([]byte("x"))
	return func() { set(phone) }
}

// short is a register of kindergartens that leaves one out of its answers while it is cut.
type short struct {
	Directory
	without string
	cut     *bool
}

func (d short) Kindergartens(ctx context.Context) ([]Kindergarten, error) {
	all, err := d.Directory.Kindergartens(ctx)
	if !*d.cut {
		return all, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(k Kindergarten) bool { return k.Code == d.without }), err
}

// TestOneShortAnswer: an answer of the register that lacks a kindergarten takes nobody's place away.
func TestOneShortAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(1, 1)
		s := newService(t, w)
		threes(t, s, w, 1, "K01")
		threes(t, s, w, 1, "K02")
		shown := dry(t, s).shown()
		spoilt := short{Directory: s.Directory, without: "K02", cut: new(bool)}
		s.Directory = spoilt
		row, seed, err := s.admitted(t.Context(), shown)
		testworld.OK(t, err)
		testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := s.decide(t.Context(), tx, twoOfThem, row, seed, w.list, shown)
			return err
		}))
		*spoilt.cut = true
		if s.Proceed(t.Context()) == nil {
			t.Error("nobody is told of the short answer")
		}
		*spoilt.cut = false
		testworld.OK(t, s.Proceed(t.Context()))
		if last, err := s.run(t.Context(), 1); err != nil || last.State != runOffering {
			t.Errorf("tried again at once: %+v, %v", last, err)
		}
		w.Pass(offersAgainAfter)
		testworld.OK(t, s.Proceed(t.Context()))
		if last, err := s.run(t.Context(), 1); err != nil || last.State != runDone || last.Offered != 2 {
			t.Errorf("after one short answer %+v, %v", last, err)
		}
		testworld.OK(t, w.checked())
	})
}

// TestAnInventedLoss: that an offer was not made is in the audit log, and one that is not there,
// or is another's, is found.
func TestAnInventedLoss(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(2)
		s := newService(t, w)
		numbers := threes(t, s, w, 2, "K01")
		shown := dry(t, s).shown()
		row, seed, err := s.admitted(t.Context(), shown)
		testworld.OK(t, err)
		testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := s.decide(t.Context(), tx, twoOfThem, row, seed, w.list, shown)
			return err
		}))
		testworld.OK(t, s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "wrong"}, numbers[0], false))
		lost := "UPDATE preschool_run_children SET outcome = 'gone' WHERE number = '" + numbers[1] + "'"
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "invented while it waits", Statements: []string{lost}, Named: []string{"knows nothing of the offer that was not made 1/1"}},
		}, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
		testworld.OK(t, s.Proceed(t.Context()))
		testworld.OK(t, w.checked())
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "another outcome", Statements: []string{"UPDATE preschool_run_children SET outcome = 'failed' WHERE number = '" + numbers[0] + "'"}, Named: []string{"the offer that was not made 1/0 is otherwise"}},
			{Name: "to be made", Statements: []string{"UPDATE preschool_run_children SET outcome = 'waits' WHERE number = '" + numbers[0] + "'"}, Named: []string{"the offer that was not made 1/0 is gone"}},
		}, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// TestOneMoment: among those of one moment nobody is shown a place that the lot may take, nobody is
// offered one by hand, and whom the lot chooses was within what was shown.
func TestOneMoment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		w.seatsOnly(2)
		s := newService(t, w)
		rows := waiting(5) // two, two and one, the last one first
		_, err := s.ImportWaiting(t.Context(), rows)
		testworld.OK(t, err)
		places := map[string]Place{}
		numbers := []string{}
		testworld.OK(t, db.Snapshot(t.Context(), func(tx *sql.Tx) error {
			return store.Rows(t.Context(), tx, "SELECT number FROM preschool_registrations ORDER BY queued_at, number", nil, func(rows *sql.Rows) error {
				var number string
				err := rows.Scan(&number)
				numbers = append(numbers, number)
				return err
			})
		}))
		for i, number := range numbers {
			p, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, number)
			testworld.OK(t, err)
			places[number] = p.Places[0]
			if want := []int{1, 2, 2, 4, 4}[i]; places[number].Position != want || (places[number].Level == 1) != (i > 0) {
				t.Errorf("the child %d is shown %+v", i, places[number])
			}
		}
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, numbers[3], "K01")
		testworld.Refused(t, err, "problem.preschool_turn")
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, numbers[0], "K01")
		testworld.OK(t, err)
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, numbers[1], "K01")
		testworld.Refused(t, err, "problem.preschool_lot")
		p := dry(t, s)
		if p.Placed != 1 || places[p.Groups[0].Offered[0]].Position != 2 {
			t.Errorf("the lot chose %+v, who was shown %+v", p.Groups, places[p.Groups[0].Offered[0]])
		}
	})
}
