package dialog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/caller"
)

// ErrUndeclared reports a screen whose longest form cannot be told: it uses a key
// that no locale file has, leaves an argument out, or shows text of a kind whose
// longest value is not declared.
var ErrUndeclared = errors.New("is not declared")

// proof lays screens out at their longest and notes what is not declared.
type proof struct{ faults []error }

// Worst lays the present screen of a talk out with every placeholder, and every
// text of a registry, at the longest value it may take, and gives its pages: a
// proof of layout. The talk goes on nowhere. With ErrUndeclared the pages are what
// a citizen would see all the same.
func (e *Engine) Worst(ctx context.Context, c caller.Caller, st *State, budget Budget) ([]string, error) {
	copied, err := Decode(st.Encode())
	if err != nil {
		return nil, err
	}
	return e.prove(c, copied, budget, func(w *walk) error { return w.anew(ctx) })
}

// WorstProblem lays the sentence of a problem out with its longest values, as a
// screen of its own.
func (e *Engine) WorstProblem(c caller.Caller, key string, budget Budget) ([]string, error) {
	st := NewState(c.Locale)
	st.Node = nodeProblem
	return e.prove(c, st, budget, func(w *walk) error {
		w.lay(Screen{Body: []Message{Say(key, e.longestArgs(key)...)}}, "")
		return nil
	})
}

func (e *Engine) prove(c caller.Caller, st *State, budget Budget, show func(*walk) error) ([]string, error) {
	proving := *e
	proving.proof = new(proof)
	if err := show(&walk{engine: &proving, caller: c, state: st, budget: budget}); err != nil {
		return nil, err
	}
	pages := make([]string, len(st.Pages))
	for i, page := range st.Pages {
		pages[i] = page.Text
	}
	return pages, errors.Join(proving.proof.faults...)
}

// longest is a message with the longest values.
func (e *Engine) longest(m Message) Message {
	if m.Key == "" {
		if m.Text = e.catalogue.Longest(m.Kind); m.Text == "" {
			e.proof.miss("the longest text of the kind %q", m.Kind)
		}
		return m
	}
	if !e.catalogue.Has(m.Key) {
		e.proof.miss("the key %q", m.Key)
		return m
	}
	for _, name := range e.catalogue.Placeholders(m.Key) {
		if !slices.Contains(m.Args, any(name)) {
			e.proof.miss("the argument {%s} of %q", name, m.Key)
		}
	}
	m.Args = e.longestArgs(m.Key)
	return m
}

// longestArgs are a sentence's placeholders with their longest values.
func (e *Engine) longestArgs(key string) []any {
	var args []any
	for _, name := range e.catalogue.Placeholders(key) {
		args = append(args, name, e.catalogue.Longest(name))
	}
	return args
}

func (p *proof) miss(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format+" %w", append(args, ErrUndeclared)...))
}
