//go:build !race

package session_test

import "testing"

// maxAllocations bounds those of a step: recognise a retry, load, step, lay out
// and save in memory. tools/bench counts the whole of a request.
const maxAllocations = 30

// TestAllocations: a step stays as frugal as it is. It is not built for the race
// detector, which allocates too.
func TestAllocations(t *testing.T) {
	if n := testing.AllocsPerRun(1000, stepper(t)); n > maxAllocations {
		t.Errorf("a step takes %v allocations, %d are allowed", n, maxAllocations)
	}
}
