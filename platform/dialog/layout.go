package dialog

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxChoices is the number of options on one page: more are not taken in at once.
const maxChoices = 8

// number is what is typed for the option at a place, from 0: 1 to 8 and then from
// 10 on, since 9 and 0 are the engine's.
func number(place int) int {
	if place < 8 {
		return place + 1
	}
	return place + 2
}

// placeOf is the place of the option that key is typed for; -1 for none.
func placeOf(key string) int {
	n, err := strconv.Atoi(key)
	switch {
	case err != nil || n < 1 || n == 9 || key[0] == '0':
		return -1
	case n < 9:
		return n - 1
	}
	return n - 2
}

// sheet is a screen in words, before it is cut into pages.
type sheet struct {
	body   string
	labels []string
	next   []Next
	first  int    // the place of the first label among the screen's options
	more   string // "9 Дагы"
	footer string // "0 Артка", or empty
	goesOn bool   // other pages follow
}

// layout cuts a sheet into pages that fit b: whole words, whole options, never
// half a character. Each page but the last ends with the word for more. Where
// it costs no page, a page ends with a sentence. Each page holds a word or an
// option: b is at least MinBudget, and more and footer take at most maxWay.
func layout(b Budget, s sheet) []Page {
	if !s.goesOn && s.fits(b) {
		return []Page{s.page(s.body, 0, len(s.labels), "")}
	}
	c := newCutter(b, s)
	var pages []Page
	for at := (spot{}); !c.over(at); {
		next := c.fill(at)
		more := c.more
		if c.over(next) && !c.goesOn {
			more = ""
		}
		page := c.page(c.text(at.word, next.word), at.option, next.option, more)
		page.Of = len(pages)
		pages = append(pages, page)
		at = next
	}
	return pages
}

// fits reports that one page holds all.
func (s sheet) fits(b Budget) bool { return len(s.labels) <= maxChoices && b.holds(s.size()) }

// size is that of the whole sheet on one page.
func (s sheet) size() size {
	all := sizeOf(s.body).under(sizeOf(s.footer))
	for i, label := range s.labels {
		all = all.under(numbered(label, s.first+i))
	}
	return all
}

// page writes body, the options [from, to) as numbered here, more and the way
// back under each other.
func (s sheet) page(body string, from, to int, more string) Page {
	length := len(body) + len(more) + len(s.footer) + 2
	for _, label := range s.labels[from:to] {
		length += len(label) + len("\n10 ")
	}
	var out strings.Builder
	out.Grow(length)
	line(&out, body)
	for i, label := range s.labels[from:to] {
		line(&out, strconv.Itoa(number(s.first+from+i)))
		out.WriteString(" ")
		out.WriteString(label)
	}
	line(&out, more)
	line(&out, s.footer)
	return Page{Text: out.String(), Options: s.next[from:to:to], First: s.first + from}
}

// line begins a line with text; an empty one is left out.
func line(out *strings.Builder, text string) {
	if text == "" {
		return
	}
	if out.Len() > 0 {
		out.WriteString("\n")
	}
	out.WriteString(text)
}

// cutter cuts a sheet into pages. Each of its words and options fits a page.
type cutter struct {
	sheet
	budget Budget
	words  []string
	sizes  []size // of the words
	rest   []size // of the words from each one on
	tail   size   // of the last lines of a page that others follow
}

// spot is how far the pages have come.
type spot struct{ word, option int }

func newCutter(b Budget, s sheet) *cutter {
	c := &cutter{sheet: s, budget: b, tail: sizeOf(s.more).under(sizeOf(s.footer))}
	for _, word := range splitWords(s.body) {
		for _, piece := range c.pieces(word) {
			c.words = append(c.words, piece)
			c.sizes = append(c.sizes, sizeOf(piece))
		}
	}
	c.rest = make([]size, len(c.sizes)+1)
	for i := len(c.sizes) - 1; i >= 0; i-- {
		c.rest[i] = c.sizes[i].plus(c.rest[i+1])
	}
	c.labels = slices.Clone(s.labels)
	for i, label := range c.labels {
		c.labels[i] = c.shorten(label, c.first+i)
	}
	return c
}

func (c *cutter) over(at spot) bool { return at.word == len(c.words) && at.option == len(c.labels) }

// text is the words [from, to) as one page shows them.
func (c *cutter) text(from, to int) string {
	return strings.TrimSpace(strings.Join(c.words[from:to], ""))
}

// fill says how far a page goes that begins at a spot: to the end if all that is
// left fits it, otherwise as far as there is room, or only to the end of a
// sentence if the rest then takes no more pages.
func (c *cutter) fill(at spot) spot {
	next := c.greedy(at)
	if next.word == len(c.words) {
		return next
	}
	for end := next.word - 1; end > (at.word+next.word)/2; end-- {
		if !endsSentence(c.words[end-1], c.words[end]) {
			continue
		}
		if sooner := (spot{word: end}); c.count(sooner) <= c.count(next) {
			return sooner
		}
		break
	}
	return next
}

// count is how many pages the rest takes from a spot on.
func (c *cutter) count(at spot) int {
	pages := 0
	for ; !c.over(at); at = c.greedy(at) {
		pages++
	}
	return pages
}

