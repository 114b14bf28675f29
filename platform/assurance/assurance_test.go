package assurance

import (
	"errors"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
)

// TestThePolicyIsWhole: the rules of a name are in the order of their days, and each needs a level
// at which a person is known.
func TestThePolicyIsWhole(t *testing.T) {
	t.Parallel()
	for _, name := range Own.Operations() {
		for i, r := range Own[name] {
			if level := caller.Level(r.value); level != caller.LevelWeak && level != caller.LevelStrong {
				t.Errorf("%s needs %d", name, r.value)
			}
			if i > 0 && r.from <= Own[name][i-1].from {
				t.Errorf("%s: %s is after %s", name, r.from, Own[name][i-1].from)
			}
		}
	}
	if SIMSettles(time.Now()) != 72*time.Hour {
		t.Errorf("a new SIM card settles for %s", SIMSettles(time.Now()))
	}
	for _, file := range []string{"h\n2026-13-01,a,1,why\n", "h\n2026-12-01,a,x,why\n", "h\n2026-12-01,a,1,\n", "a,b\nc\n"} {
		if rules, err := read([]byte("from,name,value,why\n" + file[2:])); err == nil {
			t.Errorf("%q was read: %v", file, rules)
		}
	}
}

// TestARuleHoldsFromItsDay: in Bishkek, until the next one.
func TestARuleHoldsFromItsDay(t *testing.T) {
	t.Parallel()
	rules := []rule{{"2026-01-01", 2}, {"2027-01-01", 3}}
	for moment, want := range map[string]int{"2025-06-01 12:00": 2, "2026-12-31 23:59": 2, "2027-01-01 00:00": 3, "2030-01-01 00:00": 3} {
		now, err := time.ParseInLocation("2006-01-02 15:04", moment, clock.Bishkek)
		if err != nil {
			t.Fatal(err)
		}
		if got, known := at(rules, now); got != want || !known {
			t.Errorf("%s: %d, want %d", moment, got, want)
		}
	}
}

// TestAdmit: the weakly proved are refused what needs more, and whatever nobody decided about.
func TestAdmit(t *testing.T) {
	t.Parallel()
	rules := MustRead([]byte("from,name,value,why\n2026-01-01,look,2,because\n2026-01-01,act,3,because\n"))
	for _, c := range []struct {
		operation string
		level     caller.Level
		admitted  bool
	}{
		{"look", caller.LevelCode, false}, {"look", caller.LevelWeak, true}, {"act", caller.LevelWeak, false}, {"act", caller.LevelStrong, true},
		{"no.such", caller.LevelWeak, false},
	} {
		err := rules.Admit(caller.Caller{Level: c.level, Now: time.Now()}, c.operation)
		if (err == nil) != c.admitted || err != nil && !errors.Is(err, ErrWeak) {
			t.Errorf("%s at %s: %v", c.operation, c.level, err)
		}
	}
}
