package staff

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/problem"
)

// ErrReason says that a reason is missing or cannot be kept.
var ErrReason = problem.New(problem.Invalid, "problem.staff_reason")

var (
	// document is an identity document's number: a series and seven digits.
	document = regexp.MustCompile(`(?i)(ID|AN)\d{7}($|\D)`)
	// mobile is a number as it is said in the country, with or without its 0:
	// a code of the networks (or one that they may get) and six digits.
	mobile = regexp.MustCompile(`(^|\D)0?(2[02]|5[0-7]|7[0-9]|88|99)\d{7}($|\D)`)
)

// checkReason refuses what says nothing, and what names a person: the audit log is kept for
// good, and more people read it than may see personal numbers.
func checkReason(reason string) error {
	n := utf8.RuneCountInString(reason)
	if n < 3 || n > 200 || !utf8.ValidString(reason) || strings.ContainsFunc(reason, unseen) || !strings.ContainsFunc(reason, isWord) {
		return ErrReason
	}
	if NamesPerson(reason) {
		return ErrReason
	}
	return nil
}

// NamesPerson reports that a text holds what may be a personal number, a phone's or a
// document's.
func NamesPerson(text string) bool {
	text = bare(text)
	n := longestNumber(text)
	return n >= 14 || n >= 12 && strings.Contains(text, "996") || mobile.MatchString(text) || document.MatchString(text)
}

// alike are letters that are read as the ASCII character they stand beside.
var alike = strings.NewReplacer("О", "O", "о", "o", "İ", "I", "І", "I", "і", "I", "ı", "I", "И", "I", "и", "I", "Д", "D", "д", "D", "А", "A", "а", "A", "Н", "N", "н", "N")

// unseen reports what nobody sees and what turns a text round for who reads it: whoever approves
// reads what the log will keep.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// bare is a text without what people put between the digits of a number, and without what
// nobody sees.
func bare(text string) string {
	return alike.Replace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return digit(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Pd, r), strings.ContainsRune("._()/\\|", r):
			return -1
		}
		return r
	}, text))
}

// digit is any script's digit as an ASCII one; a range of Unicode's begins with its nought.
func digit(r rune) rune {
	zero := r
	for unicode.IsDigit(zero-1) && r-zero < 9 {
		zero--
	}
	return '0' + r - zero
}

// longestNumber is how many digits of a bare text follow each other. An O among them is
// a 0 of which somebody hoped that nobody counts it.
func longestNumber(text string) (longest int) {
	run := 0
	for _, r := range text {
		run++
		if (r < '0' || r > '9') && (run == 1 || r != 'O' && r != 'o') {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
