package dialog

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// The longest piece of a text that is read as a shape, in words; and how many
// letters and digits a shape has.
const (
	maxPieces  = 11
	minShape   = 4
	maxShape   = 16
	labelJoint = " "
)

// shaped finds a plate or a number by its form. The longest piece of the text
// counts: "01 KG 123 ABC" is one plate. Of several the first is meant.
func (e *Engine) shaped(text string, r locales.Reading) (Command, string, bool) {
	found, ok := e.shapeIn(text, r, 0, len(r.Tokens))
	if !ok {
		return Command{}, "", false
	}
	several, mixed := false, false
	for before, more := e.shapeIn(text, r, 0, found.from); more; before, more = e.shapeIn(text, r, 0, found.from) {
		several, mixed = several || before.value != found.value, mixed || before.shape.service != found.shape.service
		found = before
	}
	for at := found.to; !mixed; {
		after, more := e.shapeIn(text, r, at, len(r.Tokens))
		if !more {
			break
		}
		several, mixed = several || after.value != found.value, mixed || after.shape.service != found.shape.service
		at = after.to
	}
	return Command{
		Ask: found.shape.Ask, service: found.shape.service, formed: true, checked: found.shape.Checked, several: several,
		joined: e.joined(r, found.shape.service, mixed || numbersApart(r)),
	}, found.value, true
}

// shapeAt is a shape that was found in the tokens [from, to) of a text.
type shapeAt struct {
	shape    shapeOf
	value    string
	from, to int
}

// shapeIn finds a shape among the tokens [low, high).
func (e *Engine) shapeIn(text string, r locales.Reading, low, high int) (shapeAt, bool) {
	for size := min(high-low, maxPieces); size > 0; size-- {
		for from := low; from+size <= high; from++ {
			piece, alone, ok := pieceOf(text, r, from, from+size)
			// "DKCS-SPGR-RUW": a group may read as a word.
			joined := !ok && !strings.Contains(piece, " ")
			for _, shape := range e.shapes {
				if !ok && !(joined && shape.Checked) {
					continue
				}
				if value, fits := shape.Read(piece, alone); fits {
					return shapeAt{shape, value, from, from + size}, true
				}
			}
		}
	}
	return shapeAt{}, false
}

// shapeOf is a service's shape.
type shapeOf struct {
	Shape
	service string
}

// pieceOf is the text of the tokens [from, to); ok, if it may be a shape: no word of a
// command is in it. alone says that no other token is a number or means nothing.
func pieceOf(text string, r locales.Reading, from, to int) (piece string, alone, ok bool) {
	alone, ok = true, true
	for i, t := range r.Tokens {
		inside := i >= from && i < to
		if inside && t.Sense == locales.Meant {
			ok = false
		}
		if !inside && (t.Sense == locales.Unknown || t.Sense == locales.Number || lone(t) && (i == from-1 || i == to)) {
			alone = false
		}
	}
	piece = text[r.Tokens[from].Start:r.Tokens[to-1].End]
	if n := count(piece); n < minShape || n > maxShape {
		return "", false, false
	}
	return piece, alone, ok
}

// learnLabels makes the labels of the menus commands by themselves: those of the
// main menu and of each service's first screen. A label that leads to two places is
// none.
func (e *Engine) learnLabels(service Flow) {
	if service.Entry.Label.Key == "" {
		return
	}
	options := []Option{service.Entry}
	if node := e.nodes[service.Entry.Next.Node]; node.Plain != nil {
		options = append(options, node.Plain(&Turn{state: &State{}}).Options...)
	}
	for _, option := range options {
		if option.Label.Key == "" || option.Next.Node == "" {
			continue
		}
		for _, loc := range locales.All {
			text := e.text(loc, option.Label)
			label := labelOf(e.lexicon.Read(text))
			if other, taken := e.labels[label]; taken && (other.To.Node != option.Next.Node || other.To.Then != option.Next.Then) {
				e.labels[label] = Command{} // which one?
				continue
			}
			e.labels[label] = Command{Also: []string{text}, service: service.Name, To: option.Next}
		}
	}
}

// labelOf is a text as labels are compared: word by word, folded.
func labelOf(r locales.Reading) string {
	words := make([]string, len(r.Tokens))
	for i, t := range r.Tokens {
		words[i] = locales.Fold(t.Text)
	}
	return strings.Join(words, labelJoint)
}

