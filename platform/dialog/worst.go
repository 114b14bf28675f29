package dialog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// ErrUndeclared reports a screen whose longest form cannot be told: it uses a key
// that no locale file has, leaves an argument out, or shows text of a kind whose
// longest value is not declared.
var ErrUndeclared = errors.New("is not declared")

// proof lays screens out at their longest and notes what is not declared, and which
// sentences were said.
type proof struct {
	faults []error
	keys   []string
}

// View is the screen of a node as it is read in one language, page by page.
type View struct {
	Pages   []string // with the values of the moment
	Longest []string // with the longest values
	// Keys are the sentences of the screen, each once, in the order in which they
	// are laid out; those of the ways on and back are not among them.
	Keys []string
}

// View lays the present screen of a conversation out as its state's language has it. The
// conversation goes on nowhere. A problem's screen has no node to ask and gives no keys.
func (e *Engine) View(ctx context.Context, c caller.Caller, st *State, budget Budget) (View, error) {
	anew := func(w *walk) error { return w.anew(ctx) }
	var view View
	var err error
	if view.Pages, err = e.laid(c, st, budget, nil, anew); err != nil {
		return view, err
	}
	var noted proof
	if view.Longest, err = e.laid(c, st, budget, &noted, anew); err != nil {
		return view, err
	}
	for _, key := range noted.keys {
		if !slices.Contains(ways, key) && !slices.Contains(view.Keys, key) {
			view.Keys = append(view.Keys, key)
		}
	}
	return view, errors.Join(noted.faults...)
}

// ways are the sentences of the ways on and back.
var ways = []string{"dialog.more", "dialog.back", "dialog.home"}

// Worst lays the present screen of a conversation out with every placeholder, and every
// text of a registry, at the longest value it may take, and gives its pages: a
// proof of layout. The conversation goes on nowhere. With ErrUndeclared the pages are what
// a citizen would see all the same.
func (e *Engine) Worst(ctx context.Context, c caller.Caller, st *State, budget Budget) ([]string, error) {
	return e.prove(c, st, budget, func(w *walk) error { return w.anew(ctx) })
}

// WorstProblem lays the sentence of a problem out with its longest values, as a
// screen of its own.
func (e *Engine) WorstProblem(c caller.Caller, key string, budget Budget) ([]string, error) {
	st := NewState(c.Locale)
	st.Node = nodeProblem
	return e.prove(c, st, budget, func(w *walk) error {
		w.lay(Screen{Body: []Message{Say(key, e.catalogue.LongestArgs(c.Locale, key)...)}}, "")
		return nil
	})
}

func (e *Engine) prove(c caller.Caller, st *State, budget Budget, show func(*walk) error) ([]string, error) {
	noted := new(proof)
	pages, err := e.laid(c, st, budget, noted, show)
	return pages, errors.Join(append([]error{err}, noted.faults...)...)
}

// laid gives the pages of what show lays out from a copy of a state, at the longest
// where there is a proof.
func (e *Engine) laid(c caller.Caller, st *State, budget Budget, noted *proof, show func(*walk) error) ([]string, error) {
	copied, err := Decode(st.Encode())
	if err != nil {
		return nil, err
	}
	proving := *e
	proving.proof = noted
	if err := show(&walk{engine: &proving, caller: c, state: copied, budget: budget}); err != nil {
		return nil, err
	}
	pages := make([]string, len(copied.Pages))
	for i, page := range copied.Pages {
		pages[i] = page.Text
	}
	return pages, nil
}

// longest is a message with the longest values.
func (e *Engine) longest(loc locales.Locale, m Message) Message {
	if m.Key == "" {
		if m.Text = e.catalogue.Longest(loc, m.Kind); m.Text == "" {
			e.proof.miss("the longest text of the kind %q", m.Kind)
		}
		return m
	}
	if !e.catalogue.Has(m.Key) {
		e.proof.miss("the key %q", m.Key)
		return m
	}
	e.proof.keys = append(e.proof.keys, m.Key)
	for _, name := range e.catalogue.Placeholders(m.Key) {
		if !slices.Contains(m.Args, any(name)) {
			e.proof.miss("the argument {%s} of %q", name, m.Key)
		}
	}
	m.Args = e.catalogue.LongestArgs(loc, m.Key)
	return m
}

func (p *proof) miss(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format+" %w", append(args, ErrUndeclared)...))
}

// anew shows the present screen as it is now. A problem's screen has no node to
// ask: it stays as it was.
func (w *walk) anew(ctx context.Context) error {
	if w.state.Node == nodeProblem {
		return nil
	}
	return w.show(ctx, "")
}
