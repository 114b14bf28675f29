package dialog

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
)

// Worst lays the present screen of a talk out with every placeholder at the
// longest value it may take, and gives its pages: a proof of layout. The talk
// goes on nowhere.
func (e *Engine) Worst(ctx context.Context, c caller.Caller, st *State, budget Budget) ([]string, error) {
	longest := *e
	longest.longest = true
	copied, err := Decode(st.Encode())
	if err != nil {
		return nil, err
	}
	w := &walk{engine: &longest, caller: c, state: copied, budget: budget}
	if err := w.anew(ctx); err != nil {
		return nil, err
	}
	pages := make([]string, len(copied.Pages))
	for i, page := range copied.Pages {
		pages[i] = page.Text
	}
	return pages, nil
}

// WorstProblem lays the sentence of a problem out with its longest values, as a
// screen of its own.
func (e *Engine) WorstProblem(c caller.Caller, key string, budget Budget) []string {
	longest := *e
	longest.longest = true
	st := NewState(c.Locale)
	w := &walk{engine: &longest, caller: c, state: st, budget: budget}
	st.Node = nodeProblem
	w.lay(Screen{Body: []Message{Say(key)}}, "")
	pages := make([]string, len(st.Pages))
	for i, page := range st.Pages {
		pages[i] = page.Text
	}
	return pages
}

// longestArgs are a sentence's placeholders with their longest values.
func (e *Engine) longestArgs(key string) []any {
	var args []any
	for _, name := range e.catalogue.Placeholders(key) {
		args = append(args, name, e.catalogue.Longest(name))
	}
	return args
}
