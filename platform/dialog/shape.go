package dialog

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a one-time code, a personal number and an ID-card number look like, also with
// a digit too few or too many. Registrations have 11 digits, payments 10.
const (
	codeDigits  = 6
	leastPerson = 12
)

var documentLike = regexp.MustCompile(`(?:^|\P{L})\p{L}{2}[ №#.-]*\p{Nd}{6,8}(?:\P{Nd}|$)`)

// resembles says what a typed text looks like, or holds, where nobody knows what it
// was typed for.
func resembles(text string) Ask {
	text = clean(text)
	found := AskNothing
	for _, number := range append(numbers(text), strings.FieldsFunc(text, apart)...) {
		switch n := utf8.RuneCountInString(number); {
		case n >= leastPerson:
			return AskPersonalNumber
		case n == codeDigits:
			found = AskSecret
		}
	}
	if documentLike.MatchString(text) {
		return AskDocumentNumber
	}
	return found
}

// apart reports what is no digit.
func apart(r rune) bool { return !unicode.Is(unicode.Nd, r) }

// longestPath bounds a path that waits, in bytes: what a phone can dial is shorter,
// and a gateway may send anything.
const longestPath = 1024

// Keepable is the dialled path up to the first part that may be sensitive, or that
// nobody dialled: a path waits in the state, and such input never does.
func Keepable(path []string) []string {
	length := 0
	for i, part := range path {
		if length += len(part) + 1; length > longestPath || resembles(part).Sensitive() {
			return path[:i]
		}
	}
	return path
}

// Masked is a typed text as it may be written down: what looks sensitive is named
// instead, as "{secret}", "{personal_number}" or "{document_number}".
func Masked(text string) string {
	if ask := resembles(text); ask.Sensitive() {
		return "{" + string(ask) + "}"
	}
	return text
}
