package preschool

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestWithdraw: a wrong registration ends, with its offer, by an officer only; the parent
// is told, and the child is registered anew at the end of the queue.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		c := w.parent("t1")
		made := enrol(t, s, c, "K01")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		_, err := s.Register(t.Context(), w.parent("t2"), s.childIndex(nurai)[:refLength], []string{"K02"})
		if p := problem.From(err); p.Key != "problem.preschool_registered" || !strings.Contains(s.Texts.Text("ru", p.Key, p.Args...), "отдел образования") {
			t.Errorf("registered twice: %v", err)
		}
		if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: " "}, made.Number, false); !errors.Is(err, problemReason) {
			t.Errorf("without a reason: %v", err)
		}
		if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "in the wrong district"}, made.Number, false); err != nil {
			t.Fatal(err)
		}
		if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "again"}, made.Number, false); !errors.Is(err, problemEnded) {
			t.Errorf("withdrawn twice: %v", err)
		}
		if told := w.told(aigulPhone, "preschool.withdrawn:"); len(told) != 1 || !strings.Contains(told[0], made.Number) {
			t.Errorf("the parent is told %q", told)
		}
		if found, err := s.Position(t.Context(), c, made.Number); err != nil || found.State != StateWithdrawn || len(found.Places) != 0 || found.Offer != nil {
			t.Errorf("stands at %+v, %v", found, err)
		}
		for _, accept := range []bool{true, false} {
			if _, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), accept); !errors.Is(err, problemEnded) {
				t.Errorf("answered %t: %v", accept, err)
			}
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_seats WHERE taken = 0"); n != 1 {
			t.Error("the seat is still taken")
		}
		w.Pass(time.Hour)
		again := enrol(t, s, w.parent("t3"), "K01")
		if n := count(t, db, "SELECT count(*) FROM preschool_registrations WHERE queued_at = registered_at AND number = '"+again.Number+"'"); n != 1 {
			t.Error("the child did not go to the end of the queue")
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, again.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Answer(t.Context(), w.parent("t4"), again.Number, lastOffer(s, again.Number), true); err != nil {
			t.Fatal(err)
		}
		if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "placed"}, again.Number, false); !errors.Is(err, problemPlaced) {
			t.Errorf("a placed child: %v", err)
		}
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestPlaceKeptForTheUndone: what a phone registered that was undone does not cost the
// child its place: the next registration within 30 days takes it over, once, if the
// officer said so; fsck knows of it, and finds it where the log does not say so.
func TestPlaceKeptForTheUndone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		undone bool
		after  time.Duration
		kept   bool
	}{
		"in time": {true, placeKept - time.Microsecond, true}, "late": {true, placeKept, false}, "not said": {false, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 1)
				s := newService(t, w)
				number := enrol(t, s, w.parent("t1"), "K12").Number
				for i := range 2 { // what took a place over may be withdrawn too
					if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "a stranger's"}, number, test.undone); err != nil {
						t.Fatal(err)
					}
					w.Pass(test.after)
					number = enrol(t, s, w.parent("again"+string(rune('0'+i))), "K01").Number
					n := count(t, db, "SELECT count(*) FROM preschool_registrations r JOIN preschool_choices c ON c.registration_id = r.id "+
						"WHERE r.queued_at < r.registered_at AND c.queued_at = r.queued_at AND r.number = '"+number+"'")
					if (n == 1) != test.kept {
						t.Errorf("the place is kept: %d", n)
					}
				}
				if err := w.checked(); err != nil {
					t.Error(err)
				}
				if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "once more"}, number, false); err != nil {
					t.Fatal(err)
				}
				w.Pass(time.Hour)
				number = enrol(t, s, w.parent("last"), "K01").Number
				if n := count(t, db, "SELECT count(*) FROM preschool_registrations WHERE queued_at = registered_at AND number = '"+number+"'"); n != 1 {
					t.Error("a place was kept that nobody kept")
				}
			})
		})
	}
}

// TestAnswerAfterThePlaceWasGivenBack: an accept is answered with what is true now.
func TestAnswerAfterThePlaceWasGivenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		c := w.parent("t1")
		made := seated(t, s, c, "K01")
		if again, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), true); err != nil || again.State != Accepted {
			t.Errorf("the same accept again: %+v, %v", again, err)
		}
		if _, err := s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, made.Number); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), true); !errors.Is(err, problemEnded) || problem.From(err).Code != problem.Conflict {
			t.Errorf("accepted after it was given back: %+v, %v", got, err)
		}
	})
}
