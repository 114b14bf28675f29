package preschool

import (
	"errors"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestACutPhoneHearsNothing: from the moment of a cut the phone is told nothing of the
// person's children, whether it registered them or took them over; the heir is told of the
// offer that is open, with its day, and of all that follows.
func TestACutPhoneHearsNothing(t *testing.T) {
	t.Parallel()
	const thief = aigulOther
	for name, open := range map[string]bool{"an offer is open": true, "the offer comes later": false} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 1)
				s := newService(t, w)
				c := w.parent("t1")
				c.Phone = thief
				made := enrol(t, s, c, "K01")
				offer := func() {
					if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
						t.Fatal(err)
					}
				}
				if open {
					offer()
				}
				before := len(w.told(thief, "preschool."))
				cutPerson(t, s, thief, aigulPhone)
				if !open {
					offer()
				}
				if told := w.told(aigulPhone, "preschool.offer:"); len(told) != 1 || !strings.Contains(told[0], "14.12.2026") {
					t.Errorf("the person's phone is told %q", told)
				}
				w.Set(w.Now().AddDate(0, 2, 0))
				if n, err := s.Expire(t.Context()); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				if told := w.told(thief, "preschool."); len(told) != before {
					t.Errorf("the phone that was cut off is told %q", told)
				}
				if told := w.told(aigulPhone, "preschool.missed:"); len(told) != 1 {
					t.Errorf("the person's phone is told %q", told)
				}
				if err := w.checked(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func cutPerson(t *testing.T, s *Service, phone, heir string) {
	t.Helper()
	err := s.DB.InTx(t.Context(), func(tx *store.Tx) error { return s.CutPerson(t.Context(), tx, aigul, phone, heir, s.Now()) })
	if err != nil {
		t.Fatal(err)
	}
}

// TestUnheardIsListed: what nobody hears of is listed until a phone is proved and takes it
// over, which is then told of the open offer, once.
func TestUnheardIsListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		unheard := func(want ...State) {
			t.Helper()
			list, err := s.Unheard(t.Context())
			if err != nil || len(list) != len(want) {
				t.Fatalf("listed %+v, %v", list, err)
			}
			for i, state := range want {
				if u := list[i]; u.Number != made.Number || u.State != state || (u.Offer != nil) != (state == StateOffered) {
					t.Errorf("listed %+v", u)
				}
			}
		}
		unheard()
		cutPerson(t, s, aigulPhone, "")
		unheard(StateWaiting)
		before := len(w.messages())
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		if n := len(w.messages()); n != before {
			t.Errorf("%d messages were sent", n-before)
		}
		unheard(StateOffered)
		mine := w.parent("t2")
		mine.Phone = aigulOther
		for range 2 {
			if err := s.Settle(t.Context(), mine); err != nil {
				t.Fatal(err)
			}
		}
		unheard()
		if told := w.told(aigulOther, "preschool.offer:"); len(told) != 1 {
			t.Errorf("the person's new phone is told %q", told)
		}
	})
}

// TestAStrongProofHearsWhatWaits: who is proved strongly is told of the offer that waits, and
// takes over what nobody hears of, in the transaction of the proof; nobody else's, none that
// another phone hears of, and none below the policy's level.
func TestAStrongProofHearsWhatWaits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		enrol(t, s, w.bear(1, start.AddDate(-3, 0, 0)), "K02")
		proved := func(level caller.Level, hears, moved int) {
			t.Helper()
			c := w.parent("t2")
			c.Phone, c.Level = aigulOther, level
			if err := s.DB.InTx(t.Context(), func(tx *store.Tx) error { return s.ProvedStrongly(t.Context(), tx, c) }); err != nil {
				t.Fatal(err)
			}
			if told := w.told(aigulOther, "preschool.offer:"); len(told) != hears || tied(t, s, db, aigulOther) != moved {
				t.Errorf("at %s told %q, %d follow", level, told, tied(t, s, db, aigulOther))
			}
		}
		proved(caller.LevelStrong, 0, 0)
		cutPerson(t, s, aigulPhone, "")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		proved(caller.LevelWeak, 0, 0)
		proved(caller.LevelStrong, 1, 1)
		proved(caller.LevelStrong, 1, 1)
		if err := w.checked(); err != nil {
			t.Error(err)
		}
	})
}

// TestAnUndoneCallerChangesNothing: who was undone after the request was let in neither
// registers a child nor moves its notices.
func TestAnUndoneCallerChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		enrol(t, s, w.parent("t1"), "K01")
		w.undone = map[string]bool{aigulOther: true}
		mine := w.parent("t2")
		mine.Phone = aigulOther
		if _, err := s.Follow(t.Context(), mine); !errors.Is(err, problemProveOffer) || tied(t, s, db, aigulOther) != 0 {
			t.Errorf("the notices were moved: %v", err)
		}
		child := w.bear(1, start.AddDate(-3, 0, 0))
		child.Phone = aigulOther
		children, err := s.Children(t.Context(), child)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Register(t.Context(), child, children[0].Ref, []string{"K01"}); !errors.Is(err, problemProve) {
			t.Errorf("registered: %v", err)
		}
	})
}

// TestNamesAlikeAreToldApart: kindergartens of one name are told apart by their district
// wherever they are named; the SMS of an offer names it where there is room.
func TestNamesAlikeAreToldApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		for _, i := range []int{0, 11} {
			w.list[i].Name = Name{KY: "№1 «Бөбөк»", RU: "№1 «Бөбөк»"}
		}
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01", "K12", "K02")
		found, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, made.Number)
		if err != nil || found.Places[0].District.KY != "Ленин району" || found.Places[1].District.RU != "город Ош" {
			t.Fatalf("%+v, %v", found.Places, err)
		}
		var lines []string
		for _, line := range places(found, "ky") {
			lines = append(lines, s.Texts.Text("ky", line.Key, line.Args...))
		}
		if got := strings.Join(lines, "\n"); got != "№1 «Бөбөк», Ленин району: 1\n№1 «Бөбөк», Ош шаары: 1\n№ 2 «Күнчө»: 1" {
			t.Errorf("the places read %q", got)
		}
		offer, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K12")
		if err != nil {
			t.Fatal(err)
		}
		if told := w.told(aigulPhone, "preschool.offer:"); len(told) != 1 || !strings.Contains(told[0], "№1 «Бөбөк», Ош шаары") {
			t.Errorf("told %q", told)
		}
		offer.Name.KY = "№ 128 «Тоо гүлчачагы»"
		if said := s.sayOffer(offer, "ky"); strings.Contains(said, "Ош") || !strings.Contains(said, "Тоо гүлчачагы") {
			t.Errorf("of a long name is said %q", said)
		}
		if offers, err := s.Offers(t.Context(), w.parent("t2")); err != nil || offers[0].District.KY != "Ош шаары" {
			t.Errorf("%+v, %v", offers, err)
		}
	})
}
