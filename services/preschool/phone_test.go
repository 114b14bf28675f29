package preschool

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// tied counts the registrations that tell of themselves on a phone.
func tied(t *testing.T, s *Service, db *store.DB, phone string) int {
	t.Helper()
	return count(t, db, "SELECT count(*) FROM preschool_registrations WHERE phone_index = '"+s.phoneIndex(phone)+"'")
}

func cut(t *testing.T, s *Service, phone string) {
	t.Helper()
	if err := s.DB.InTx(t.Context(), func(tx *store.Tx) error { return s.CutPhone(t.Context(), tx, phone, s.Now()) }); err != nil {
		t.Fatal(err)
	}
}

// TestS2APhoneAloneProvesNothing: the registration's own phone, unproved, sees no
// offer and answers none.
func TestS2APhoneAloneProvesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]caller.Caller{
			"the phone": {Phone: aigulPhone, Channel: caller.USSD, Now: w.Now()},
			"nobody":    {Channel: caller.REST, Now: w.Now()},
		} {
			if offers, err := s.Offers(t.Context(), c); !errors.Is(err, problemProveOffer) || len(offers) != 0 {
				t.Errorf("%s sees %v, %v", name, offers, err)
			}
			if list, err := s.Registrations(t.Context(), c); !errors.Is(err, problemProve) || len(list) != 0 {
				t.Errorf("%s sees the registrations %v, %v", name, list, err)
			}
			for _, accept := range []bool{true, false} {
				if _, err := s.Answer(t.Context(), c, made.Number, lastOffer(s, made.Number), accept); !errors.Is(err, problemProveOffer) {
					t.Errorf("%s answers: %v", name, err)
				}
			}
			if _, err := s.Follow(t.Context(), c); !errors.Is(err, problemProveOffer) {
				t.Errorf("%s moves the registrations: %v", name, err)
			}
			if err := s.Settle(t.Context(), c); !errors.Is(err, problemProveOffer) {
				t.Errorf("%s settles: %v", name, err)
			}
		}
	})
}

// TestS2TheNumberIsReleased: the new holder of a released number gets no message of
// an offer, and the registration follows the person to the phone they prove next.
func TestS2TheNumberIsReleased(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01", "K02")
		before := len(w.messages())
		cut(t, s, aigulPhone)
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K02"); err != nil {
			t.Fatal(err)
		}
		if n := len(w.messages()); n != before || tied(t, s, db, aigulPhone) != 0 {
			t.Errorf("%d messages went to the stranger, %d registrations are tied", n-before, tied(t, s, db, aigulPhone))
		}
		if n := count(t, db, "SELECT count(*) FROM audit_records WHERE action = 'preschool.phone' AND purpose = 'number released'"); n != 1 {
			t.Errorf("%d audit records", n)
		}
		mine := w.parent("t2")
		mine.Phone = aigulOther
		if err := s.Settle(t.Context(), mine); err != nil || tied(t, s, db, aigulOther) != 1 {
			t.Fatalf("%d follow the person: %v", tied(t, s, db, aigulOther), err)
		}
		if offers, err := s.Offers(t.Context(), mine); err != nil || len(offers) != 1 {
			t.Errorf("her offers: %v, %v", offers, err)
		}
		if list, err := s.Registrations(t.Context(), mine); err != nil || len(list) != 1 {
			t.Errorf("her registrations: %v, %v", list, err)
		}
		if _, err := s.Answer(t.Context(), mine, made.Number, lastOffer(s, made.Number), false); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, m := range w.messages() {
			if m.To == aigulOther {
				told++
			}
		}
		if told != 3 { // the open offer, the answer's receipt and the next offer
			t.Errorf("%d messages reached the new phone", told)
		}
	})
}

// TestS2FollowTheNewNumber: a person with a new number gives it, once proved; a child
// that is placed is left alone, and so are others'.
func TestS2FollowTheNewNumber(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		other := w.bear(1, start.AddDate(-3, 0, 0))
		enrol(t, s, other, "K01")
		mine := w.parent("t2")
		mine.Phone, mine.Channel, mine.Locale = aigulOther, caller.REST, locales.RU
		if err := s.Settle(t.Context(), mine); err != nil || tied(t, s, db, aigulPhone) != 1 {
			t.Errorf("a phone that is still hers was taken off: %v", err)
		}
		for range 2 { // twice is once
			numbers, err := s.Follow(t.Context(), mine)
			if err != nil || len(numbers) != 1 || numbers[0] != made.Number {
				t.Fatalf("follows %v, %v", numbers, err)
			}
		}
		if tied(t, s, db, aigulPhone) != 0 || tied(t, s, db, aigulOther) != 1 || tied(t, s, db, other.Phone) != 1 {
			t.Error("the registrations did not follow")
		}
		if n := count(t, db, "SELECT count(*) FROM audit_records WHERE action = 'preschool.phone'"); n != 1 {
			t.Errorf("%d audit records", n)
		}
		if told := w.told(aigulPhone, "preschool.moved:"); len(told) != 1 || !strings.Contains(told[0], "…0009") || !strings.Contains(told[0], "БӨГӨТ 1234") {
			t.Errorf("the phone that the notices were moved from is told %q", told)
		}
		handed := func(citizen, from, to string) {
			t.Helper()
			err := s.DB.InTx(t.Context(), func(tx *store.Tx) error { return s.CutPerson(t.Context(), tx, citizen, from, to, w.Now()) })
			if err != nil {
				t.Fatal(err)
			}
		}
		if handed(other.Subject, aigulOther, other.Phone); tied(t, s, db, other.Phone) != 1 || tied(t, s, db, aigulOther) != 1 {
			t.Error("F1: a phone got what is another person's")
		}
		if handed(aigul, aigulOther, aigulPhone); tied(t, s, db, aigulPhone) != 1 || tied(t, s, db, aigulOther) != 0 {
			t.Error("what an undone phone took did not come back")
		}
	})
}

// TestS2AQueueTakenOver: an imported registration knows a phone only: it is its
// parent's who proves it, and no other's who holds the phone.
func TestS2AQueueTakenOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		child := w.families[aigul][0]
		if n, err := s.ImportWaiting(t.Context(), []Waiting{{Minor: child, Phone: aigulPhone, Choices: []string{"K01"}, Since: start}}); n != 1 || err != nil {
			t.Fatalf("imported %d, %v", n, err)
		}
		w.Set(start.Add(time.Hour))
		var number string
		if err := db.Reader().QueryRow("SELECT number FROM preschool_registrations").Scan(&number); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, number, "K01"); err != nil {
			t.Fatal(err)
		}
		stranger := w.bear(1, start.AddDate(-3, 0, 0))
		stranger.Phone = aigulPhone // the number's new holder, proved as themselves
		if err := s.Settle(t.Context(), stranger); err != nil {
			t.Fatal(err)
		}
		if offers, err := s.Offers(t.Context(), stranger); err != nil || len(offers) != 0 {
			t.Errorf("the stranger sees %v, %v", offers, err)
		}
		if _, err := s.Answer(t.Context(), stranger, number, lastOffer(s, number), false); !errors.Is(err, problemNoOffer) {
			t.Errorf("the stranger answers: %v", err)
		}
		cut(t, s, aigulPhone)
		mine := w.parent("t2")
		mine.Phone = aigulOther
		if _, err := s.Answer(t.Context(), mine, number, lastOffer(s, number), true); err != nil {
			t.Errorf("the parent answers: %v", err)
		}
	})
}
