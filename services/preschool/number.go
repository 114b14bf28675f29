package preschool

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"strings"
	"unicode"
)

// A registration number is 11 digits: 47, eight drawn at random, and a check
// digit by Luhn (ISO/IEC 7812-1, annex B), which finds every single mistyped
// digit and most swapped neighbours. It tells nothing about the child.
const (
	numberPrefix = "47"
	numberRandom = 100_000_000
	numberLength = 11
)

// newNumber draws a registration number.
func newNumber(random io.Reader) (string, error) {
	n, err := rand.Int(random, big.NewInt(numberRandom))
	if err != nil {
		return "", fmt.Errorf("draw a registration number: %w", err)
	}
	body := fmt.Sprintf("%s%08d", numberPrefix, n)
	return body + string(luhn(body)), nil
}

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
	if len(number) != numberLength || !strings.HasPrefix(number, numberPrefix) {
		return "", false
	}
	return number, luhn(number[:numberLength-1]) == number[numberLength-1]
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

// luhn is the check digit of digits.
func luhn(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return '0' + byte((10-sum%10)%10)
}
