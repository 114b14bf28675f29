package locales

import (
	"slices"
	"unicode/utf8"
)

// minTypo is how many letters a word has at least in which one may be wrong, and
// minTyped how many are then typed: among shorter words everything is near to
// something ("керек" to "кезек", "мени" to "меню").
const (
	minTypo  = 6
	minTyped = 5
)

// vocabulary is a list of words that are found again in all their forms.
type vocabulary struct {
	typed  []string       // as they stand in the list
	plain  []string       // in Plain's form
	folded []string       // in Fold's
	exact  map[string]int // as heard → the word
	roots  map[string][]rooted
	least  int // letters of a root that has forms: shorter words have none
}

type rooted struct {
	kind kind
	word int
}

func newVocabulary(least int) *vocabulary {
	return &vocabulary{least: least, exact: map[string]int{}, roots: map[string][]rooted{}}
}

// learn adds a word, unless it is known by another spelling, and gives its number.
func (v *vocabulary) learn(word string) int {
	folded := Fold(word)
	if at, known := v.exact[heard(folded)]; known {
		return at
	}
	at := len(v.folded)
	v.typed, v.plain, v.folded = append(v.typed, word), append(v.plain, Plain(word)), append(v.folded, folded)
	v.exact[heard(folded)] = at
	for _, r := range roots(folded) {
		v.roots[r.text] = append(v.roots[r.text], rooted{r.kind, at})
	}
	return at
}

// find gives the words that a folded one may be a form of: first the one that it is,
// then those of longer roots.
func (v *vocabulary) find(folded string) []int {
	var words []int
	if at, known := v.exact[heard(folded)]; known {
		words = append(words, at)
	}
	for end := len(folded); end >= v.least; end-- {
		for _, r := range v.roots[folded[:end]] {
			if r.kind.goesOn(folded[:end], folded[end:]) && !slices.Contains(words, r.word) {
				words = append(words, r.word)
			}
		}
	}
	return words
}

// has reports that a folded word is a form of one in the list.
func (v *vocabulary) has(folded string) bool { return len(v.find(folded)) > 0 }

// typed is what was typed, as words are compared.
type typed struct {
	letters       int
	plain, folded string
}

func asTyped(text string) typed {
	return typed{utf8.RuneCountInString(text), Plain(text), Fold(text)}
}

// near gives the one word that a typed one is a typo of, perhaps with an ending.
func (v *vocabulary) near(t typed) (word int, known bool) {
	if t.letters < minTyped {
		return 0, false
	}
	for at := range v.folded {
		if utf8.RuneCountInString(v.typed[at]) < minTypo || !v.mistaken(at, t.plain, t.folded) {
			continue
		}
		if known {
			return 0, false // which one?
		}
		word, known = at, true
	}
	return word, known
}

// mistaken reports one typo between a word and what was typed, in either script:
// in Cyrillic "ш" is one letter, in Latin it is two.
func (v *vocabulary) mistaken(at int, plain, folded string) bool {
	if oneTypo(v.plain[at], plain) || oneTypo(v.folded[at], folded) {
		return true
	}
	for end := len(v.folded[at]) - 1; end <= len(v.folded[at])+1 && end < len(folded); end++ {
		if whole.goesOn(v.folded[at], folded[end:]) && oneTypo(v.folded[at], folded[:end]) {
			return true
		}
	}
	return false
}

// oneTypo reports that a and b differ by at most one letter left out, added,
// mistaken, or swapped with its neighbour (the Damerau–Levenshtein distance,
// optimal alignment).
func oneTypo(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
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
