package locales

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// romanised is the BGN/PCGN 1979 romanisation of Kyrgyz (source: the table of the
// United States Board on Geographic Names and the PCGN, 1979 agreement), but й is
// i and the signs are left out, as passports write names (ICAO Doc 9303, part 3):
// "Aigul" and "aiyp" are read without stumbling, "Aygul'" and "ayyp" are not.
var romanised = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "yo", 'ж': "j", 'з': "z", 'и': "i",
	'й': "i", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'ң': "ng", 'о': "o", 'ө': "ö", 'п': "p", 'р': "r",
	'с': "s", 'т': "t", 'у': "u", 'ү': "ü", 'ф': "f", 'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch",
	'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	// Marks outside the GSM alphabet, so that a Latin text stays cheap.
	'«': "\"", '»': "\"", '„': "\"", '“': "\"", '”': "\"", '’': "'", '‘': "'", '–': "-", '—': "-", '−': "-",
	'…': "...", '№': "No", '\u00a0': " ",
}

// Latin transcribes the Cyrillic letters of s; all else stays.
// The result of a Kyrgyz or Russian text lies wholly in the GSM alphabet.
func Latin(s string) string {
	if isASCII(s) {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i, r := range s {
		latin, known := romanised[unicode.ToLower(r)]
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
	if latin == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(latin)
	return string(unicode.ToUpper(first)) + latin[size:]
}

// The personal number is "ПИН" in the Kyrgyz sentences. Letter by letter that would
// be "PIN", the secret of a bank card: in Latin letters it is named in full.
const (
	personalNumber      = "ПИН"
	personalNumberLatin = "jeke nomer"
)

// latinSentence writes a sentence of ours in Latin letters.
func latinSentence(s string) string {
	// Where it only explains "жеке номер" in brackets, nothing is lost without it.
	s = strings.ReplaceAll(s, "("+personalNumber+", ", "(")
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, personalNumber)
		out.WriteString(Latin(before))
		if !found {
			return out.String()
		}
		name := personalNumberLatin
		if before = strings.TrimRight(before, " \n"); before == "" && out.Len() == 0 || strings.HasSuffix(before, ".") {
			name = strings.ToUpper(name[:1]) + name[1:]
		}
		out.WriteString(name)
		s = after
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