// texted finds the command in what was texted on the present screen. Words that may
// be the answer to its question are none (see Engine.command); but where a number or a
// code is asked for words are no answer, nor, where it is no secret, is the number of
// another service, if it is all that was texted.
func (w *walk) texted(text string) (Command, string, bool) {
	command, rest, ok := w.engine.command(text, w.state.Ask != AskNothing)
	if ok || w.state.Ask == AskNothing || w.state.Ask == AskText {
		return command, rest, ok
	}
	if !strings.ContainsFunc(text, unicode.IsDigit) {
		command, rest, ok = w.engine.command(text, false)
		return command, rest, ok && !w.engine.reads(w.engine.service(w.state.Node), text)
	}
	if w.state.Ask.Sensitive() {
		return Command{}, "", false
	}
	reading := w.engine.lexicon.Read(text)
	if len(reading.Matches) > 0 || w.engine.reads(w.engine.service(w.state.Node), text) {
		return Command{}, "", false
	}
	command, value, ok := w.engine.shaped(text, reading)
	return command, value, ok && isNumber(text, value)
}

// reads reports that text is a number of the service's own.
func (e *Engine) reads(service, text string) bool {
	for _, shape := range e.shapes {
		if shape.service == service {
			if _, fits := shape.Read(text, true); fits {
				return true
			}
		}
	}
	return false
}

// named is the key of the choice on the page that was texted in words: "Алуу" for
// "1 Алуу", "артка" for "0 Артка".
func (w *walk) named(text string) string {
	if w.state.Page >= len(w.state.Pages) {
		return ""
	}
	alike, found := "", 0
	for line := range strings.SplitSeq(w.state.Pages[w.state.Page].Text, "\n") {
		key, label, _ := strings.Cut(line, " ")
		if digits(key) == "" || label == "" {
			continue
		}
		if strings.EqualFold(label, text) {
			return key
		}
		if locales.Fold(label) == locales.Fold(text) {
			alike, found = key, found+1
		}
	}
	if found == 1 {
		return alike
	}
	return ""
}

// cancelWords leave what is under way, as 00 does: they choose nothing and refuse
// nothing.
var cancelWords = []string{
	"отмена", "отмен", "отмени", "отмените", "отменить", "отменяю", "жокко чыгаруу", "жокко чыгар", "жокко чыгарыңыз", "жокко чыгарам", "cancel",
}

// cancels reports a text that is such a word and no more.
func cancels(text string) bool {
	folded := locales.Fold(argument(clean(text)))
	return slices.ContainsFunc(cancelWords, func(word string) bool { return locales.Fold(word) == folded })
}

// lost answers a text that says nothing here: what can be texted, above the same
// screen. Who says hello is shown the main menu.
func (w *walk) lost(ctx context.Context, text string) error {
	if said := w.greeted(ctx, text); said != "" {
		return w.remark(ctx, said)
	}
	if w.engine.lexicon.Read(text).Greets() {
		return w.home(ctx)
	}
	w.unclear = true
	return w.remark(ctx, w.notUnderstood(ctx))
}

// greeted answers a text that says hello or thanks, and no more, of a phone that was sent a
// message which waits for an answer: politely, and with how it is answered. "" for any other.
func (w *walk) greeted(ctx context.Context, text string) string {
	if !w.isLost(text) || !w.engine.lexicon.Read(text).Greets() {
		return ""
	}
	said := w.open(ctx, (*Told).any)
	if said == "" {
		return ""
	}
	return join(w.sentences(Say("dialog.polite")), said)
}

// isLost reports a text of words that no choice, question or command takes.
func (w *walk) isLost(text string) bool {
	return w.caller.Channel == caller.SMS && strings.ContainsFunc(text, unicode.IsLetter)
}

// notUnderstood says that a text was not, and what can be texted: first what a message
// asked for that the phone was sent. It brings nobody forward, and is brief: what of the
// screen below has no room, be it that there are many services, is on its next page.
func (w *walk) notUnderstood(ctx context.Context) string {
	w.budget = w.budget.brief()
	return join(w.sentences(Say("problem.words")), w.open(ctx, (*Told).any), w.sentences(w.engine.textable()...))
}

func (w *walk) sentences(list ...Message) string {
	lines := make([]string, len(list))
	for i, m := range list {
		lines[i] = w.engine.text(w.tongue(), m)
	}
	return join(lines...)
}

// textable are the services' lines of HELP.
func (e *Engine) textable() []Message {
	var lines []Message
	for _, service := range e.services {
		if service.Texted.Key != "" {
			lines = append(lines, service.Texted)
		}
	}
	return lines
}

// showHelp says who we are, what can be texted and how to stop, above the main menu.
func (e *Engine) showHelp(t *Turn) Screen {
	body := append([]Message{Say("dialog.help")}, e.textable()...)
	return Screen{Body: append(body, Say("dialog.help_stop")), Options: e.showMain(t).Options}
}
