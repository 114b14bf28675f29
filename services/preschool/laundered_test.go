package preschool

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestAChangeIsNotMadeRightByTheNextStep: a row that somebody changed, and that a step of ours
// then wrote anew, is named.
func TestAChangeIsNotMadeRightByTheNextStep(t *testing.T) {
	t.Parallel()
	officer := staff.Act{Actor: "officer", Reason: "a stranger's"}
	expire := func(s *Service, w *world, _ string) error {
		_, err := s.Expire(t.Context())
		return err
	}
	offer := func(s *Service, _ *world, number string) error {
		_, err := s.OfferOutOfTurn(t.Context(), officer, number, "K01")
		return err
	}
	benefit := "UPDATE preschool_registrations SET benefit = 'disability', benefit_rank = 1"
	ranks := "UPDATE preschool_choices SET benefit_rank = 1"
	for name, c := range map[string]struct {
		group   string
		offered bool
		change  []string
		step    func(s *Service, w *world, number string) error
	}{
		"a benefit, then an offer": {groupPlace, false, []string{benefit, ranks}, offer},
		"a benefit, then another": {groupPlace, false, []string{benefit, ranks}, func(s *Service, _ *world, number string) error {
			return s.SetBenefit(t.Context(), "officer", number, "orphan")
		}},
		"a benefit, then a lapse that moves to the end": {groupPlace, true, []string{benefit, ranks}, func(s *Service, w *world, number string) error {
			w.Set(w.Now().AddDate(0, 2, 0))
			return expire(s, w, number)
		}},
		"an offer that ends early, then its lapse": {groupOffer, true, []string{"UPDATE preschool_offers SET expires_at = 1"}, expire},
		"an offer that lives longer, then its withdrawal": {groupOffer, true, []string{"UPDATE preschool_offers SET expires_at = expires_at + 1"}, func(s *Service, _ *world, number string) error {
			return s.Withdraw(t.Context(), officer, number, false)
		}},
		"a second registration made possible, then an end": {groupPlace, false, []string{"UPDATE preschool_registrations SET active_child = NULL"}, func(s *Service, _ *world, number string) error {
			return s.Withdraw(t.Context(), officer, number, false)
		}},
		"whose child it is, then a release": {groupParent, false, []string{"UPDATE preschool_registrations SET citizen_id = 'x'"}, func(s *Service, w *world, _ string) error {
			return s.DB.InTx(t.Context(), func(tx *store.Tx) error { return s.CutPhone(t.Context(), tx, w.parent("t1").Phone, w.Now()) })
		}},
		"which child it is, then an offer": {groupChild, false, []string{"UPDATE preschool_registrations SET child_index = 'x'"}, offer},
		"a kindergarten, then an offer":    {groupChoices, false, []string{"UPDATE preschool_choices SET kindergarten = 'K01' WHERE choice = 1"}, offer},
		"the offer's place, then an answer": {groupOffer, true, []string{"UPDATE preschool_offers SET name_ky = 'x'"}, func(s *Service, w *world, number string) error {
			_, err := s.Answer(t.Context(), w.parent("t1"), number, lastOffer(s, number), true)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 4)
				s := newService(t, w)
				s.rules.Policies[0].Missed = toTheEnd
				number := enrol(t, s, w.parent("t1"), "K02", "K01").Number
				if c.offered {
					w.OK(offer(s, w, number))
				}
				w.OK(w.checked())
				for _, statement := range c.change {
					if _, err := db.Writer().ExecContext(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				w.OK(c.step(s, w, number))
				err := w.checked()
				if want := "the registration " + number + " was changed in its " + c.group + " between the audit records "; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			})
		})
	}
}
