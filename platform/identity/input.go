package identity

import (
	"regexp"
	"strings"
	"unicode"
)

// asciiDigits drops what people put between digits and writes the decimal digits
// of any script as ASCII; "" when anything else is left.
func asciiDigits(text string) string {
	var out strings.Builder
	for _, r := range strip(text) {
		digit, ok := decimal(r)
		if !ok {
			return ""
		}
		out.WriteByte(digit)
	}
	return out.String()
}

// decimal gives the ASCII form of a decimal digit of any script. Unicode keeps
// the ten digits of a script together, in order, from zero.
func decimal(r rune) (byte, bool) {
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	zero := r
	for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
		zero--
	}
	return byte('0' + (r - zero)), true
}

// strip drops spaces, dots and dashes and signs that a phone adds.
func strip(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(".,#№", r) {
			return -1
		}
		return r
	}, text)
}

// pinLength is that of a personal number. No check digit is known: nothing else
// is tested. Source: domain facts, "People, phones, plates".
const pinLength = 14

func parsePIN(text string) (string, bool) {
	pin := asciiDigits(text)
	return pin, len(pin) == pinLength
}

// documentForm is an ID-card's (ID1234567) or a passport's (AN1234567) number.
var documentForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{7}$`)

// lookAlikes are Cyrillic capitals with the form of a Latin one, and И and Д,
// which stand for the letters of "ID" on a phone without Latin.
var lookAlikes = map[rune]rune{
	'А': 'A', 'В': 'B', 'Е': 'E', 'К': 'K', 'М': 'M', 'Н': 'H', 'О': 'O', 'Р': 'P', 'С': 'C', 'Т': 'T', 'У': 'Y', 'Х': 'X',
	'І': 'I', 'И': 'I', 'Д': 'D',
}

// parseDocument reads the number of an ID-card or passport as people type it:
// in small or Cyrillic letters, with spaces, or the digits alone of an ID-card.
func parseDocument(text string) (string, bool) {
	var out strings.Builder
	for _, r := range strip(text) {
		r = unicode.ToUpper(r)
		if digit, ok := decimal(r); ok {
			r = rune(digit)
		} else if latin, ok := lookAlikes[r]; ok {
			r = latin
		}
		out.WriteRune(r)
	}
	document := out.String()
	if len(document) == 7 {
		document = "ID" + document
	}
	return document, documentForm.MatchString(document)
}