// greedy puts as much as fits on the page that begins at a spot.
func (c *cutter) greedy(at spot) spot {
	if c.lastPage(at) {
		return spot{word: len(c.words), option: len(c.labels)}
	}
	var body size
	for at.word < len(c.words) {
		longer := body.plus(c.sizes[at.word])
		if body == (size{}) {
			longer = sizeOf(strings.TrimSpace(c.words[at.word]))
		}
		if !c.budget.holds(longer.under(c.tail)) {
			return at
		}
		body = longer
		at.word++
	}
	page := body.under(c.tail)
	for first := at.option; at.option < len(c.labels) && at.option-first < maxChoices; at.option++ {
		if page = page.under(numbered(c.labels[at.option], c.first+at.option)); !c.budget.holds(page) {
			break
		}
	}
	return at
}

// lastPage reports that all that is left fits the page that begins at a spot.
func (c *cutter) lastPage(at spot) bool {
	if len(c.labels)-at.option > maxChoices {
		return false
	}
	body := c.rest[at.word]
	if at.word < len(c.words) {
		body = body.minus(leading(c.words[at.word]))
	}
	page := body.under(sizeOf(c.footer))
	if c.goesOn {
		page = body.under(c.tail)
	}
	for i, label := range c.labels[at.option:] {
		page = page.under(numbered(label, c.first+at.option+i))
	}
	return c.budget.holds(page)
}

// pieces cuts a word that alone is longer than a page; each piece has at least
// one character.
func (c *cutter) pieces(word string) []string {
	if c.budget.holds(sizeOf(strings.TrimSpace(word)).under(c.tail)) {
		return []string{word}
	}
	var pieces []string
	start, piece := 0, size{}
	for i, r := range word {
		longer := piece.plus(sizeOfRune(r))
		if i > start && !c.budget.holds(longer.under(c.tail)) {
			pieces = append(pieces, word[start:i])
			start, longer = i, sizeOfRune(r)
		}
		piece = longer
	}
	return append(pieces, word[start:])
}

// shorten cuts an option's label so that the option alone fits a page.
func (c *cutter) shorten(label string, place int) string {
	if c.budget.holds(numbered(label, place).under(c.tail)) {
		return label
	}
	const cut = ".."
	for end := len(label); end > 0; end-- {
		if utf8.RuneStart(label[end-1]) && c.budget.holds(numbered(label[:end-1]+cut, place).under(c.tail)) {
			return label[:end-1] + cut
		}
	}
	return cut
}

// splitWords cuts text before each space and line break, which stay with the
// word that follows. What is one thing is one word, see oneThing: the text itself has
// plain spaces, as no-break ones are outside the alphabet of most messages.
func splitWords(text string) []string {
	words := make([]string, 0, strings.Count(text, " ")+strings.Count(text, "\n")+1)
	start, token := 0, 0 // of the word, and of its last token
	for i := range len(text) {
		if text[i] != ' ' && text[i] != '\n' {
			continue
		}
		if i > start && (text[i] == '\n' || !oneThing(text[token:i], nextToken(text[i+1:]))) {
			words = append(words, text[start:i])
			start = i
		}
		token = i + 1
	}
	if start < len(text) {
		words = append(words, text[start:])
	}
	return words
}

// nextToken is what text begins with, up to a space or the end of the line.
func nextToken(text string) string {
	if end := strings.IndexAny(text, " \n"); end >= 0 {
		return text[:end]
	}
	return text
}

// oneThing reports that the space between two tokens is inside an amount ("10 000
// сом"), a moment ("12.05.2026 10:30"), a number ("№ 12") or a plate ("01 KG 123").
func oneThing(left, right string) bool {
	if left == "" || right == "" {
		return false
	}
	before, after := isDigit(left[len(left)-1]), isDigit(right[0])
	switch {
	case before && after:
		return true
	case before:
		return currency(right) || capitals(right)
	case after:
		return left == "№" || capitals(left)
	}
	return false
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// currency reports a word that belongs to the amount before it, with any ending.
func currency(word string) bool {
	for _, unit := range []string{"сом", "som", "тыйын", "tyiyn", "KGS"} {
		if strings.HasPrefix(word, unit) {
			return true
		}
	}
	return strings.HasPrefix(word, "с.") || strings.HasPrefix(word, "s.")
}

// capitals reports one to three capital letters, as plates have them.
func capitals(word string) bool {
	n := 0
	for _, r := range strings.TrimRight(word, ".,:;!?)") {
		if n++; n > 3 || !unicode.IsUpper(r) {
			return false
		}
	}
	return n > 0
}

// endsSentence reports that a sentence or a paragraph ends between two words.
// An initial ("А. Б.") ends none.
func endsSentence(word, next string) bool {
	if next[0] == '\n' {
		return true
	}
	word = strings.TrimSpace(word)
	begins := first(strings.TrimSpace(next))
	return utf8.RuneCountInString(word) > 2 && strings.ContainsAny(word[len(word)-1:], ".!?") && !unicode.IsLower(begins)
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
