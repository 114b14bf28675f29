package dialog

import (
	"context"
	"strings"
)

// hints say what a bare number looks like that is no answer here and starts nothing:
// a mistyped one must not be met with silence. It may look like several things.
func (e *Engine) hints(text string) []Message {
	found := numbers(clean(text))
	if letters, digits := sizes(text); len(found) != 1 || letters > 0 || digits < minShape {
		return nil
	}
	var hints []Message
	for _, service := range e.services {
		if service.Hint == nil {
			continue
		}
		if hint, ok := service.Hint(found[0]); ok {
			hints = append(hints, hint)
		}
	}
	return hints
}

// waiting is what waits for the first screen of a conversation: the dialled path, or a bare
// number that a hint answers. What may be somebody's is told by its length alone.
func (e *Engine) waiting(in Input) []string {
	path := Keepable(in.Dialled)
	typed := clean(in.first())
	if len(path) > 0 || len(e.hints(typed)) == 0 {
		return path
	}
	if resembles(typed).Sensitive() {
		_, digits := sizes(typed)
		typed = strings.Repeat("0", digits)
	}
	return []string{typed}
}

// remark says something about what was typed above the same screen; in the place of a
// problem's, see instead.
func (w *walk) remark(ctx context.Context, said string) error {
	w.noticed = true
	if w.state.Node == nodeProblem {
		return w.instead(said)
	}
	w.repeats = true
	return w.show(ctx, said)
}
