package dialog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
)

// How many words that mean nothing a text may have beside a command: most behind a
// word that people are told of, fewer behind another one, fewest where the command
// does not come first. With more it is a sentence about something else.
const (
	strangersBehindWord = 3
	strangersBehind     = 2
	strangersAround     = 1
)

// learn adds a service's commands.
func (e *Engine) learn(service Flow) error {
	for _, shape := range service.Shapes {
		e.shapes = append(e.shapes, shapeOf{shape, service.Name})
	}
	var faults []error
	for _, command := range service.Commands {
		command.service, command.numbers = service.Name, len(service.Shapes) > 0
		e.commands = append(e.commands, command)
		id := len(e.commands) - 1
		for _, text := range command.Elsewhere {
			if _, taken := e.others.Learn(id, text); taken {
				faults = append(faults, fmt.Errorf("%q says of two commands that they are not meant", text))
			}
		}
		for i, text := range append(command.Words[:len(command.Words):len(command.Words)], command.Also...) {
			if err := e.learnWord(id, text); err != nil {
				faults = append(faults, err)
			}
			if i < len(command.Words) {
				e.exact[locales.Fold(text)] = id
			}
		}
	}
	return errors.Join(faults...)
}

// learnWord adds one word or phrase. No single word of another command may be it,
// or a form of it, or so near that a typo in one would be the other.
func (e *Engine) learnWord(id int, text string) error {
	if !strings.Contains(text, " ") {
		mine := locales.NewWord(text)
		for _, other := range e.words {
			if other.command != id && other.Alike(mine) {
				return fmt.Errorf("the command words %q and %q cannot be told apart", other.Text, text)
			}
		}
		e.words = append(e.words, word{mine, id})
	}
	if other, taken := e.lexicon.Learn(id, text); taken {
		return fmt.Errorf("%q is a command of two kinds: %v and %v", text, e.commands[other].Words, e.commands[id].Words)
	}
	return nil
}

// word is a single word of a command.
type word struct {
	locales.Word
	command int // its place in Engine.commands
}

// command finds what text asks for, and the number in it. With exact a question is
// open, and the text may be its answer: then only the words that people are told of
// are commands, letter by letter, alone or with a number.
func (e *Engine) command(text string, exact bool) (Command, string, bool) {
	text = clean(text)
	if exact {
		return e.exactly(text)
	}
	reading := e.lexicon.Read(text)
	if len(reading.Tokens) == 0 {
		if strings.Contains(text, "?") {
			return Command{Words: []string{"?"}, Node: nodeHelp}, "", true
		}
		return Command{}, "", false
	}
	if command, value, ok := e.shaped(text, reading); ok {
		return command, value, true
	}
	if command, ok := e.labels[labelOf(reading)]; ok && command.To.Node != "" {
		return command, "", true
	}
	command, rest, ok := e.spoken(text, reading)
	command.joined = ok && e.joined(reading, command.service, numbersApart(reading))
	return command, rest, ok
}

// joined reports a text that asks for something of another service too: by a word that people
// are told of, which a weak one is only where the numbers are apart, each behind its word ("КЕЗЕК
// 47… ТЕКШЕР K7MN…", but not "КЕЗЕК ТЕКШЕР 47…").
func (e *Engine) joined(r locales.Reading, service string, apart bool) bool {
	return slices.ContainsFunc(r.Matches, func(m locales.Match) bool {
		other := e.commands[m.ID]
		return other.service != service && other.service != menuService && (apart || !other.Weak) && e.isTold(r, m)
	})
}

// numbersApart reports that a text has numbers with a command's word between them.
func numbersApart(r locales.Reading) bool {
	first, word := false, false
	for _, t := range r.Tokens {
		switch {
		case t.Sense == locales.Number && word:
			return true
		case t.Sense == locales.Number:
			first = true
		case t.Sense == locales.Meant:
			word = first
		}
	}
	return false
}

// isTold reports that a match is a word that people are told of, letter by letter.
func (e *Engine) isTold(r locales.Reading, m locales.Match) bool {
	if !m.Exact || m.To != m.From+1 {
		return false
	}
	id, told := e.exact[locales.Fold(r.Tokens[m.From].Text)]
	return told && id == m.ID
}

