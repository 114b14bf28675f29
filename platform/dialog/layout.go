package dialog

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/gsm"
)

// Budget is how much text one screen of a channel holds: septets when all of it
// is in the GSM alphabet, UTF-16 units otherwise.
type Budget struct {
	Septets int
	Units   int
}

// Fits reports whether text fits one screen.
func (b Budget) Fits(text string) bool {
	if n, ok := gsm.Septets(text); ok {
		return n <= b.Septets
	}
	return gsm.Units(text) <= b.Units
}

// maxChoices is the number of options on one page: "9" and "0" are the engine's.
const maxChoices = 8

// sheet is a screen in words, before it is cut into pages.
type sheet struct {
	body   string
	labels []string
	next   []Next
	more   string // "9 Дагы"
	footer string // "0 Артка", or empty
}

// layout cuts a sheet into pages that fit b: whole words, whole options, never
// half a character. Each page but the last ends with the word for more.
func layout(b Budget, s sheet) []Page {
	if page, ok := s.rest(b, []string{s.body}, 0); ok {
		return []Page{page}
	}
	var pages []Page
	words, option := splitWords(s.body), 0
	for len(words) > 0 || option < len(s.labels) {
		if last, ok := s.rest(b, words, option); ok {
			return append(pages, last)
		}
		var page Page
		page, words, option = s.fill(b, words, option)
		pages = append(pages, page)
	}
	return pages
}

// rest makes the last page if all that is left fits it.
func (s sheet) rest(b Budget, words []string, option int) (Page, bool) {
	if len(s.labels)-option > maxChoices {
		return Page{}, false
	}
	lines := s.lines(strings.TrimSpace(strings.Join(words, "")), option, len(s.labels))
	text := join(append(lines, s.footer)...)
	return Page{Text: text, Options: s.next[option:]}, b.Fits(text)
}

// lines are the body and the options [from, to) as numbered on their page.
func (s sheet) lines(body string, from, to int) []string {
	lines := []string{body}
	for i, label := range s.labels[from:to] {
		lines = append(lines, strconv.Itoa(i+1)+" "+label)
	}
	return lines
}

// fill puts as much as fits on one page that others follow.
func (s sheet) fill(b Budget, words []string, option int) (Page, []string, int) {
	tail := join(s.more, s.footer)
	body := ""
	for len(words) > 0 && b.Fits(join(strings.TrimSpace(body+words[0]), tail)) {
		body, words = body+words[0], words[1:]
	}
	if body == "" && len(words) > 0 {
		var head string
		head, words[0] = cut(b, words[0], tail)
		return Page{Text: join(head, tail)}, words, option
	}
	body = strings.TrimSpace(body)
	first := option
	for len(words) == 0 && option < len(s.labels) && option-first < maxChoices &&
		b.Fits(join(append(s.lines(body, first, option+1), tail)...)) {
		option++
	}
	if body == "" && option == first { // one option alone is longer than a page
		s.labels[option] = shorten(b, s.labels[option], tail)
		option++
	}
	text := join(append(s.lines(body, first, option), tail)...)
	return Page{Text: text, Options: s.next[first:option]}, words, option
}

// splitWords cuts text before each space and line break, which stay with the
// word that follows. A number written in groups ("10 000") is one word.
func splitWords(text string) []string {
	var words []string
	start := 0
	for i, r := range text {
		grouped := r == ' ' && i > 0 && i+1 < len(text) && isDigit(text[i-1]) && isDigit(text[i+1])
		if (r == ' ' || r == '\n') && i > start && !grouped {
			words = append(words, text[start:i])
			start = i
		}
	}
	if start < len(text) {
		words = append(words, text[start:])
	}
	return words
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// cut splits a word that alone is longer than a page; at least one character
// goes to the head.
func cut(b Budget, word, tail string) (head, rest string) {
	word = strings.TrimSpace(word)
	end := 0
	for i, r := range word {
		next := i + utf8.RuneLen(r)
		if end > 0 && !b.Fits(join(word[:next], tail)) {
			break
		}
		end = next
	}
	return word[:end], word[end:]
}

// shorten cuts an option's label so that the option alone fits a page.
func shorten(b Budget, label, tail string) string {
	for end := len(label); end > 0; end-- {
		if utf8.RuneStart(label[end-1]) && b.Fits(join("1 "+label[:end-1]+"..", tail)) {
			return label[:end-1] + ".."
		}
	}
	return ".."
}

// join puts lines under each other, leaving out empty ones.
func join(lines ...string) string {
	kept := lines[:0:0]
	for _, line := range lines {
		if line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
