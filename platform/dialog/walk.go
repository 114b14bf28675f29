package dialog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// maxInput bounds what is taken from a citizen in one turn, in characters.
const maxInput = 400

// maxReturns bounds how deep sub-conversations may be in each other.
const maxReturns = 8

// maxMoves bounds the actions between two screens: more is a circle.
const maxMoves = 16

// The keys that are the engine's on every screen.
const (
	keyBack = "0"
	keyHome = "00"
	keyMore = "9"
)

// errDialStops ends a dialled path: the rest needs the citizen's own hand.
var errDialStops = errors.New("a dialled path stops here")

// walk is one turn under way.
type walk struct {
	engine  *Engine
	caller  caller.Caller
	state   *State
	budget  Budget
	dialled bool
	noticed bool   // the last input could not be used
	repeats bool   // the screen is shown once more, under a notice
	notice  string // to be said above the next screen
	failed  bool   // the screen tells of a fault that may be over later
	unclear bool   // the input said nothing here
	steps   []Step
	screen  Screen // laid out last, as its node made it
	said    string // above it
	laid    bool
}

// reply takes text as the answer to the present screen's question.
func (w *walk) reply(ctx context.Context, text string) error {
	answer := w.engine.nodes[w.state.Node].Answer
	next, err := problem.Guarded(func() (Next, error) { return answer(ctx, w.turn(), text) })
	if err != nil {
		w.countProblem(err)
		if to := (*backTo)(nil); errors.As(err, &to) {
			return w.backTo(ctx, to.node, err)
		}
		return w.again(ctx, err)
	}
	if w.dialled && w.engine.nodes[next.Node].Do != nil {
		return errDialStops
	}
	w.count(OutcomeDone)
	return w.move(ctx, next)
}

// home goes to the main menu; sub-conversations end. Before a language is chosen that
// choice is all there is.
func (w *walk) home(ctx context.Context) error {
	w.state.Returns, w.state.Region = nil, ""
	if w.state.Locale == "" {
		return w.move(ctx, Done(nodeLanguage))
	}
	return w.move(ctx, Done(nodeMain))
}

// back goes one page, or one screen, back.
func (w *walk) back(ctx context.Context) error {
	if w.state.Page > 0 {
		w.state.Page--
		return nil
	}
	if len(w.state.History) == 0 {
		return w.home(ctx)
	}
	w.retreat()
	return w.show(ctx, "")
}

// retreat puts the state back to the screen before, which is not shown yet.
func (w *walk) retreat() {
	last := w.state.History[len(w.state.History)-1]
	w.state.History = w.state.History[:len(w.state.History)-1]
	w.state.Returns = w.state.Returns[:min(last.Returns, len(w.state.Returns))]
	w.state.Node = last.Node
}

// move goes where next says, doing the actions on the way, to the next screen.
func (w *walk) move(ctx context.Context, next Next) error {
	if w.state.Node == nodeResume && next.Node != nodeContinue { // it is not wanted any more
		w.steps = append(w.steps, w.engine.Abandoned(w.state)...)
		w.state.Earlier = nil
	}
	for range maxMoves {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !w.enter(next) {
			return w.show(ctx, w.notice)
		}
		node, known := w.engine.nodes[w.state.Node]
		if !known { // another build's
			w.engine.options.Log.WarnContext(ctx, "a conversation leads to a node that this build lacks", "node", w.state.Node)
			return w.show(ctx, "")
		}
		if node.Do == nil {
			return w.show(ctx, w.notice)
		}
		turn := w.turn()
		var err error
		if next, err = problem.Guarded(func() (Next, error) { return node.Do(ctx, turn) }); err != nil {
			w.countProblem(err)
			if to := (*backTo)(nil); errors.As(err, &to) {
				return w.backTo(ctx, to.node, err)
			}
			return w.trouble(ctx, node.ID, err)
		}
		w.caller = turn.Caller
	}
	return fmt.Errorf("the conversation goes in circles at %q", w.state.Node)
}

// enter moves the state along next; false when it stays where it is.
func (w *walk) enter(next Next) bool {
	st := w.state
	if len(next.Set) > 0 {
		if st.Memory == nil {
			st.Memory = map[string]string{}
		}
		maps.Copy(st.Memory, next.Set)
	}
	if next.Node == "" && !next.Back {
		return false
	}
	if w.engine.nodes[st.Node].Show != nil {
		st.remember()
	}
	if next.Fresh {
		st.History = nil
	}
	if next.Then != "" {
		st.Returns = append(st.Returns, next.Then)
		// A command leaves a sub-conversation without an end: who texts on for a day piles up no
		// more than these.
		st.Returns = st.Returns[max(0, len(st.Returns)-maxReturns):]
	}
	st.Node = next.Node
	if next.Back {
		st.Node = nodeMain
		if n := len(st.Returns); n > 0 {
			st.Node, st.Returns = st.Returns[n-1], st.Returns[:n-1]
		}
	}
	if n := len(st.History); n > 0 && st.History[n-1] == (Mark{st.Node, len(st.Returns)}) {
		st.History = st.History[:n-1] // "back" leads to another screen
	}
	return true
}

// turn is the node's view of this turn.
func (w *walk) turn() *Turn {
	c := w.caller
	c.Locale = w.state.Locale
	return &Turn{Caller: c, state: w.state}
}

// count notes that the step the citizen was at is over.
func (w *walk) count(outcome Outcome) {
	w.steps = append(w.steps, Step{
		Service: w.engine.service(w.state.Node), Node: w.state.Node, Outcome: outcome,
		Region: w.state.Region, Started: time.UnixMicro(w.state.Shown).UTC(),
	})
}

func (w *walk) countProblem(err error) {
	switch problem.From(err).Code {
	case problem.Internal, problem.Upstream, problem.Unavailable:
		w.count(OutcomeFailed)
	default:
		w.count(OutcomeRefused)
	}
}

// Unreadable is the input of a turn whose text came in a form that nobody can read.
const Unreadable = string(utf8.RuneError)

// errUnread answers it.
var errUnread = problem.New(problem.Invalid, "problem.input_unreadable")

// isUnread reports an input of which nothing can be read, or a number alone: it may be a
// piece of what was meant.
func isUnread(raw, text, key string) bool {
	return (text == "" || key != "") && strings.ContainsRune(raw, utf8.RuneError)
}
