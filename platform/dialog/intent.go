package dialog

import (
	"context"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// intent is what an input asks for on the present screen. It is found without asking
// anybody and without changing anything.
type intent struct {
	// do does it.
	do func(w *walk, ctx context.Context, i intent) error
	// waits says that somebody may be asked for it: see Engine.Waits.
	waits bool

	text, key string
	next      Next     // of an option
	refusal   error    // why the input is not taken
	said      string   // about it, above the same screen
	command   *Command // that was texted
	rest      string   // what follows its word
}

// Waits reports that the turn may call a Show, an Answer or a Do, which may ask
// somebody and take their time. Without one it is answered at once, and nothing is
// done but in st. It is exact for what is typed on a screen over USSD; of a text by
// SMS, of a path that is dialled and of what waits for a language it is said always.
func (e *Engine) Waits(channel caller.Channel, st *State, in Input) bool {
	w := walk{engine: e, caller: caller.Caller{Channel: channel}, state: st}
	switch {
	case channel == caller.SMS:
		return true
	case in.Start || st.Node == "" || st.Ended:
		return in.first() != ""
	case st.Locale == "" && in.Locale != "" && !w.isChoice(in.Text), st.Locale != "" && len(st.Pending) > 0:
		return true
	}
	return w.intent(in.Text).waits
}

// answer takes what the citizen typed on the screen they see.
func (w *walk) answer(ctx context.Context, raw string) error {
	w.noticed, w.repeats = false, false
	i := w.intent(raw)
	return i.do(w, ctx, i)
}

// intent is what the citizen wants who typed raw on the screen they see.
func (w *walk) intent(raw string) intent {
	if s, ok := w.scanned(raw); ok {
		return intent{do: func(w *walk, ctx context.Context, i intent) error { return w.scan(ctx, s, i.text) }, waits: true, text: raw}
	}
	if utf8.RuneCountInString(raw) > maxInput {
		return w.refuses(problem.New(problem.Invalid, "problem.input_long"))
	}
	text := clean(raw)
	key := digits(text)
	if isUnread(raw, text, key) {
		return w.refuses(errUnread)
	}
	if text == "" {
		return w.refuses(problem.New(problem.Invalid, "problem.input_empty"))
	}
	if command, rest, ok := w.dialsAtOnce(text); ok {
		dialled := command // a command that was not typed costs no memory
		return intent{do: (*walk).obey, waits: true, command: &dialled, rest: rest}
	}
	if w.isOtherwise(text) {
		return intent{do: (*walk).otherwise, waits: true, text: text, key: key}
	}
	return w.meant(text, key)
}

// meant is what the citizen wants by a text, or by a number that may be a key.
func (w *walk) meant(text, key string) intent {
	if w.caller.Channel == caller.SMS && key == "" {
		if key = w.named(text); key == "" && cancels(text) {
			key = keyHome
		}
	}
	if w.caller.Channel == caller.SMS && key == "" {
		if next, ok := w.answered(text); ok {
			return intent{do: (*walk).choose, waits: w.leadsToWait(next), next: next}
		}
	}
	if w.caller.Channel == caller.SMS && (key == "" || len(key) >= minShape) {
		command, rest, ok := w.texted(text)
		// What looks secret behind a word, where a secret is asked for, is kept by nobody.
		if ok && (command.AtOnce || !(w.state.Sensitive() && resembles(rest).Sensitive())) {
			texted := command
			return intent{do: (*walk).obey, waits: true, command: &texted, rest: rest}
		}
	}
	switch {
	case key == keyHome:
		return intent{do: func(w *walk, ctx context.Context, _ intent) error { return w.home(ctx) }}
	case key == keyBack:
		return intent{do: func(w *walk, ctx context.Context, _ intent) error { return w.back(ctx) }, waits: w.backWaits()}
	case key == keyMore && w.state.Page+1 < len(w.state.Pages):
		return intent{do: func(w *walk, _ context.Context, _ intent) error { w.state.Page++; return nil }}
	}
	if next, has := w.state.choice(key); has {
		return intent{do: (*walk).choose, waits: w.leadsToWait(next), next: next, key: key}
	}
	if w.state.Node == nodeProblem && w.state.Ask != AskNothing && len(w.state.History) > 0 {
		return intent{do: (*walk).askedBefore, waits: true, text: text, key: key}
	}
	return w.typed(text, key)
}

// typed is what a text asks for that is no choice of the present screen.
func (w *walk) typed(text, key string) intent {
	if w.state.Node == nodeResume && w.engine.answersEarlier(w.state.Earlier, text) {
		return intent{do: func(w *walk, ctx context.Context, i intent) error { return w.takeUp(ctx, i.text) }, waits: true, text: text}
	}
	if node := w.engine.nodes[w.state.Node]; w.state.Ask != AskNothing && node.Answer != nil {
		return intent{do: func(w *walk, ctx context.Context, i intent) error { return w.reply(ctx, i.text) }, waits: true, text: text}
	}
	if w.answersBefore(text, key) {
		return intent{do: func(w *walk, ctx context.Context, i intent) error { return w.another(ctx, i.text) }, waits: true, text: text}
	}
	if hints := w.engine.hints(text); len(hints) > 0 {
		return intent{
			do:    func(w *walk, ctx context.Context, i intent) error { return w.remark(ctx, i.said) },
			waits: w.againWaits(), said: w.sentences(hints...),
		}
	}
	if w.isLost(text) {
		return intent{do: func(w *walk, ctx context.Context, i intent) error { return w.lost(ctx, i.text) }, waits: w.againWaits(), text: text}
	}
	return w.refuses(problem.New(problem.Invalid, w.noChoice()))
}

// refuses is the intent of an input that is not taken: the screen is shown again.
func (w *walk) refuses(why error) intent {
	return intent{do: func(w *walk, ctx context.Context, i intent) error { return w.again(ctx, i.refusal) }, waits: w.againWaits(), refusal: why}
}

// obey does what a command says that was texted.
func (w *walk) obey(ctx context.Context, i intent) error {
	w.count(OutcomeDone)
	if w.state.Locale == "" && !i.command.AtOnce { // it goes on when the language is chosen
		return w.later(ctx, *i.command, i.rest, Done(nodeLanguage))
	}
	return w.command(ctx, *i.command, i.rest)
}

// choose goes where an option leads.
func (w *walk) choose(ctx context.Context, i intent) error {
	if w.dialled && w.engine.nodes[i.next.Node].Do != nil {
		return errDialStops
	}
	w.count(OutcomeDone)
	w.state.chose(i.key)
	return w.move(ctx, i.next)
}

// askedBefore takes a text, typed on a problem's screen, on the screen before it.
func (w *walk) askedBefore(ctx context.Context, i intent) error {
	w.retreat()
	i = w.typed(i.text, i.key)
	return i.do(w, ctx, i)
}

// leadsToWait reports that somebody is asked on the way to the screen that next leads to.
func (w *walk) leadsToWait(next Next) bool {
	switch n := len(w.state.Returns); {
	case next.Back && n > 0:
		return w.engine.asksSomebody(w.state.Returns[n-1])
	case next.Back:
		return false
	case next.Node == "":
		return w.againWaits()
	}
	return w.engine.asksSomebody(next.Node)
}

// backWaits reports that somebody is asked for the screen before.
func (w *walk) backWaits() bool {
	n := len(w.state.History)
	return w.state.Page == 0 && n > 0 && w.engine.asksSomebody(w.state.History[n-1].Node)
}

// againWaits reports that somebody is asked for the present screen. A problem's is
// shown as it was.
func (w *walk) againWaits() bool { return w.engine.asksSomebody(w.state.Node) }

// asksSomebody reports that a node asks somebody. In the place of one that this build
// lacks there is the main menu.
func (e *Engine) asksSomebody(node string) bool {
	n, known := e.nodes[node]
	return known && n.Plain == nil
}

// noChoice is the sentence about an unknown choice: where there is nothing to
// choose it says which of the engine's keys there are.
func (w *walk) noChoice() string {
	switch {
	case w.state.chooses():
		return "problem.choice"
	case w.state.Page+1 < len(w.state.Pages):
		return "problem.nothing_but_more"
	}
	return "problem.nothing_to_choose"
}
