package app

import (
	"slices"
	"testing"

	"github.com/eshik-kg/eshik/platform/staff"
)

// lists are what a command shows by App.Look.
var lists = []string{"disputes", "suspense", "refunds", "refund-requests", "statement", "closed-day", "partners", "proposals", "accounts"}

// TestEveryOperationHasARow: what staff may do stands in the table, what stands there can be
// done, and where it takes two persons it is known what a proposal rests on.
func TestEveryOperationHasARow(t *testing.T) {
	t.Parallel()
	names := slices.Clone(lists)
	for name := range operations() {
		names = append(names, name)
	}
	for _, task := range Tasks() {
		names = append(names, task.Operations()...)
	}
	for _, name := range names {
		if _, ok := staff.RuleOf(name); !ok {
			t.Errorf("%s has no row in the table of operations", name)
		}
	}
	for _, rule := range staff.Rules() {
		if !slices.Contains(names, rule.Operation) {
			t.Errorf("nothing is done by %s", rule.Operation)
		}
		if slices.Contains(lists, rule.Operation) {
			continue
		}
		op, err := operationOf(rule.Operation)
		if err != nil {
			t.Error(err)
		}
		for role, right := range rule.Rights {
			if right.Proposes() && op.facts == nil {
				t.Errorf("%s, which %s proposes, rests on nothing", rule.Operation, role)
			}
		}
	}
}

// TestTheSandboxesAccountsAreNotProductions: by name and personnel number together, and only
// where people are real.
func TestTheSandboxesAccountsAreNotProductions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode, login, person string
		want                bool
	}{
		{"production", "operator", "S-1", true}, {"production", "kindergarten-k001", "S-5", true}, {"production", "operator", "1024", false},
		{"production", "aselm", "S-1", false}, {"sandbox", "operator", "S-1", false},
	} {
		if got := (&Config{Mode: c.mode}).invented(staff.Officer{Login: c.login, Person: c.person}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
