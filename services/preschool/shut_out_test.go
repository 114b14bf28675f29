package preschool

import (
	"errors"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestAnAnswerFromAPhoneThatIsCutOff: the parent's phone is told from which phone the answer
// came, in one SMS; after the cut, that it was given and whom to ask. Officers are shown it, with
// the command that mends it, until that is done.
func TestAnAnswerFromAPhoneThatIsCutOff(t *testing.T) {
	t.Parallel()
	for accept, want := range map[bool]struct {
		state OfferState
		mend  string
		there map[locales.Locale]string
		cut   map[locales.Locale]string
	}{
		false: {
			Declined, "eshik staff offer --registration ",
			map[locales.Locale]string{"ky": "…0009 телефонунан орундан баш тартылды", "ru": "с телефона …0009 отказались от места"},
			map[locales.Locale]string{"ky": "баш тартылган. Ал сиз болбосоңуз, билим берүү бөлүмүнө", "ru": "Если это были не вы, обратитесь в отдел образования"},
		},
		true: {
			Accepted, "eshik staff take-back --registration ",
			map[locales.Locale]string{"ky": "…0009 телефонунан орун кабыл алынды", "ru": "с телефона …0009 место принято"},
			map[locales.Locale]string{"ky": "кабыл алынган. Ал сиз болбосоңуз, билим берүү бөлүмүнө", "ru": "Если это были не вы, обратитесь в отдел образования"},
		},
	} {
		for _, loc := range []locales.Locale{locales.KY, locales.RU} {
			t.Run(string(want.state)+" "+string(loc), func(t *testing.T) {
				t.Parallel()
				storetest.Each(t, func(t *testing.T, db *store.DB) {
					w := newWorld(t, db, 2)
					w.language = loc
					s := newService(t, w)
					made := answeredElsewhere(t, s, w, accept)
					told := w.told(aigulPhone, "preschool."+string(want.state)+":")
					if len(told) != 1 || !strings.Contains(told[0], want.there[loc]) || gsm.Measure(told[0]).Parts != 1 {
						t.Errorf("told of the answer: %q", told)
					}
					cutAnswers(t, s, 0)
					cutPerson(t, s, aigulOther, aigulPhone)
					cutPerson(t, s, aigulOther, aigulPhone)
					if told := w.told(aigulPhone, "preschool.shut_out:"); len(told) != 1 || !strings.Contains(told[0], want.cut[loc]) {
						t.Errorf("told after the cut: %q", told)
					}
					if list := cutAnswers(t, s, 1); list[0].Offer.State != want.state || list[0].Offer.Number != made.Number || !list[0].At.Equal(start) {
						t.Errorf("listed %+v", list)
					}
					said, err := staffListsUnheard(t.Context(), []module.Module{{Service: s}}, staff.Act{}, nil)
					if err != nil || !strings.Contains(said.Said, want.mend+made.Number) {
						t.Errorf("the officer reads %q, %v", said, err)
					}
					if err := w.checked(); err != nil {
						t.Error(err)
					}
					mendAnswer(t, s, made.Number, accept)
					cutAnswers(t, s, 0)
					if err := w.checked(); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// answeredElsewhere is a registration whose offer another phone of the parent answered.
func answeredElsewhere(t *testing.T, s *Service, w *world, accept bool) Position {
	t.Helper()
	made := enrol(t, s, w.parent("t1"), "K01")
	if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
		t.Fatal(err)
	}
	other := w.parent("t2")
	other.Phone = aigulOther
	if _, err := s.Answer(t.Context(), other, made.Number, lastOffer(s, made.Number), accept); err != nil {
		t.Fatal(err)
	}
	w.Pass(1)
	return made
}

func cutAnswers(t *testing.T, s *Service, want int) []ShutOutAnswer {
	t.Helper()
	list, err := s.ShutOutAnswers(t.Context())
	if err != nil || len(list) != want {
		t.Fatalf("listed %+v, %v", list, err)
	}
	return list
}

// mendAnswer does what the list names.
func mendAnswer(t *testing.T, s *Service, number string, accepted bool) {
	t.Helper()
	var err error
	if accepted {
		_, err = s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, number)
	} else {
		_, err = s.Offer(t.Context(), staff.Act{Actor: "officer"}, number, "K01")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestOnlyTheCutPhonesAnswersAreListed: what the parent's own phone answered, and what nobody
// answered, is nobody else's; after 30 days an answer is listed no more.
func TestOnlyTheCutPhonesAnswersAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		seated(t, s, w.parent("t1"), "K01")
		cutPerson(t, s, aigulOther, aigulPhone)
		cutAnswers(t, s, 0)
		cutPerson(t, s, aigulPhone, "")
		cutAnswers(t, s, 1)
		w.Pass(shutOutListed)
		cutAnswers(t, s, 0)
		if told := w.told(aigulPhone, "preschool.shut_out:"); len(told) != 0 {
			t.Errorf("a phone that was cut off is told %q", told)
		}
	})
}

// TestAnUndoneCallerAnswersNothing: who was undone after the request was let in answers no offer.
func TestAnUndoneCallerAnswersNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		made := enrol(t, s, w.parent("t1"), "K01")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		w.undone = map[string]bool{aigulOther: true}
		other := w.parent("t2")
		other.Phone = aigulOther
		if _, err := s.Answer(t.Context(), other, made.Number, lastOffer(s, made.Number), false); !errors.Is(err, problemProveOffer) {
			t.Errorf("answered: %v", err)
		}
		if open, err := s.Offers(t.Context(), w.parent("t3")); err != nil || len(open) != 1 {
			t.Errorf("open are %+v, %v", open, err)
		}
	})
}
