package main

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/eshik-kg/eshik/platform/staff"
)

// noOperations are the commands of staff that begin and end a session, change what oneself
// signs in with, and decide what is an operation itself.
var noOperations = []string{"sign-in", "sign-out", "password", "codes", "approve", "reject"}

// TestEveryCommandOfStaffHasARow: a command that has none in the table is nobody's, and one
// that asks nobody who they are would be everybody's.
func TestEveryCommandOfStaffHasARow(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{Staff: staffCommand{Tasks: taskCommands()}}, kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, node := range parser.Model.Leaves(false) {
		if node.Parent == nil || node.Parent.Name != "staff" || slices.Contains(noOperations, node.Name) {
			continue
		}
		seen++
		if _, ok := staff.RuleOf(node.Name); !ok {
			t.Errorf("eshik staff %s has no row in the table of operations", node.Name)
		}
	}
	if seen < 15 {
		t.Errorf("only %d commands were seen", seen)
	}
}
