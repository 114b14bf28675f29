package dialog

import (
	"context"
	"fmt"
)

// showResume asks whether a conversation that broke off goes on. The way to the main
// menu is the engine's own.
func showResume(*Turn) Screen {
	return Screen{
		Body:    []Message{Say("dialog.resume_question")},
		Options: []Option{{Label: Say("dialog.resume"), Next: Go(nodeContinue)}},
	}
}

// resume goes on where the earlier conversation broke off. Whoever holds the phone now
// need not be who held it then: the node says what must be proved, in this session.
func (e *Engine) resume(ctx context.Context, t *Turn) (Next, error) {
	earlier := t.state.Earlier
	if earlier == nil {
		return Done(nodeMain), nil
	}
	if e.options.Resumed != nil {
		if err := e.options.Resumed(ctx, t.Caller); err != nil {
			return Next{}, fmt.Errorf("go on with an earlier conversation: %w", err)
		}
	}
	next, chosen := e.nodes[earlier.Node].Resume, t.state.Chosen
	*t.state = *earlier
	t.state.Chosen = max(t.state.Chosen, chosen)
	if next.Node != "" {
		t.state.Node = "" // there is no way back to a screen that is not proved yet
	}
	return next, nil
}

// answersEarlier reports that a text is the answer that a conversation which broke off waits
// for, and nothing else: what is secret, or a number of the service's own. A screen
// that drops when a message with a code comes is not asked for first.
func (e *Engine) answersEarlier(earlier *State, text string) bool {
	switch {
	case earlier == nil:
		return false
	case earlier.Ask.Sensitive():
		return resembles(text).Sensitive()
	}
	return earlier.Ask == AskNumber && e.reads(e.service(earlier.Node), clean(text))
}

// takeUp goes on with the conversation that broke off and has text answer its question, if
// that is still open.
func (w *walk) takeUp(ctx context.Context, text string) error {
	node := w.state.Earlier.Node
	if err := w.move(ctx, Go(nodeContinue)); err != nil || w.state.Node != node || w.state.Ask == AskNothing {
		return err
	}
	return w.reply(ctx, clean(text))
}
