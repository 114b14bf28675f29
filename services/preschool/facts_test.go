package preschool

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestFactsOfAnEnd: who approves the end of a waiting or of a place reads whose it is, where and
// since when. It stays the same while nothing happens, and whatever happens changes it.
func TestFactsOfAnEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		c := w.parent("t1")
		number := enrol(t, s, c, "K01", "K02").Number
		modules, given := []module.Module{{Service: s}}, map[string]string{"registration": number}
		seen := map[string]bool{}
		reads := func(of func() (string, error), wants ...string) {
			t.Helper()
			said, err := of()
			if err != nil || seen[said] {
				t.Fatalf("after something happened: %q, %v", said, err)
			}
			seen[said] = true
			for _, want := range append(wants, number) {
				if !strings.Contains(said, want) {
					t.Errorf("%q does not say %q", said, want)
				}
			}
			w.Pass(time.Hour)
			if again, err := of(); err != nil || again != said {
				t.Errorf("an hour later %q, %v", again, err)
			}
		}
		ending := func() (string, error) { return withdrawFacts(t.Context(), modules, given) }
		taking := func() (string, error) { return placeFacts(t.Context(), modules, given) }
		reads(ending, "waiting", "K01, K02", "offered no place")
		if said, err := taking(); !errors.Is(err, problemNotPlaced) {
			t.Errorf("no place to take: %q, %v", said, err)
		}
		for _, accept := range []bool{false, true} {
			if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, number, "K01"); err != nil {
				t.Fatal(err)
			}
			reads(ending, "is offered", "№ 1 «Күнчө» (K01)", ", open")
			c.Now = w.Now()
			if _, err := s.Answer(t.Context(), c, number, lastOffer(s, number), accept); err != nil {
				t.Fatal(err)
			}
			if !accept {
				reads(ending, "waiting", "declined at 2026-11-23 ")
			}
		}
		reads(taking, "placed", "№ 1 «Күнчө» (K01)", "accepted at 2026-11-23 ")
		if said, err := ending(); !errors.Is(err, problemPlaced) {
			t.Errorf("a placed child waits: %q, %v", said, err)
		}
		cutPerson(t, s, aigulPhone, "")
		reads(taking, "accepted at 2026-11-23 ", " by a phone that was cut off at ")
		if _, err := s.TakeBack(t.Context(), staff.Act{Actor: "officer"}, number); err != nil {
			t.Fatal(err)
		}
		if said, err := taking(); !errors.Is(err, problemNotPlaced) {
			t.Errorf("taken already: %q, %v", said, err)
		}
		if said, err := ending(); !errors.Is(err, problemEnded) {
			t.Errorf("ended already: %q, %v", said, err)
		}
	})
}