// exactly finds a command where the text may be an answer.
func (e *Engine) exactly(text string) (Command, string, bool) {
	letters, rest := firstWord(text)
	id, known := e.exact[locales.Fold(letters)]
	if !known {
		return Command{}, "", false
	}
	if rest = argument(rest); rest == "" {
		return e.commands[id], "", true
	}
	command, value, ok := e.command(text, false) // the same as where no question is open
	if !command.formed {                         // what stands behind its word may be words
		return command, value, ok && isNumber(rest, "")
	}
	return command, value, ok && isNumber(rest, value)
}

// isNumber reports that text is a number, not words with one in them ("Айып көчөсү
// 7"): value, digits, or letters and digits without a space.
func isNumber(text, value string) bool {
	if !strings.ContainsFunc(text, unicode.IsDigit) && value == "" {
		return false
	}
	letters, _ := sizes(text)
	return letters == 0 || !strings.Contains(text, " ") || value != "" && count(text) <= count(value)
}

// sizes counts the letters and the digits of text.
func sizes(text string) (letters, digits int) {
	for _, r := range text {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	return letters, digits
}

// count is how many letters and digits text has.
func count(text string) int {
	letters, digits := sizes(text)
	return letters + digits
}

// spoken finds the command among the words of a text.
func (e *Engine) spoken(text string, r locales.Reading) (Command, string, bool) {
	rest, strangers := numberIn(text, r, 0)
	if e.elsewhere(text, r) {
		return Command{}, "", false
	}
	stray := e.straying(text, rest, r)
	if stray > 0 {
		rest, strangers = "", r.Unknown()+stray
	}
	chosen, ends := -1, 0
	for _, m := range r.Matches {
		if e.commands[m.ID].Alone && accompanied(r, m) {
			continue
		}
		free := m.From == 0 && e.commands[m.ID].takesWords()
		if (free || strangers <= e.strangers(r, m)) && (chosen < 0 || e.says(m.ID, chosen)) {
			chosen, ends = m.ID, m.To
		}
	}
	if chosen < 0 {
		return Command{}, "", false
	}
	command := e.commands[chosen]
	if own, _ := numberIn(text, r, ends); own != "" && stray == 0 && numbersApart(r) {
		rest = own // the one before is another command's
	}
	if command.takesWords() {
		rest = behind(text, r, chosen)
	}
	if count(rest) < command.Least {
		rest = ""
	}
	if command.latin.Node != "" && !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
		command.To = command.latin
	}
	return command, rest, true
}

// accompanied reports that a text has a word of another command beside a match.
func accompanied(r locales.Reading, m locales.Match) bool {
	return slices.ContainsFunc(r.Matches, func(other locales.Match) bool { return other.ID != m.ID })
}

// hour is a time of day, and a number with an ending behind it: "10:30", "5те".
var hour = regexp.MustCompile(`^\d{1,2}[:.]\d{2}|^\d+\p{L}`)

// straying counts the numbers of a text that belong to no command in it: short ones
// that do not stand directly behind its word, and times of day. They are words of a
// sentence about something else.
func (e *Engine) straying(text, rest string, r locales.Reading) (n int) {
	if len(r.Matches) == 0 {
		return 0
	}
	behind := r.Matches[len(r.Matches)-1]
	for _, m := range r.Matches {
		if e.commands[m.ID].Digits == 0 {
			return 0
		}
	}
	if _, digits := sizes(rest); digits >= e.commands[behind.ID].Digits-numberSlips {
		return 0
	}
	first := -1
	for i, t := range r.Tokens {
		if t.Sense == locales.Number {
			if first < 0 {
				first = i
			}
			n++
		}
	}
	if first < 0 || first == behind.To && !hour.MatchString(text[r.Tokens[first].Start:]) {
		return 0
	}
	return n + 1 // and what they are said of
}

// numberSlips is how many digits may be missing from a number that is still meant as one.
const numberSlips = 3

// elsewhere reports that the one command of a text has a word beside it that says that
// it means something else: "очередь в банк".
func (e *Engine) elsewhere(text string, r locales.Reading) bool {
	if len(r.Matches) != 1 {
		return false
	}
	for _, m := range e.others.Read(text).Matches {
		if m.ID == r.Matches[0].ID {
			return true
		}
	}
	return false
}

