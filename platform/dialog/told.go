package dialog

import (
	"context"
	"fmt"
	"unicode"

	"github.com/eshik-kg/eshik/platform/caller"
)

// Told is what a service told a phone in a message that waits for an answer: a word of the
// service's AtOnce command, the phone's own, which nobody else was told, or a conversation.
type Told struct {
	// Say says what the phone may answer now ("To block it: БЛОК 1981"); the zero Message
	// when nothing is open.
	Say func(ctx context.Context, c caller.Caller) (Message, error)
	// Acts reports that the command has an effect with what follows its word; nil where the
	// answer is a conversation.
	Acts func(ctx context.Context, c caller.Caller, rest string) (bool, error)
	// Otherwise are the words in which people answer such a message when they do not write
	// the command: "это не я". They count only while something is open that a word answers.
	Otherwise []string
}

// Standing is what a text is that counts where no conversation is held with its phone.
type Standing struct {
	// Help says that it asks for help, on whatever screen.
	Help bool
	// Told says that it is the word of a message that its phone was sent, and Acts that the
	// word, with its number, has an effect now.
	Told, Acts bool
	// Open says, in the caller's language, what the phone may answer to such a message now;
	// "" when nothing.
	Open string
}

// Standing tells what a text is that counts where no conversation is held. It changes
// nothing.
func (e *Engine) Standing(ctx context.Context, c caller.Caller, text string) (Standing, error) {
	command, _, ok := e.command(text, false)
	s := Standing{Help: ok && command.Node == nodeHelp, Open: e.open(ctx, c, (*Told).byWord)}
	// Only what is this command on every screen: what a screen may take for an answer would
	// have no effect, and stand for ever.
	command, rest, ok := e.atOnce(text)
	told := e.told[command.service]
	if !ok || told == nil || !told.byWord() {
		return s, nil
	}
	s.Told = true
	var err error
	if s.Acts, err = told.Acts(ctx, c, rest); err != nil {
		return Standing{}, fmt.Errorf("look whether a word acts: %w", err)
	}
	return s, nil
}

// learnTold adds what a service tells phones.
func (e *Engine) learnTold(service Flow) {
	if service.Told == nil {
		return
	}
	e.told[service.Name] = service.Told
	for _, text := range service.Told.Otherwise {
		e.otherwise.Learn(0, text)
	}
}

// byWord reports a message that is answered with one word, which holds no conversation.
func (t *Told) byWord() bool { return t.Acts != nil }

// any is all messages that wait for an answer.
func (t *Told) any() bool { return true }

// open says what the caller may answer to those messages that their phone was sent; "" when
// nothing. A screen that cannot say so is shown without it.
func (e *Engine) open(ctx context.Context, c caller.Caller, those func(*Told) bool) string {
	var lines []string
	for _, service := range e.services {
		if service.Told == nil || !those(service.Told) || c.Phone == "" {
			continue
		}
		message, err := service.Told.Say(ctx, c)
		if err != nil {
			e.logError(ctx, service.Name, err)
			continue
		}
		if message.Key != "" {
			lines = append(lines, e.text(c.Locale, message))
		}
	}
	return join(lines...)
}

// open says what the phone may answer to those messages that it was sent.
func (w *walk) open(ctx context.Context, those func(*Told) bool) string {
	c := w.caller
	c.Locale = w.tongue()
	return w.engine.open(ctx, c, those)
}

// isOtherwise reports a text that may answer a message in other words than it asks for.
func (w *walk) isOtherwise(text string) bool {
	if w.caller.Channel != caller.SMS || len(w.engine.told) == 0 {
		return false
	}
	if _, _, word := w.engine.atOnce(text); word {
		return false
	}
	r := w.engine.otherwise.Read(text)
	return len(r.Matches) > 0 && r.Unknown() <= strangersBehind
}

// atOnce finds a command that leaves any question, letter by letter, alone or with a number.
func (e *Engine) atOnce(text string) (Command, string, bool) {
	command, rest, ok := e.exactly(clean(text))
	return command, rest, ok && command.AtOnce
}

// dialsAtOnce finds such a command on a screen of USSD, where words are no commands: a
// person who reads the word of a message writes it where they are. It is not looked for
// where any words are an answer.
func (w *walk) dialsAtOnce(text string) (Command, string, bool) {
	if w.caller.Channel != caller.USSD || w.state.Ask == AskText || !unicode.IsLetter(first(text)) {
		return Command{}, "", false
	}
	return w.engine.atOnce(text)
}

// otherwise answers who answered a message in other words with those that it asks for.
// Where nothing is open the text is what it is to everybody else.
func (w *walk) otherwise(ctx context.Context, i intent) error {
	if said := w.open(ctx, (*Told).byWord); said != "" {
		return w.remark(ctx, said)
	}
	i = w.meant(i.text, i.key)
	return i.do(w, ctx, i)
}
