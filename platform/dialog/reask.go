package dialog

import (
	"context"
	"strings"
	"unicode"
)

// asked reports that the screen before asked something: the present one is what the
// answer led to.
func (w *walk) asked() bool {
	n := len(w.state.History)
	return n > 0 && w.engine.nodes[w.state.History[n-1].Node].Answer != nil
}

// answersBefore reports that a text is another answer to the question before: the
// present screen only says what the last one led to ("not in the register"), and
// offers nothing to choose. The number of an option may be a slip of the finger, and
// words that are texted may be meant for nobody.
func (w *walk) answersBefore(text, key string) bool {
	if w.state.Node == nodeProblem || w.state.chooses() || key != "" && len(key) < minShape || !w.asked() {
		return false
	}
	return !w.isLost(text) || strings.ContainsFunc(text, unicode.IsDigit)
}

// another takes a text as one more answer to the question before, as if that had been
// gone back to. Where it turns out to ask for what must not be kept, it only asks.
func (w *walk) another(ctx context.Context, text string) error {
	w.retreat()
	if err := w.show(ctx, ""); err != nil || !w.state.Ask.open() || w.engine.nodes[w.state.Node].Answer == nil {
		return err
	}
	return w.reply(ctx, text)
}
