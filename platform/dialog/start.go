package dialog

import (
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/caller"
)

// start shows the first screen: a command's, the main menu, or the question for
// the language, after which a dialled path goes on.
func (w *walk) start(ctx context.Context, in Input) error {
	loc := w.state.Locale
	*w.state = State{Version: StateVersion, Locale: loc, Pending: w.engine.waiting(in)}
	if in.Restarted {
		w.notice = w.engine.text(w.locale(), Say("dialog.restarted"))
	}
	if cleaned := clean(in.Text); isUnread(in.Text, cleaned, digits(cleaned)) {
		w.notice, w.unclear = w.engine.text(w.locale(), Say(errUnread.Key)), true
	}
	if w.isOtherwise(clean(in.Text)) {
		w.notice = join(w.open(ctx, (*Told).byWord), w.notice)
	}
	if s, ok := w.scanned(in.Text); ok {
		if in.Earlier != nil {
			w.steps = append(w.steps, w.engine.Abandoned(in.Earlier)...)
		}
		w.state.Node = nodeMain
		return w.scan(ctx, s, in.Text)
	}
	if in.Earlier != nil {
		answers := w.engine.answersEarlier(in.Earlier, in.first())
		if _, _, command := w.engine.command(in.Text, false); answers || len(in.Dialled) == 0 && !command {
			w.state.Locale = in.Earlier.Locale
			w.state.Earlier = in.Earlier
			if answers {
				return w.takeUp(ctx, in.first())
			}
			return w.move(ctx, Go(nodeResume))
		}
		w.steps = append(w.steps, w.engine.Abandoned(in.Earlier)...)
	}
	if loc == "" {
		if command, rest, ok := w.engine.command(in.Text, false); ok {
			if command.AtOnce {
				return w.command(ctx, command, rest)
			}
			return w.later(ctx, command, rest, Go(nodeLanguage))
		}
		return w.move(ctx, Go(nodeLanguage))
	}
	if command, rest, ok := w.engine.command(in.Text, false); ok {
		w.state.Node = nodeMain
		return w.command(ctx, command, rest)
	}
	if w.notice == "" {
		w.notice = w.greeted(ctx, in.Text)
	}
	if w.isLost(in.Text) && w.notice == "" && !in.Restarted && !cancels(in.Text) && !w.engine.lexicon.Read(in.Text).Greets() {
		w.notice, w.unclear = w.notUnderstood(ctx), true
	}
	return w.move(ctx, Go(nodeMain))
}

// spoke goes on in the language that the phone chose elsewhere while it was asked for
// here: with what was typed, if that is a command, or with what waited for the language.
func (w *walk) spoke(ctx context.Context, in Input) error {
	waiting := w.state.Pending
	w.state.Locale = in.Locale
	if _, _, command := w.engine.command(in.Text, false); !command && len(waiting) > 0 {
		in.Text, in.Dialled = "", waiting
	}
	return w.start(ctx, in)
}

// isChoice reports a text that chooses an option of the present screen.
func (w *walk) isChoice(raw string) bool {
	text := clean(raw)
	key := digits(text)
	if key == "" {
		key = w.named(text)
	}
	_, has := w.state.choice(key)
	return has
}

// later keeps a command while the language is asked for; one that asks for the
// choice is done with that, and one that chooses is followed.
func (w *walk) later(ctx context.Context, command Command, rest string, ask Next) error {
	switch command.Node {
	case nodeSpeak:
		return w.move(ctx, command.next(rest))
	case nodeLanguage:
	default:
		w.state.Pending = []string{command.again(rest)}
	}
	return w.move(ctx, ask)
}

// pending walks a dialled path as far as it leads.
func (w *walk) pending(ctx context.Context) error {
	if len(w.state.Pending) == 0 || w.state.Locale == "" {
		return nil
	}
	path := w.state.Pending
	w.state.Pending = nil
	w.dialled = true
	for _, part := range path {
		if w.state.Ended || w.state.Ask.Sensitive() {
			return nil
		}
		err := w.step(ctx, part)
		if errors.Is(err, errDialStops) || (err == nil && w.noticed) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) step(ctx context.Context, text string) error {
	if w.caller.Channel == caller.SMS || len(digits(text)) >= minShape { // nobody dials words
		if command, rest, ok := w.engine.command(text, false); ok {
			return w.command(ctx, command, rest)
		}
	}
	return w.answer(ctx, text)
}

// command goes where a command leads. What follows its word answers its question,
// if it has one: what is refused is asked for again.
func (w *walk) command(ctx context.Context, c Command, rest string) error {
	if c.joined {
		w.notice = w.sentences(Say("dialog.one_request"))
	}
	switch {
	case c.Node == nodeHelp:
		w.notice = w.open(ctx, (*Told).any)
		return w.move(ctx, c.next(rest))
	case rest == "" || c.Ask == "":
		return w.move(ctx, c.next(rest))
	case !c.keeps(rest):
		said := w.sentences(w.engine.hints(rest)...)
		if said == "" {
			said = w.sentences(Say("dialog.other_number"))
		}
		w.notice = join(w.notice, said)
		return w.move(ctx, Go(c.Ask))
	case c.several && !c.joined:
		w.notice = w.sentences(Say("dialog.one_number"))
	}
	if err := w.move(ctx, Go(c.Ask)); err != nil || w.state.Node != c.Ask || !w.state.Ask.open() {
		return err
	}
	return w.reply(ctx, rest)
}
