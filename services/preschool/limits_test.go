package preschool

import (
	"fmt"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestS5LooksAreBounded: who guesses registration numbers is refused, by phone and by
// address; the same number again is free, and others are not kept out.
func TestS5LooksAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	s := newService(t, storetest.Open(t, storetest.NewSQLite(t)), w)
	made := enrol(t, s, w.parent("t1"), "K01")
	for name, c := range map[string]struct {
		by    caller.Caller
		bound int
	}{
		"phone":   {caller.Caller{Phone: "+996700000002", Channel: caller.USSD, Now: start}, looksByPhone.N},
		"address": {caller.Caller{Address: "192.0.2.7", Channel: caller.REST, Now: start}, looksByAddress.N},
	} {
		for range 400 {
			if _, err := s.Position(t.Context(), c.by, made.Number); err != nil {
				t.Fatal(name, err)
			}
		}
		for i := range c.bound + 5 {
			number, err := newNumber(s.Random)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Position(t.Context(), c.by, number)
			p := problem.From(err)
			if wanted := map[bool]string{true: problemNumber.Key, false: "problem.preschool_looks_many"}[i < c.bound-1]; p.Key != wanted {
				t.Fatalf("%s: number %d gives %v", name, i, err)
			}
			if i >= c.bound && (p.RetryAfter <= 0 || fmt.Sprint(p.Args[3]) != "23.11.2026 13:00") {
				t.Fatalf("%s: refused for %v: %v", name, p.RetryAfter, p.Args)
			}
		}
	}
	if _, err := s.Position(t.Context(), caller.Caller{Phone: "+996777000009", Channel: caller.SMS, Now: start}, made.Number); err != nil {
		t.Errorf("another: %v", err)
	}
}

// TestS5TheSameNumberIsBounded: asking again tells nothing new and still has an end.
func TestS5TheSameNumberIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(1)
	s := newService(t, storetest.Open(t, storetest.NewSQLite(t)), w)
	made := enrol(t, s, w.parent("t1"), "K01")
	by := caller.Caller{Address: "192.0.2.7", Channel: caller.REST, Now: start}
	for i := range again.N + 3 { // the first is no repetition
		_, err := s.Position(t.Context(), by, made.Number)
		if i <= again.N && err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		if p := problem.From(err); i > again.N && (p.Key != "problem.preschool_looks_many" || p.RetryAfter <= 0) {
			t.Fatalf("time %d: %v", i, err)
		}
	}
	by.Address = "192.0.2.8"
	if _, err := s.Position(t.Context(), by, made.Number); err != nil {
		t.Errorf("another: %v", err)
	}
}
