package dialog

import "testing"

// TestOwnStepsAreOneSeries: the figures of the engine's own steps are published as
// those of "door" since the first version, and go on under that name.
func TestOwnStepsAreOneSeries(t *testing.T) {
	t.Parallel()
	k := newCounter(t)
	steps := k.engine.Abandoned(k.state)
	if len(steps) != 1 || steps[0].Service != "door" || steps[0].Node != "menu.main" {
		t.Errorf("leaving the main menu counts as %+v", steps)
	}
}
