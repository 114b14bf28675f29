package identity

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// asciiDigits drops what people put between digits and writes the decimal digits
// of any script as ASCII; "" when anything else is left.
func asciiDigits(text string) string {
	var out strings.Builder
	for _, r := range text {
		if dialog.Parts(r) {
			continue
		}
		digit, ok := dialog.Digit(r)
		if !ok {
			return ""
		}
		out.WriteByte(digit)
	}
	return out.String()
}

// parseCode reads a one-time code, alone or among a few words; not where two
// different ones could be it. Long ones are sent over REST only.
func parseCode(text string, long bool) (string, bool) {
	if code, ok := theOne(dialog.Numbers(text, SharedDigits)); ok && long {
		return code, true
	}
	return theOne(dialog.Numbers(text, CodeDigits))
}

// pinLength is that of a personal number. No check digit is known: nothing else
// is tested. Source: domain facts, "People, phones, plates".
const pinLength = 14

// parsePIN reads a personal number as parseCode does a code.
func parsePIN(text string) (string, bool) { return theOne(dialog.Numbers(text, pinLength)) }

func theOne(found []string) (string, bool) {
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// documentDigits follow a document's two letters; those of an ID-card are idSeries.
const (
	documentDigits = 7
	idSeries       = "ID"
)

// documentForm is an ID-card's (ID1234567) or a passport's (AN1234567) number, in
// the place of which a text may have nothing but its digits. Two letters apart from
// them may be a word: in a text only the known series are none. Source: domain facts,
// "Identity documents".
var (
	documentForm  = regexp.MustCompile(`^[A-Z]{2}[0-9]{7}$`)
	documentAmong = regexp.MustCompile(`(?:^|[^\p{L}0-9])((?:ID|AN|AC|PE)[ №#.-]*|[A-Z]{2})([0-9]{7})\b`)
)

// lookAlikes are Cyrillic capitals with the form of a Latin one, and И and Д,
// which stand for the letters of "ID" on a phone without Latin.
var lookAlikes = map[rune]rune{
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'У': 'Y', 'Х': 'X',
	'І': 'I', 'И': 'I', 'Д': 'D',
}

// parseDocument reads the number of an ID-card or passport as people type it:
// in small or Cyrillic letters, with spaces, the digits alone of an ID-card, or among
// a few words.
func parseDocument(text string) (string, bool) {
	typed := strings.Map(documentRune, text)
	if document := strings.Map(unparted, typed); documentForm.MatchString(document) {
		return document, true
	}
	found := map[string]bool{}
	for _, m := range documentAmong.FindAllStringSubmatch(typed, -1) {
		found[m[1][:len(idSeries)]+m[2]] = true
	}
	if len(found) == 0 {
		for _, number := range dialog.Numbers(text, documentDigits) {
			found[idSeries+number] = true
		}
	}
	for document := range found {
		return document, len(found) == 1
	}
	return "", false
}

// longestBoth bounds the text in which both numbers are looked for, in characters.
const longestBoth = 100

// parseBoth reads a personal number and a document's that were typed as one text, in either
// order; not where it can be read in two ways.
func parseBoth(text string) (pin, document string, ok bool) {
	if utf8.RuneCountInString(text) > longestBoth {
		return "", "", false
	}
	before := ' '
	for i, r := range text {
		if i > 0 && parted(before, r) {
			for _, piece := range [][2]string{{text[:i], text[i:]}, {text[i:], text[:i]}} {
				p, d, read := pinAndDocument(piece[0], piece[1])
				if ok && read && (p != pin || d != document) {
					return "", "", false
				}
				if read {
					pin, document, ok = p, d, true
				}
			}
		}
		before = r
	}
	return pin, document, ok
}

// pinAndDocument reads a personal number in one text and a document's in another, where
// neither has the other's as well.
func pinAndDocument(first, second string) (pin, document string, ok bool) {
	pin, isPIN := parsePIN(first)
	document, isDocument := parseDocument(second)
	_, more := parseDocument(first)
	_, again := parsePIN(second)
	return pin, document, isPIN && isDocument && !more && !again
}

// parted reports that one number may end and another begin between two characters.
func parted(before, after rune) bool {
	inside := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	return !inside(before) || !inside(after) || unicode.IsDigit(before) && unicode.IsLetter(after)
}

// documentRune is one character as documents have it.
func documentRune(r rune) rune {
	r = unicode.ToUpper(r)
	if digit, ok := dialog.Digit(r); ok {
		return rune(digit)
	}
	if latin, ok := lookAlikes[r]; ok {
		return latin
	}
	if unicode.Is(unicode.Cf, r) {
		return -1
	}
	if unicode.IsSpace(r) {
		return ' '
	}
	return r
}

func unparted(r rune) rune {
	if dialog.Parts(r) {
		return -1
	}
	return r
}