// takesWords reports a command that is followed by anything, not by a number.
func (c Command) takesWords() bool { return (c.Arg != "" || c.Ask != "") && !c.numbers }

// behind is what stands behind a command's word.
func behind(text string, r locales.Reading, command int) string {
	for _, m := range r.Matches {
		if m.ID == command {
			return argument(text[r.Tokens[m.To-1].End:])
		}
	}
	return ""
}

// strangers is how many words that mean nothing may stand beside a match.
func (e *Engine) strangers(r locales.Reading, m locales.Match) int {
	if e.commands[m.ID].Weak {
		return 0
	}
	for _, t := range r.Tokens[:m.From] {
		if t.Sense == locales.Unknown {
			return strangersAround
		}
	}
	if e.isTold(r, m) {
		return strangersBehindWord
	}
	return strangersBehind
}

// says reports that a later command of a text says more than the one before.
func (e *Engine) says(later, before int) bool {
	a, b := e.commands[later], e.commands[before]
	if a.service == b.service {
		return a.Weak && !b.Weak
	}
	return !a.Weak && b.Weak
}

// numberIn is what of a text is a number, from a token on, with the few letters around that
// belong to it, and how many words beside it mean nothing.
func numberIn(text string, r locales.Reading, low int) (rest string, strangers int) {
	from, to := -1, -1
	for i, t := range r.Tokens {
		if i < low {
			continue
		}
		if t.Sense == locales.Meant && from >= 0 { // what follows is another command's
			break
		}
		if t.Sense == locales.Number {
			if from < 0 {
				from = i
			}
			to = i
		}
	}
	if from < 0 {
		return "", r.Unknown()
	}
	belongs := func(i, most int) bool {
		return i >= 0 && i < len(r.Tokens) && (r.Tokens[i].Sense == locales.Unknown && utf8.RuneCountInString(r.Tokens[i].Text) <= most || lone(r.Tokens[i]))
	}
	for belongs(from-1, 2) {
		from--
	}
	for belongs(to+1, 4) {
		to++
	}
	strangers = r.Unknown()
	for _, t := range r.Tokens[from : to+1] {
		if t.Sense == locales.Unknown {
			strangers--
		}
	}
	return text[r.Tokens[from].Start:r.Tokens[to].End], strangers
}

// lone reports a letter by itself. Beside a number it may be a part of it ("А 123 ВС"),
// also where it is a word in another place ("а", "в"): without it the number is another.
func lone(t locales.Token) bool {
	return t.Sense != locales.Meant && t.Sense != locales.Number && utf8.RuneCountInString(t.Text) == 1
}

// firstWord cuts text after its first letters, past the marks that people put
// before a command ("#штраф", "«айып»").
func firstWord(text string) (letters, rest string) {
	text = strings.TrimLeftFunc(text, mark)
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("'’`", r) })
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

// argument is what follows a command's word, without the marks in between and
// around.
func argument(rest string) string { return strings.TrimFunc(rest, mark) }

func mark(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) }

// keeps reports that what stands behind a command may be kept and shown.
func (c Command) keeps(rest string) bool { return c.checked || !resembles(rest).Sensitive() }

// next is where a command leads with the number in the text. What may be somebody's
// personal number or a secret is dropped: nobody asked for it, and it would be kept.
func (c Command) next(rest string) Next {
	if c.To.Node != "" {
		return c.To
	}
	if !c.keeps(rest) {
		rest = ""
	}
	if rest == "" && c.Bare != "" {
		return Go(c.Bare)
	}
	if c.Arg == "" {
		return Go(c.Node)
	}
	return Go(c.Node, c.Arg, rest)
}

// again is a text that asks for the same once more, without what must not be kept.
func (c Command) again(rest string) string {
	if !c.keeps(rest) {
		rest = ""
	}
	for _, words := range [][]string{c.Words, c.Also} {
		if len(words) > 0 {
			return strings.TrimSpace(words[0] + " " + rest)
		}
	}
	return rest
}

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
