package dialog

import (
	"context"
	"slices"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/problem"
)

// show lays out the screen of the present node, under a notice if there is one.
func (w *walk) show(ctx context.Context, notice string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	node, known := w.engine.nodes[w.state.Node]
	if !known || node.Show == nil { // a problem's screen, or another build's node
		if !known && w.state.Node != nodeProblem {
			notice = w.engine.text(w.locale(), Say("dialog.restarted"))
		}
		node = w.engine.nodes[nodeMain]
		w.state.Node, w.state.History, w.state.Returns = nodeMain, nil, nil
	}
	turn := w.turn()
	screen, err := problem.Guarded(func() (Screen, error) { return node.Show(ctx, turn) })
	if err != nil {
		w.countProblem(err)
		return w.trouble(ctx, node.ID, err)
	}
	w.present(screen, notice)
	if w.state.Ended {
		w.count(OutcomeDone)
	}
	return nil
}

// present lays a screen out under a notice. One that is to end the conversation does so if it
// is one page: nobody reads on in a conversation that is closed.
func (w *walk) present(screen Screen, notice string) {
	w.screen, w.said, w.laid = screen, notice, true
	if screen.About != "" {
		w.state.set(memoryAbout, screen.About)
	}
	w.lay(screen, notice)
	if screen.End && len(w.state.Pages) > 1 {
		screen.End = false
		w.lay(screen, notice)
	}
	w.state.Ended = screen.End
}

// again shows the same screen under the sentence of err; in the place of a problem's
// screen, see instead.
func (w *walk) again(ctx context.Context, err error) error {
	p := problem.From(err)
	w.noticed, w.unclear = true, p.Code == problem.Invalid
	if w.state.Node == nodeProblem {
		return w.instead(w.sentence(p))
	}
	w.engine.logError(ctx, w.state.Node, err)
	w.failed, w.repeats = passing(p), true
	return w.show(ctx, join(w.sentence(p), w.notice))
}

// sentence is what a problem says.
func (w *walk) sentence(p *problem.Error) string {
	return w.engine.text(w.tongue(), Say(p.Key, p.Args...))
}

// instead says something about what was typed in the place of a problem's sentence: that
// has no node to ask, and is not said again, as it was the answer to something else and
// need not be true any more. What of it was not read yet stays behind.
func (w *walk) instead(said string) error {
	st := w.state
	of := st.Pages[st.Page].Of
	from := slices.IndexFunc(st.Pages, func(p Page) bool { return p.Of == of })
	rest := slices.DeleteFunc(slices.Clone(st.Pages[from:]), func(p Page) bool { return p.Of == of })
	tongue := w.tongue()
	over := layout(w.budget, sheet{
		body: said, more: w.engine.more(tongue), footer: w.footer(tongue, Screen{}), goesOn: len(rest) > 0,
	})
	for i := range over {
		over[i].Of = of
	}
	st.Pages, st.Page = slices.Concat(st.Pages[:from], over, rest), from
	return nil
}

// trouble shows the sentence of err on a screen of its own, from which "back"
// leads to the last screen that worked. Where that asked for a text, another one may
// be typed at once.
func (w *walk) trouble(ctx context.Context, node string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.noticed = true
	w.engine.logError(ctx, node, err)
	p := problem.From(err)
	w.failed = passing(p)
	ask := AskNothing
	if w.state.Ask.open() && w.asked() {
		ask = w.state.Ask
	}
	w.state.Node = nodeProblem
	w.present(Screen{Body: []Message{Say(p.Key, p.Args...)}, Ask: ask}, w.notice)
	return nil
}

// passing reports a problem that may be over later without the citizen doing
// anything.
func passing(p *problem.Error) bool {
	return p.Code == problem.Upstream || p.Code == problem.Unavailable
}

// lay cuts a screen into the pages of the channel and shows the first, or, where
// what was typed is refused, the one that the citizen sees.
func (w *walk) lay(screen Screen, notice string) {
	loc, tongue := w.locale(), w.tongue()
	paragraphs := make([]string, 0, 1+len(screen.Body))
	if !w.repeats {
		paragraphs = append(paragraphs, notice)
	}
	for _, m := range screen.Body {
		paragraphs = append(paragraphs, w.engine.text(loc, m))
	}
	s := sheet{
		body: join(paragraphs...), more: w.engine.more(tongue), footer: w.footer(tongue, screen), first: w.first(screen),
		labels: make([]string, 0, len(screen.Options)), next: make([]Next, 0, len(screen.Options)),
	}
	for _, option := range screen.Options {
		s.labels = append(s.labels, w.engine.text(loc, option.Label))
		s.next = append(s.next, option.Next)
	}
	w.state.Ask = screen.Ask
	w.state.Shown = w.caller.Now.UnixMicro()
	own := layout(w.budget, s)
	if !w.repeats || len(own) == 0 {
		w.state.Pages, w.state.Page = own, 0
		return
	}
	at := w.state.seen(len(own), len(s.labels))
	w.state.Pages, w.state.Page = s.refuse(w.budget, own, at, notice, screen.Ask == AskNothing && len(s.labels) == 0), at
}

// longestChosen is the longest number, of those that lists are chosen from by.
const longestChosen = 999

// first is the place of a screen's first option.
func (w *walk) first(screen Screen) int {
	if !screen.Confirms {
		return 0
	}
	if w.engine.proof != nil {
		return (&State{Chosen: longestChosen}).unchosen()
	}
	return w.state.unchosen()
}

// seen is which of a screen's pages the citizen sees, the first where the screen is
// another by now.
func (s *State) seen(pages, options int) int {
	for i := range s.Pages {
		options -= len(s.Pages[i].Options)
	}
	if s.Page >= len(s.Pages) || options != 0 {
		return 0
	}
	if of := s.Pages[s.Page].Of; of >= 0 && of < pages {
		return of
	}
	return 0
}

// footer is the way back as the screen shows it.
func (w *walk) footer(loc locales.Locale, screen Screen) string {
	switch {
	case screen.End, w.state.Node == nodeMain, w.state.Node == nodeLanguage && w.state.Locale == "":
		return ""
	case len(w.state.History) == 0:
		return keyBack + " " + w.engine.text(loc, Say("dialog.home"))
	default:
		return keyBack + " " + w.engine.text(loc, Say("dialog.back"))
	}
}

// locale is what a screen speaks: the choice of languages shows each in its own
// words, and is written once, in the Kyrgyz texts.
func (w *walk) locale() locales.Locale {
	if w.state.Node == nodeLanguage {
		return locales.KY
	}
	return w.tongue()
}

// tongue is what the citizen speaks; before the choice the door speaks Kyrgyz.
func (w *walk) tongue() locales.Locale {
	if w.state.Locale == "" {
		return locales.KY
	}
	return w.state.Locale
}
