package dialog

import (
	"context"
	"slices"

	"github.com/eshik-kg/eshik/platform/problem"
)

// backTo is a problem that leads back to a screen.
type backTo struct {
	error
	node string
}

// Unwrap gives the problem.
func (b *backTo) Unwrap() error { return b.error }

// BackTo is err of a Do or an Answer, to be told above the screen of node, which is shown anew, and
// not on a screen of its own: what was chosen there cannot be done, and what can be done
// by now stands there. The screens after it are left: they show what is not so any more.
func BackTo(node string, err error) error { return &backTo{err, node} }

// backTo goes back to the screen of a node under the sentence of err. One that was not on
// the way here is gone to as after an effect.
func (w *walk) backTo(ctx context.Context, node string, err error) error {
	w.noticed = true
	st := w.state
	at := len(st.History) - 1
	for at >= 0 && st.History[at].Node != node {
		at--
	}
	if at >= 0 {
		st.Returns = st.Returns[:min(st.History[at].Returns, len(st.Returns))]
	}
	st.Node, st.History = node, slices.Clone(st.History[:max(at, 0)])
	return w.show(ctx, w.sentence(problem.From(err)))
}
