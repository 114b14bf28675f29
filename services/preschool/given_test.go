package preschool

import (
	"fmt"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestWhyAnotherChild: who waits is told how many places others were given where it asked, and nothing
// of benefits.
func TestWhyAnotherChild(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ seats, benefits int }{{1, 1}, {6, 2}, {6, 0}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 0)
				w.seatsOnly(test.seats)
				s := newService(t, w)
				numbers := threes(t, s, w, test.seats+1, "K01", "K02")
				for _, number := range numbers[:test.benefits] {
					testworld.OK(t, s.SetBenefit(t.Context(), "officer", number, "orphan"))
				}
				last := numbers[test.seats]
				at := func(number string) Position {
					t.Helper()
					p, err := s.Position(t.Context(), caller.Caller{Now: w.Now()}, number)
					testworld.OK(t, err)
					return p
				}
				if p := at(last); p.Places[0].Given != nil {
					t.Errorf("before any allocation %+v", p.Places[0].Given)
				}
				decided := w.Now()
				_, err := s.Allocate(t.Context(), twoOfThem, dry(t, s).shown())
				testworld.OK(t, err)
				p := at(last)
				if g := p.Places[0].Given; g == nil || g.Places != test.seats || !g.At.Equal(micro(decided)) {
					t.Errorf("the last one is told %+v", g)
				}
				if p.Places[1].Given != nil || at(numbers[0]).Places[0].Given != nil {
					t.Error("told of places that nobody was given, or one's own")
				}
			})
		})
	}
}
