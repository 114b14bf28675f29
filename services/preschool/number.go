package preschool

import (
	"io"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/platform/luhn"
)

// A registration number tells nothing about the child.
const (
	numberPrefix = "47"
	numberLength = luhn.Length
)

// newNumber draws a registration number.
func newNumber(random io.Reader) (string, error) { return luhn.Draw(random, numberPrefix) }

// ParseNumber reads a registration number as people type it, with spaces,
// hyphens, a number sign, digits of another script, or the letter O for a nought, and
// reports whether it can be one.
func ParseNumber(typed string) (string, bool) {
	var digits strings.Builder
	for _, r := range typed {
		value, isDigit := digit(r)
		if strings.ContainsRune(lettersO, r) {
			value, isDigit = 0, true
		}
		switch {
		case isDigit && digits.Len() < numberLength:
			digits.WriteByte('0' + value)
		case isDigit || !separates(r):
			return "", false
		}
	}
	number := digits.String()
	return number, luhn.Valid(number, numberPrefix)
}

// lettersO are the letters, Latin and Cyrillic, that are typed for a nought.
const lettersO = "OoОо"

// separates reports a mark that people put between or before the digits.
func separates(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '№' || r == '#' || r == '.'
}

// zeros are the noughts of the digits that phones here can type: ASCII, Arabic,
// Persian, and the wide ones of Asian keyboards.
var zeros = [...]rune{'0', '\u0660', '\u06f0', '\uff10'}

// digit is the value of a typed digit.
func digit(r rune) (byte, bool) {
	for _, zero := range zeros {
		if r >= zero && r <= zero+9 {
			return byte(r - zero), true
		}
	}
	return 0, false
}
