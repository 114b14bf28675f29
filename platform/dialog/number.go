package dialog

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestAround bounds the text in which a number is looked for, in characters: the
// message that brought it, with a few words. A longer one is about something else.
const longestAround = 100

// Numbers are the numbers of n digits among the words of a short text ("мой код
// 639-499"), each once, in ASCII digits. A number is written together or parted by
// spaces, dots, commas and dashes; digits right behind one or two letters belong to
// something else, an ID-card or a plate.
func Numbers(text string, n int) []string {
	if utf8.RuneCountInString(text) > longestAround {
		return nil
	}
	var found []string
	for _, number := range numbers(text) {
		if len(number) == n && !slices.Contains(found, number) {
			found = append(found, number)
		}
	}
	return found
}

// numbers are all the numbers of a text.
func numbers(text string) []string {
	var list []string
	var number strings.Builder
	letters := 0 // right before
	for _, r := range text {
		digit, isDigit := Digit(r)
		switch {
		case isDigit && number.Len() == 0 && (letters == 1 || letters == 2):
		case isDigit:
			number.WriteByte(digit)
			letters = 0
		case unicode.Is(unicode.Cf, r), number.Len() > 0 && Parts(r):
		default:
			if number.Len() > 0 {
				list = append(list, number.String())
				number.Reset()
			}
			if letters++; !unicode.IsLetter(r) {
				letters = 0
			}
		}
	}
	if number.Len() > 0 {
		list = append(list, number.String())
	}
	return list
}

// Parts reports a mark that people and their phones put between the digits of one
// number.
func Parts(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(".,#№", r)
}

// Digit gives the ASCII form of a decimal digit of any script.
func Digit(r rune) (byte, bool) {
	if r < utf8.RuneSelf {
		return byte(r), r >= '0' && r <= '9'
	}
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	zero := r // Unicode keeps decimal digits in runs of ten, zero first
	for unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return byte('0' + (r-zero)%10), true
}
