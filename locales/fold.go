package locales

import (
	"strings"
	"unicode"
)

// folds maps what people type instead of Kyrgyz letters, on a phone that lacks
// them or in an old font, to one letter for comparing. Source: domain facts,
// translit.csv column fold_for_match.
var folds = map[rune]string{
	'ө': "о", 'ү': "у", 'ң': "н", 'ё': "е", 'є': "о", 'ї': "у", 'ъ': "", 'ь': "",
}

// Fold brings a typed word to the form that commands and searches are compared
// in: lower case, without the letters that many phones lack.
func Fold(s string) string {
	var out strings.Builder
	for _, r := range s {
		r = unicode.ToLower(r)
		if plain, known := folds[r]; known {
			out.WriteString(plain)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}
