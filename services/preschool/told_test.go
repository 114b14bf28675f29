package preschool

import (
	"errors"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// The phone that a registration tells hears what another phone of the person answered, and
// the other one too, each once; what waited about the offer is dropped on every phone.
func TestBothPhonesHearOfAnAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for accept, key := range map[bool]string{true: "preschool.accepted:", false: "preschool.declined:"} {
			w := newWorld(t, db, 9)
			s := newService(t, w)
			child := w.bear(map[bool]int{true: 1, false: 2}[accept], start.AddDate(-3, -6, 0))
			made := enrol(t, s, child, "K01")
			if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
				t.Fatal(err)
			}
			other := child
			other.Phone, other.Key = aigulOther, "answer"
			for range 2 {
				if _, err := s.Answer(t.Context(), other, made.Number, lastOffer(s, made.Number), accept); err != nil {
					t.Fatal(err)
				}
			}
			if here, there := w.told(child.Phone, key), w.told(aigulOther, key); len(here) != 1 || len(there) != 1 {
				t.Errorf("%t: the registration's phone hears %q, the answering one %q", accept, here, there)
			}
			if n := w.waits(child.Phone, "preschool.offer:"); n != 0 {
				t.Errorf("%t: %d notices of the offer wait still", accept, n)
			}
		}
	})
}

// The phone that answers hears of it once where the registration tells itself there.
func TestOnePhoneHearsOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		seated(t, s, w.parent("t1"), "K01")
		if told := w.told(aigulPhone, "preschool.accepted:"); len(told) != 1 {
			t.Errorf("told %q", told)
		}
	})
}

// A notice that was moved to another phone waits on both; what ends the offer drops both.
func TestALapsedOfferIsTakenBackEverywhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		offer, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01")
		if err != nil {
			t.Fatal(err)
		}
		mine := w.parent("t2")
		mine.Phone = aigulOther
		if _, err := s.Follow(t.Context(), mine); err != nil {
			t.Fatal(err)
		}
		if here, there := w.waits(aigulPhone, "preschool.offer:"), w.waits(aigulOther, "preschool.offer:"); here != 1 || there != 1 {
			t.Fatalf("of the offer wait %d and %d notices", here, there)
		}
		w.Set(offer.Until)
		if _, err := s.Expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if here, there := w.waits(aigulPhone, "preschool.offer:"), w.waits(aigulOther, "preschool.offer:"); here+there != 0 {
			t.Errorf("still wait %d and %d", here, there)
		}
	})
}

// Where the register knows two kindergartens of a name, whatever is said of an offer names
// the district, though the child chose one of them alone.
func TestAnOfferNamesItsDistrict(t *testing.T) {
	t.Parallel()
	for loc, district := range map[locales.Locale]string{locales.KY: "№ 1 «Күнчө», Ленин району", locales.RU: "№ 1 «Күнчө», Ленинский район"} {
		t.Run(string(loc), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 1)
				w.language = loc
				w.list[11].Name = w.list[0].Name
				s := newService(t, w)
				p, made := offeredPhone(t, s, w, loc, caller.SMS, "K01")
				screens := []string{p.state.Pages[0].Text, p.says(t, "1"), p.says(t, "1"), p.says(t, "3")}
				accepted := w.told(aigulPhone, "preschool.accepted:")
				screens = append(screens, p.send(t, dialog.Input{Start: true, Text: "КЕЗЕК " + made.Number}))
				for i, screen := range screens {
					if !strings.Contains(screen, district) {
						t.Errorf("screen %d: %q", i, screen)
					}
				}
				if len(accepted) != 0 {
					t.Errorf("who reads it in the answer is told again: %q", accepted)
				}
				made2 := enrol(t, s, w.bear(1, start.AddDate(-3, -6, 0)), "K02")
				if said := s.sayPlace("preschool.sms_accepted", Offer{Number: made2.Number, Kindergarten: "K01", Name: w.list[0].Name}, loc); !strings.Contains(said, district) ||
					gsm.Measure(said).Parts != 1 {
					t.Errorf("the SMS is %q", said)
				}
			})
		})
	}
}

// The line of an open offer on the position's screen names the district as well; where the
// child has its place is told to no stranger.
func TestWhereAPlaceIsIsToldToTheParent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		w.list[11].Name = w.list[0].Name
		s := newService(t, w)
		_, made := offeredPhone(t, s, w, locales.RU, caller.SMS, "K01")
		look := func(from string) string {
			p := newPhone(t, s, locales.RU)
			p.caller.Phone, p.caller.Channel, p.budget = from, caller.SMS, dialog.Budget{Septets: 459, Units: 201}
			return p.send(t, dialog.Input{Start: true, Text: "ОЧЕРЕДЬ " + made.Number})
		}
		if got := look(aigulPhone); !strings.Contains(got, "- № 1 «Күнчө», Ленинский район") {
			t.Errorf("with an offer: %q", got)
		}
		if _, err := s.Answer(t.Context(), w.parent("t2"), made.Number, lastOffer(s, made.Number), true); err != nil {
			t.Fatal(err)
		}
		if got := look(aigulPhone); !strings.Contains(got, "№ 1 «Күнчө», Ленинский район") {
			t.Errorf("the parent reads %q", got)
		}
		if got := look("+996700000099"); strings.Contains(got, "Күнчө") {
			t.Errorf("a stranger reads %q", got)
		}
	})
}

// Who answers after the registration was withdrawn hears so, on every screen of the offer,
// and who has to prove who they are first is sent to the offered place.
func TestAnAnswerTooLateSaysWhy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		p, made := offeredPhone(t, s, w, locales.RU, caller.SMS, "K01")
		p.says(t, "1", "1")
		p.caller.Phone = "+996700000099" // it was released meanwhile
		if got := p.says(t, "3"); !strings.Contains(got, "«Предложенное место»") {
			t.Errorf("who is not proved reads %q", got)
		}
		p = onTheList(t, s, locales.RU, caller.SMS)
		p.says(t, "1", "1")
		if err := s.Withdraw(t.Context(), staff.Act{Actor: "officer", Reason: "a wrong child"}, made.Number, false); err != nil {
			t.Fatal(err)
		}
		ended := s.Texts.Text(locales.RU, problemEnded.Key)
		if got := p.says(t, "3"); !strings.Contains(got, ended) {
			t.Errorf("accepting is answered %q", got)
		}
		if got := p.says(t, "0"); !strings.Contains(got, ended) {
			t.Errorf("the offer is shown as %q", got)
		}
		for _, accept := range []bool{true, false} {
			if _, err := s.Answer(t.Context(), w.parent("t2"), made.Number, lastOffer(s, made.Number), accept); !errors.Is(err, problemEnded) || problem.From(err).Code != problem.Conflict {
				t.Errorf("over REST %t: %v", accept, err)
			}
		}
	})
}
