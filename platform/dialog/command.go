package dialog

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/locales"
)

// minTypo is how many letters a word has, as typed and as meant, in which one
// may be wrong: among shorter words everything is near to something.
const minTypo = 4

// word is one word of a command, in the two forms it is compared in.
type word struct {
	plain, folded string
	command       int // its place in Engine.commands
}

// learn adds a service's commands.
func (e *Engine) learn(commands []Command) error {
	var faults []error
	for _, command := range commands {
		e.commands = append(e.commands, command)
		for _, text := range command.Words {
			faults = append(faults, e.learnWord(word{locales.Plain(text), locales.Fold(text), len(e.commands) - 1}))
		}
	}
	return errors.Join(faults...)
}

// learnWord adds one word. No word of another command may be it, or so near
// that a typo in one would be the other.
func (e *Engine) learnWord(w word) error {
	for _, other := range e.words {
		if other.command != w.command && (other.folded == w.folded || w.near(other.plain, other.folded)) {
			return fmt.Errorf("the command words %q and %q cannot be told apart", other.plain, w.plain)
		}
	}
	if _, spelling := e.exact[w.folded]; !spelling { // else a word's spelling in the other script
		e.exact[w.folded] = w.command
	}
	e.words = append(e.words, w)
	return nil
}

// near reports that a typed word differs from w by one typo in either form: in
// Cyrillic "ш" is one letter, in Latin it is two.
func (w word) near(plain, folded string) bool {
	return oneTypo(w.plain, plain) || oneTypo(w.folded, folded)
}

// command finds the command that text begins with, and what follows its word.
// With exact a typo or a word glued to letters is none: the text may be an
// answer.
func (e *Engine) command(text string, exact bool) (Command, string, bool) {
	letters, rest := firstWord(clean(text))
	if letters == "" {
		return Command{}, "", false
	}
	glued := rest != "" && unicode.IsDigit(first(rest))
	if at, known := e.exact[locales.Fold(letters)]; known {
		return e.commands[at], argument(rest), true
	}
	if exact {
		return Command{}, "", false
	}
	if at, end, known := e.prefix(letters, glued); known {
		return e.commands[at], argument(letters[end:] + rest), true
	}
	if glued {
		return Command{}, "", false
	}
	if at, known := e.nearest(letters); known {
		return e.commands[at], argument(rest), true
	}
	return Command{}, "", false
}

// prefix finds the longest command word that letters begin with where the rest
// belongs to its argument: "ТЕКШЕРK7MN…" changes the script there, "teksherK7MN…"
// goes on with digits.
func (e *Engine) prefix(letters string, glued bool) (command, end int, known bool) {
	for end = len(letters); end > 0; {
		next, size := utf8.DecodeLastRuneInString(letters[:end])
		if end < len(letters) && (glued || unicode.Is(unicode.Cyrillic, next) && first(letters[end:]) < unicode.MaxLatin1) {
			begin := letters[:end]
			if at, found := e.exact[locales.Fold(begin)]; found && utf8.RuneCountInString(begin) >= minTypo {
				return at, end, true
			}
		}
		end -= size
	}
	return 0, 0, false
}

// nearest finds the one command that letters are a typo of.
func (e *Engine) nearest(letters string) (command int, known bool) {
	plain, folded := locales.Plain(letters), locales.Fold(letters)
	for _, w := range e.words {
		if !w.near(plain, folded) {
			continue
		}
		if known && w.command != command {
			return 0, false
		}
		command, known = w.command, true
	}
	return command, known
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

func first(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// oneTypo reports that a and b, both long enough, differ by at most one letter
// left out, added, mistaken, or swapped with its neighbour (the Damerau–
// Levenshtein distance, optimal alignment).
func oneTypo(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) < minTypo || len(y)-len(x) > 1 {
		return false
	}
	at := 0
	for at < len(x) && x[at] == y[at] {
		at++
	}
	if len(x) < len(y) {
		return string(x[at:]) == string(y[at+1:])
	}
	if at == len(x) || string(x[at+1:]) == string(y[at+1:]) {
		return true
	}
	return at+1 < len(x) && x[at] == y[at+1] && x[at+1] == y[at] && string(x[at+2:]) == string(y[at+2:])
}

// next is where a command leads with what follows its word.
func (c Command) next(rest string) Next {
	if rest == "" && c.Bare != "" {
		return Go(c.Bare)
	}
	if c.Arg == "" {
		return Go(c.Node)
	}
	return Go(c.Node, c.Arg, rest)
}
