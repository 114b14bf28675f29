package preschool

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func TestOfferAndAccept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		w.language = locales.RU
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01", "K02")
		offer, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K02")
		if err != nil || clock.ShowDate(offer.LastDay()) != "14.12.2026" || offer.Ahead != 0 {
			t.Fatalf("offered %+v until %s, %v", offer, offer.LastDay(), err)
		}
		told := false
		for _, m := range w.messages() {
			told = told || strings.Contains(m.Text, "Место: № 2 «Күнчө», Ленинский район. Срок: 14.12.2026. Ответ: ОЧЕРЕДЬ") && m.Locale == locales.RU && m.To == aigulPhone
		}
		if !told {
			t.Errorf("the parent was not told in Russian: %+v", w.messages())
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); !errors.Is(err, problemNotWaits) {
			t.Errorf("a second offer: %v", err)
		}
		stranger := caller.Caller{Phone: "+996700000002", Subject: "somebody else", Level: caller.LevelStrong, Now: w.Now()}
		if _, err := s.Answer(t.Context(), stranger, made.Number, lastOffer(s, made.Number), true); !errors.Is(err, problemNoOffer) {
			t.Errorf("a stranger's answer: %v", err)
		}
		mine := caller.Caller{Phone: aigulOther, Subject: aigul, Level: caller.LevelStrong, Locale: locales.KY, Now: w.Now()}
		if offers, err := s.Offers(t.Context(), mine); err != nil || len(offers) != 1 {
			t.Errorf("my offers: %v, %v", offers, err)
		}
		for range 2 { // the second time is a retry
			if answered, err := s.Answer(t.Context(), mine, made.Number, lastOffer(s, made.Number), true); err != nil || answered.State != Accepted {
				t.Fatalf("accepted %+v, %v", answered, err)
			}
		}
		if _, err := s.Answer(t.Context(), mine, made.Number, lastOffer(s, made.Number), false); !errors.Is(err, problemAnswered) {
			t.Errorf("declined after accepting: %v", err)
		}
		after, err := s.Position(t.Context(), mine, made.Number)
		if err != nil || after.State != StatePlaced || len(after.Places) != 0 {
			t.Errorf("after accepting %+v, %v", after, err)
		}
	})
}

func TestOfferRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 0)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		baby := enrol(t, s, w.bear(1, start.AddDate(0, -3, 0)), "K01")
		for _, test := range []struct {
			number, kindergarten string
			want                 error
		}{
			{made.Number, "K01", problemSeats},
			{made.Number, "K02", problemNotChosen},
			{made.Number, "K99", problemNotChosen},
			{baby.Number, "K01", problemYoung},
			{"47000000000", "K01", problemNumber},
		} {
			if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, test.number, test.kindergarten); !errors.Is(err, test.want) {
				t.Errorf("%s at %s: %v", test.number, test.kindergarten, err)
			}
		}
		if n := count(t, db, "SELECT count(*) FROM preschool_registrations WHERE state = 'waiting'"); n != 2 {
			t.Errorf("%d wait after refused offers", n)
		}
	})
}

// TestSeatsAtOnce offers 3 seats to 12 children at once: 3 get one.
func TestSeatsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 3)
		s := newService(t, w)
		numbers := make([]string, 12)
		for i := range numbers {
			numbers[i] = enrol(t, s, w.bear(i, start.AddDate(-3, -6, 0)), "K01").Number
		}
		var made atomic.Int32
		atOnce(t, 24, func(i int) error {
			_, err := s.OfferOutOfTurn(t.Context(), staff.Act{Actor: "officer"}, numbers[i/2], "K01")
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, problemSeats) && !errors.Is(err, problemNotWaits):
				return err
			}
			return nil
		})
		if open := count(t, db, "SELECT count(*) FROM preschool_offers"); made.Load() != 3 || open != 3 {
			t.Errorf("%d offers were made, %d are kept", made.Load(), open)
		}
	})
}

