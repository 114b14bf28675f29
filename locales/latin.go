package locales

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// bgnPCGN is the BGN/PCGN 1979 romanisation of Kyrgyz. Source: the table of the
// United States Board on Geographic Names and the PCGN, 1979 agreement.
var bgnPCGN = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "j", 'з': "z", 'и': "i",
	'й': "y", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'ң': "ng", 'о': "o", 'ө': "ö", 'п': "p", 'р': "r",
	'с': "s", 'т': "t", 'у': "u", 'ү': "ü", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch",
	'ъ': "\"", 'ы': "y", 'ь': "'", 'э': "e", 'ю': "yu", 'я': "ya",
	// Marks outside the GSM alphabet, so that a Latin text stays cheap.
	'«': "\"", '»': "\"", '„': "\"", '“': "\"", '”': "\"", '’': "'", '‘': "'", '–': "-", '—': "-", '−': "-",
	'…': "...", '№': "No", '\u00a0': " ",
}

// Latin transcribes the Cyrillic letters of s by BGN/PCGN 1979; all else stays.
// The result of a Kyrgyz or Russian text lies wholly in the GSM alphabet.
func Latin(s string) string {
	if isASCII(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i, r := range s {
		latin, known := bgnPCGN[unicode.ToLower(r)]
		switch {
		case !known:
			out.WriteRune(r)
		case unicode.IsUpper(r):
			out.WriteString(capital(latin, s[i+utf8.RuneLen(r):]))
		default:
			out.WriteString(latin)
		}
	}
	return out.String()
}

// capital writes a transcription for a capital letter: "Sh" before small
// letters, "SH" before another capital.
func capital(latin, rest string) string {
	next, _ := utf8.DecodeRuneInString(rest)
	if unicode.IsUpper(next) {
		return strings.ToUpper(latin)
	}
	first, size := utf8.DecodeRuneInString(latin)
	return string(unicode.ToUpper(first)) + latin[size:]
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
