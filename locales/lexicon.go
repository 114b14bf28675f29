package locales

import (
	_ "embed" // the everyday words
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

//go:embed everyday.toml
var everydayFile string

// Lexicon finds what a texted sentence asks for: phrases of one or more words, in
// every form and spelling that people write them in (see Fold), among words that
// ask for nothing. It is safe for concurrent use once all is learnt.
type Lexicon struct {
	*everyday
	words   *vocabulary
	phrases map[int][]phrase // by their first word
	typos   bool
}

// everyday is what everyday.toml says, which all lexicons share.
type everyday struct {
	polite, greets *vocabulary // words that ask for nothing
	// never are words that look like a form or a typo, and are none: folded, and in
	// Plain's form, by which "тыл" is told from "тил".
	never, neverPlain map[string]bool
}

// phrase is one or more words that mean something together.
type phrase struct {
	id    int
	words []int
}

// NewLexicon makes a lexicon without phrases, which takes a typo in a long word where
// typos are wanted. It fails only where everyday.toml cannot be read.
func NewLexicon(typos bool) (*Lexicon, error) {
	shared, err := readEveryday()
	if err != nil {
		return nil, err
	}
	return &Lexicon{everyday: shared, words: newVocabulary(minRoot), typos: typos, phrases: map[int][]phrase{}}, nil
}

// readEveryday reads the file once for the whole process.
var readEveryday = sync.OnceValues(func() (*everyday, error) {
	var file struct {
		Polite, Greetings, Never map[string]string
	}
	if _, err := toml.Decode(everydayFile, &file); err != nil {
		return nil, fmt.Errorf("everyday.toml: %w", err)
	}
	e := &everyday{
		polite: newVocabulary(minCut), greets: newVocabulary(minCut),
		never: map[string]bool{}, neverPlain: map[string]bool{},
	}
	for list, into := range map[*map[string]string]*vocabulary{&file.Polite: e.polite, &file.Greetings: e.greets} {
		for _, words := range *list {
			for word := range strings.FieldsSeq(words) {
				into.learn(word)
			}
		}
	}
	for _, words := range file.Never {
		for word := range strings.FieldsSeq(words) {
			e.never[Fold(word)], e.neverPlain[Plain(word)] = true, true
		}
	}
	return e, nil
})

// Learn adds a phrase that means id. It gives the phrase's other meaning where it
// has one already.
func (l *Lexicon) Learn(id int, text string) (other int, taken bool) {
	p := phrase{id: id}
	for _, t := range tokens(text) {
		p.words = append(p.words, l.words.learn(t.Text))
	}
	if len(p.words) == 0 {
		return 0, false
	}
	for _, known := range l.phrases[p.words[0]] {
		if sameWords(known.words, p.words) {
			return known.id, known.id != id
		}
	}
	l.phrases[p.words[0]] = append(l.phrases[p.words[0]], p)
	return 0, false
}

func sameWords(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Sense is what a word of a text is good for.
type Sense int

// The senses.
const (
	Unknown  Sense = iota // it means nothing here
	Number                // it has a digit
	Polite                // it asks for nothing: "please", "my", "I need"
	Greeting              // "hello", "thanks"
	Meant                 // it belongs to a phrase
)

// Token is a word of a text, or a number. Text is text[Start:End].
type Token struct {
	Text       string
	Start, End int
	Sense      Sense
}

// Match is a phrase that was found: ID, and the tokens [From, To) of it.
type Match struct {
	ID, From, To int
	// Exact says that it stands there letter by letter, though in any case and script.
	Exact bool
}

// Reading is what a text says.
type Reading struct {
	Tokens  []Token
	Matches []Match // in the text's order
}

// Read finds the phrases of a text, the longest first where several begin.
func (l *Lexicon) Read(text string) Reading {
	all := tokens(text)
	if len(all) > 0 {
		all = l.unglue(all)
	}
	r := Reading{Tokens: all}
	words := make([]senses, len(all))
	for i := range all {
		words[i] = l.sense(&all[i])
	}
	for i := 0; i < len(all); {
		m, fits := l.match(words, i)
		if !fits {
			i++
			continue
		}
		for j := m.From; j < m.To; j++ {
			all[j].Sense = Meant
		}
		r.Matches = append(r.Matches, m)
		i = m.To
	}
	return r
}

// senses are the words of the vocabulary that a token may be. The first is the one
// that stands there, if exact.
type senses struct {
	words []int
	exact bool
}

func (s senses) has(word int) bool { return slices.Contains(s.words, word) }

// sense looks a token up, and gives it its sense beside all phrases.
func (l *Lexicon) sense(t *Token) senses {
	if strings.ContainsFunc(t.Text, unicode.IsDigit) {
		t.Sense = Number
		return senses{}
	}
	said := asTyped(t.Text)
	plain, folded := said.plain, said.folded
	at, exact := l.words.exact[heard(folded)]
	switch {
	case l.greets.has(folded):
		t.Sense = Greeting
	case l.polite.has(folded):
		t.Sense = Polite
	}
	if !exact && (l.never[folded] || t.Sense == Greeting) || l.neverPlain[plain] && (!exact || l.words.plain[at] != plain) {
		return senses{}
	}
	found := senses{words: l.words.find(folded), exact: exact && l.words.folded[at] == folded}
	if len(found.words) == 0 && l.typos && t.Sense == Unknown {
		if at, near := l.words.near(said); near {
			found.words = []int{at}
		}
	}
	return found
}

// match is the longest phrase that begins at a word: of two as long the one whose
// words stand there.
func (l *Lexicon) match(all []senses, at int) (Match, bool) {
	best := Match{From: at, To: at}
	for _, first := range all[at].words {
		for _, p := range l.phrases[first] {
			if at+len(p.words) > len(all) || len(p.words) <= best.To-at {
				continue
			}
			fits, exact := true, true
			for i, word := range p.words {
				fits = fits && all[at+i].has(word)
				exact = exact && all[at+i].exact && all[at+i].words[0] == word
			}
			if fits {
				best = Match{ID: p.id, From: at, To: at + len(p.words), Exact: exact}
			}
		}
	}
	return best, best.To > at
}

// unglue parts a first word from the number that was typed right behind it:
// "ШТРАФ01KG123ABC", "teksherK7MN…", "ТЕКШЕРK7MN…" (there the script changes).
func (l *Lexicon) unglue(all []Token) []Token {
	t := all[0]
	if _, known := l.words.exact[heard(Fold(t.Text))]; known {
		return all
	}
	digit := strings.IndexFunc(t.Text, unicode.IsDigit)
	for end := len(t.Text); end > 0; {
		last, size := utf8.DecodeLastRuneInString(t.Text[:end])
		next, _ := utf8.DecodeRuneInString(t.Text[end:])
		if end < len(t.Text) && (digit >= end || unicode.Is(unicode.Cyrillic, last) && next < unicode.MaxLatin1) && l.begins(t.Text[:end]) {
			head, tail := t, t
			head.Text, head.End = t.Text[:end], t.Start+end
			tail.Text, tail.Start = t.Text[end:], t.Start+end
			return append([]Token{head, tail}, all[1:]...)
		}
		end -= size
	}
	return all
}

// minGlued is the fewest letters of a word to which a number may be glued.
const minGlued = 4

// begins reports that a word stands alone for a phrase.
func (l *Lexicon) begins(word string) bool {
	if utf8.RuneCountInString(word) < minGlued {
		return false
	}
	at, known := l.words.exact[heard(Fold(word))]
	for _, p := range l.phrases[at] {
		if known && len(p.words) == 1 {
			return true
		}
	}
	return false
}

// Word is a single word, prepared to be compared with others.
type Word struct {
	Text string
	typed
	alone *vocabulary // that knows this word and no other
}

// NewWord prepares a word.
func NewWord(text string) Word {
	w := Word{Text: text, typed: asTyped(text), alone: newVocabulary(minRoot)}
	w.alone.learn(text)
	return w
}

// Alike reports that one of two words could be taken for the other: by a form, a
// spelling or a typo.
func (w Word) Alike(other Word) bool { return w.isFormOf(other) || other.isFormOf(w) }

func (w Word) isFormOf(other Word) bool {
	if other.alone.has(w.folded) {
		return true
	}
	_, near := other.alone.near(w.typed)
	return near
}

// Greets reports a text that says hello or thanks, and no more.
func (r Reading) Greets() bool {
	greets := false
	for _, t := range r.Tokens {
		if t.Sense != Polite && t.Sense != Greeting {
			return false
		}
		greets = greets || t.Sense == Greeting
	}
	return greets
}

// Unknown counts the words that mean nothing.
func (r Reading) Unknown() int {
	n := 0
	for _, t := range r.Tokens {
		if t.Sense == Unknown {
			n++
		}
	}
	return n
}

// tokens cuts a text into words and numbers: runs of letters and digits.
func tokens(text string) []Token {
	var all []Token
	start := -1
	for i, r := range text {
		in := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || (start >= 0 && strings.ContainsRune("'’`", r))
		if in && start < 0 {
			start = i
		}
		if !in && start >= 0 {
			all = append(all, Token{Text: text[start:i], Start: start, End: i})
			start = -1
		}
	}
	if start >= 0 {
		all = append(all, Token{Text: text[start:], Start: start, End: len(text)})
	}
	return all
}
