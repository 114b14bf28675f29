package paper

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lines breaks a text where it has a space or a line of its own, and a word that is wider than the line where
// it must. The space stays at the end of its line, where nobody sees it, so that who reads aloud does not run
// two words together. All that is drawn of a text comes from here, in letters that there are.
func (p *Page) lines(text string, width float64) (lines []string) {
	for _, part := range strings.SplitAfter(strings.TrimRight(p.letters(text), "\n"), "\n") {
		line := ""
		for _, word := range words(strings.Replace(part, "\n", " ", 1)) {
			if line != "" && p.wide(line+word) > width {
				lines, line = append(lines, line), ""
			}
			for p.wide(word) > width {
				head := p.head(word, width)
				lines, word = append(lines, word[:head]), word[head:]
			}
			line += word
		}
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// wide is how wide a text is drawn, in millimetres, without the space at its end.
func (p *Page) wide(text string) float64 {
	return p.GetStringWidth(strings.TrimRight(text, " ")) + 2*p.GetCellMargin()
}

// head is how many bytes of a word a line holds: one letter at least.
func (p *Page) head(word string, width float64) (n int) {
	for i, letter := range word {
		if i > 0 && p.wide(word[:i+utf8.RuneLen(letter)]) > width {
			return i
		}
	}
	return len(word)
}

// words are the pieces that a line is not broken in, each with the space behind it: a sum of thousands, a
// number with its sign and a dash with what is before it are one.
func words(text string) (all []string) {
	var last string
	for _, piece := range strings.SplitAfter(text, " ") {
		if last != "" && !together(strings.TrimRight(last, " "), piece) {
			all, last = append(all, last), ""
		}
		last += piece
	}
	return append(all, last)
}

// together says that what stands behind a space stays in the line of what is before it.
func together(before, behind string) bool {
	ends, _ := utf8.DecodeLastRuneInString(before)
	begins, _ := utf8.DecodeRuneInString(behind)
	return unicode.IsDigit(ends) && unicode.IsDigit(begins) || ends == '№' || begins == '—'
}
