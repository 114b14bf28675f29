package session

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// Helps reports a text that asks for help, whatever the phone's talk shows.
func (t *Talks) Helps(text string) bool { return t.Engine.Helps(text) }

// Awaits reports that the phone's talk on the turn's channel shows a screen that waits
// for an answer, or that it took this very turn before.
func (t *Talks) Awaits(ctx context.Context, turn Turn) (bool, error) {
	r, err := t.load(ctx, t.vault.key(turn.Phone), turn)
	if err != nil {
		return false, fmt.Errorf("look whether an answer is awaited: %w", err)
	}
	switch {
	case !r.isLive():
		return false, nil
	case r.isRetry():
		return true, nil
	case r.old.Over:
		return false, nil
	}
	state, err := dialog.Decode(r.old.State)
	return err == nil && state.Awaits(), nil
}