// TestAnswerRace has accept, decline and expiry at one offer: one wins.
func TestAnswerRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		for round := range 5 {
			c := w.bear(round, start.AddDate(-3, 0, 0))
			made := enrol(t, s, c, "K01")
			if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
				t.Fatal(err)
			}
			var accepted, declined atomic.Int32
			atOnce(t, 16, func(i int) error {
				_, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), i%2 == 0)
				switch {
				case err == nil && i%2 == 0:
					accepted.Add(1)
				case err == nil:
					declined.Add(1)
				case !errors.Is(err, problemAnswered):
					return err
				}
				return nil
			})
			if (accepted.Load() == 0) == (declined.Load() == 0) {
				t.Fatalf("%d accepted and %d declined", accepted.Load(), declined.Load())
			}
			want := 0
			if accepted.Load() > 0 {
				want = 1
			}
			if taken := count(t, db, "SELECT taken FROM preschool_seats"); taken != want {
				t.Fatalf("%d seats are taken, not %d", taken, want)
			}
			w.list[0].Free[3] += want // the next round has a free seat again
			if want == 1 {
				break // the seat is gone for good
			}
		}
	})
}

func TestExpire(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		offer, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01")
		if err != nil {
			t.Fatal(err)
		}
		w.Set(offer.Until.Add(-time.Microsecond))
		if n, err := s.Expire(t.Context()); n != 0 || err != nil {
			t.Fatalf("before its time %d, %v", n, err)
		}
		w.Set(offer.Until)
		if _, err := s.Answer(t.Context(), w.parent("t2"), made.Number, lastOffer(s, made.Number), true); !errors.Is(err, problemOver) {
			t.Errorf("too late: %v", err)
		}
		var expired atomic.Int32
		atOnce(t, 4, func(int) error {
			n, err := s.Expire(t.Context())
			expired.Add(int32(n)) // #nosec G115 -- at most one
			return err
		})
		if expired.Load() != 1 {
			t.Errorf("expired %d times", expired.Load())
		}
		after, err := s.Position(t.Context(), w.parent("t3"), made.Number)
		if err != nil || after.State != StateWaiting || after.Places[0].Position != 1 {
			t.Errorf("after a missed offer %+v, %v", after, err)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Errorf("the seat did not come back: %v", err)
		}
	})
}

// TestToTheEnd is the other policy: a declined offer costs the place.
func TestToTheEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		s.rules.Policies[0].Declined = toTheEnd
		made := enrol(t, s, w.parent("t1"), "K01")
		for i := range 3 {
			w.Pass(time.Minute)
			enrol(t, s, w.bear(i, time.Date(2023, time.May, 9, 0, 0, 0, 0, time.UTC)), "K01")
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Minute)
		if _, err := s.Answer(t.Context(), w.parent("t2"), made.Number, lastOffer(s, made.Number), false); err != nil {
			t.Fatal(err)
		}
		after, err := s.Position(t.Context(), w.parent("t3"), made.Number)
		if err != nil || after.Places[0].Position != 4 {
			t.Errorf("after declining %+v, %v", after, err)
		}
	})
}

func TestOutOfTurnIsSeen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 4)
		s := newService(t, w)
		var numbers []string
		for i := range 4 {
			w.Pass(time.Minute)
			numbers = append(numbers, enrol(t, s, w.bear(i, start.AddDate(-3, 0, 0)), "K01").Number)
		}
		last := numbers[3]
		_, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, last, "K01")
		testworld.Refused(t, err, "problem.preschool_turn")
		if n := count(t, db, "SELECT count(*) FROM preschool_offers"); n != 0 {
			t.Errorf("%d offers were made before their turn", n)
		}
		offer, err := s.OfferOutOfTurn(t.Context(), staff.Act{Actor: "officer"}, last, "K01")
		if err != nil || offer.Ahead != 3 {
			t.Fatalf("%+v, %v", offer, err)
		}
		purpose := fmt.Sprintf("%%ahead in the queue: %d", offer.Ahead)
		if n := count(t, db, "SELECT count(*) FROM audit_records WHERE action = 'preschool.offer' AND purpose LIKE '"+purpose+"'"); n != 1 {
			t.Errorf("the audit log keeps %d such offers", n)
		}
		// Who has an offer, or declined one, holds nobody up.
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, numbers[0], "K01")
		testworld.OK(t, err)
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, numbers[2], "K01")
		testworld.Refused(t, err, "problem.preschool_turn")
		_, err = s.Answer(t.Context(), w.bear(0, start.AddDate(-3, 0, 0)), numbers[0], lastOffer(s, numbers[0]), false)
		testworld.OK(t, err)
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, numbers[1], "K01")
		testworld.OK(t, err)
	})
}
