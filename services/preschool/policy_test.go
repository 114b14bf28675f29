package preschool

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

func TestCohortAndIntake(t *testing.T) {
	t.Parallel()
	r, err := parseRules(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		born, today string
		age         int
	}{
		{"2023-05-09", "2026-11-23", 3},
		{"2023-09-01", "2026-11-23", 3}, // three on the very day
		{"2023-09-02", "2026-11-23", 2},
		{"2023-05-09", "2027-05-31", 3},
		{"2023-05-09", "2027-06-01", 4}, // seats for the coming intake
		{"2024-02-29", "2026-11-23", 2},
		{"2026-10-01", "2026-11-23", -1},
	} {
		born, _ := time.Parse(time.DateOnly, test.born)
		today, _ := time.ParseInLocation(time.DateOnly, test.today, clock.Bishkek)
		p := r.at(today)
		if age := p.intake(today) - p.cohort(born); age != test.age {
			t.Errorf("born %s, on %s: in the group of %d, not %d", test.born, test.today, age, test.age)
		}
	}
}

func TestHeldCountsWorkingDays(t *testing.T) {
	t.Parallel()
	r, err := parseRules(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		notified string
		days     int
		last     string
	}{
		{"2026-11-23T06:00:00Z", 15, "14.12.2026"}, // Monday: three whole weeks
		{"2026-11-20T17:59:59Z", 1, "23.11.2026"},  // Friday 23:59 in Bishkek
		{"2026-11-20T18:00:00Z", 1, "23.11.2026"},  // Saturday 00:00 in Bishkek
		{"2026-12-31T06:00:00Z", 1, "04.01.2027"},  // New Year is a Friday
		{"2026-05-26T06:00:00Z", 1, "28.05.2026"},  // Kurman ait
	} {
		at, _ := time.Parse(time.RFC3339, test.notified)
		if last := clock.ShowDate((Offer{Until: r.held(at, test.days)}).LastDay()); last != test.last {
			t.Errorf("%d working days from %s end on %s, not %s", test.days, test.notified, last, test.last)
		}
	}
}

func TestPoliciesAreDated(t *testing.T) {
	t.Parallel()
	entry := strings.ReplaceAll(policyFile[strings.Index(policyFile, "\n[[policy]]"):strings.Index(policyFile, "[holidays]")], `"2021-01-01"`, `"2027-01-01"`)
	later := strings.ReplaceAll(entry, "hold_working_days = 15", "hold_working_days = 10")
	r, err := parseRules(later + policyFile)
	if err != nil {
		t.Fatal(err)
	}
	newYear := time.Date(2027, time.January, 1, 0, 0, 0, 0, clock.Bishkek)
	if before, after := r.at(newYear.Add(-time.Second)), r.at(newYear); before.HoldWorkingDays != 15 || after.HoldWorkingDays != 10 {
		t.Errorf("held %d days before and %d after", before.HoldWorkingDays, after.HoldWorkingDays)
	}
	for what, text := range map[string]string{
		"empty": "", "no toml": "[[", "bad date": strings.ReplaceAll(policyFile, "2021-01-01", "soon"),
		"bad effect": strings.ReplaceAll(policyFile, `"keeps"`, `"lost"`), "typing error": policyFile + "\nworkign = []\n",
		"no hold": strings.ReplaceAll(policyFile, "hold_working_days = 15", "hold_working_days = 0"),
	} {
		if _, err := parseRules(text); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}
