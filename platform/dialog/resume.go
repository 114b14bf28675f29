package dialog

import (
	"context"
	"fmt"
)

// showResume asks whether a talk that broke off goes on. The way to the main
// menu is the engine's own.
func showResume(*Talk) Screen {
	return Screen{
		Body:    []Message{Say("dialog.resume_question")},
		Options: []Option{{Label: Say("dialog.resume"), Next: Go(nodeContinue)}},
	}
}

// resume goes on where the earlier talk broke off. Whoever holds the phone now
// need not be who held it then: what was proved lapses first, and the node says
// what must be proved again.
func (e *Engine) resume(ctx context.Context, t *Talk) (Next, error) {
	earlier := t.state.Earlier
	if earlier == nil {
		return Done(nodeMain), nil
	}
	if e.options.Lapse != nil {
		if err := e.options.Lapse(ctx, t.Caller); err != nil {
			return Next{}, fmt.Errorf("forget what the phone proved: %w", err)
		}
	}
	next := e.nodes[earlier.Node].Resume
	*t.state = *earlier
	if next.Node != "" {
		t.state.Node = "" // there is no way back to a screen that is not proved yet
	}
	return next, nil
}
