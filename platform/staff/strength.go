package staff

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/slowhash"
)

// The refusals of a password that an officer chooses. There are no rules on what it is made
// of: length and what guessers try first decide. Source: NIST SP 800-63B-4, 3.1.1.2.
var (
	ErrShort  = problem.New(problem.Invalid, "problem.staff_password_short")
	ErrLong   = problem.New(problem.Invalid, "problem.staff_password_long")
	ErrCommon = problem.New(problem.Invalid, "problem.staff_password_common")
	ErrNamed  = problem.New(problem.Invalid, "problem.staff_password_named")
)

// shortest is how many characters a password has at least, and own how many of them must
// be none of the names that everybody knows.
const (
	shortest = 12
	own      = 8
)

// commonTXT are passwords that were found in breaches: those of 12 characters and more as
// they are, and the words of others, which people lengthen by digits and signs.
// Source: the list of M. Burnett's ten million, as zxcvbn counts it.
//
//go:embed common.txt
var commonTXT string

var common = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for word := range strings.SplitSeq(strings.TrimSpace(commonTXT), "\n") {
		known[word] = true
	}
	return known
})

// houseNames are what a guesser of our accounts tries first: ASVS 5.0, 6.1.2.
var houseNames = []string{
	"eshik", "эшик", "tunduk", "түндүк", "тундук", "bishkek", "бишкек", "kyrgyzstan", "кыргызстан", "kyrgyz", "кыргыз", "manas", "манас",
	"password", "пароль", "сырсөз", "operator", "inspector", "administrator", "admin", "clerk", "kindergarten",
}

// checkPassword refuses a password that is guessed too easily; names are the account's own.
func checkPassword(password string, names ...string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case n < shortest:
		return ErrShort
	case len(password) > slowhash.Longest, !utf8.ValidString(password), strings.ContainsFunc(password, unicode.IsControl):
		return ErrLong
	}
	lower := strings.ToLower(password)
	switch {
	case isCommon(lower), isPattern([]rune(lower)):
		return ErrCommon
	case !hasOwn(lower, names):
		return ErrNamed
	}
	return nil
}

// isCommon reports that a password was found in breaches, or is such a word with digits and
// signs around it, or twice.
func isCommon(lower string) bool {
	core := strings.TrimFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) })
	half := core[:len(core)/2]
	return common()[lower] || common()[core] || half+half == core && common()[half]
}

// isPattern reports that a password is of three characters at most, repeats a few, or counts
// up or down all the way.
func isPattern(text []rune) bool {
	kinds, up, down := map[rune]bool{}, 0, 0
	for i, r := range text {
		kinds[r] = true
		if i > 0 && r == text[i-1]+1 {
			up++
		} else if i > 0 && r == text[i-1]-1 {
			down++
		}
	}
	if len(kinds) <= 3 || max(up, down) >= len(text)-2 {
		return true
	}
	for period := 1; period <= 4; period++ {
		if repeats(text, period) {
			return true
		}
	}
	return false
}

func repeats(text []rune, period int) bool {
	for i := period; i < len(text); i++ {
		if text[i] != text[i-period] {
			return false
		}
	}
	return true
}

// hasOwn reports that enough of a password is left without the names that everybody knows.
func hasOwn(lower string, names []string) bool {
	for _, list := range [][]string{names, houseNames} {
		for _, name := range list {
			if utf8.RuneCountInString(name) >= 3 {
				lower = strings.ReplaceAll(lower, strings.ToLower(name), "")
			}
		}
	}
	return utf8.RuneCountInString(lower) >= own
}
