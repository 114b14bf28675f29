package locales

import (
	"strings"
	"unicode"
)

// plains maps what people type instead of Kyrgyz letters, on a phone that lacks
// them, on a neighbour's keyboard or in an old font, to one letter for
// comparing. Source: domain facts, translit.csv column fold_for_match.
var plains = map[rune]string{
	'ө': "о", 'ү': "у", 'ң': "н", 'ё': "е", 'є': "о", 'ї': "у", 'ъ': "", 'ь': "",
	'ұ': "у", 'қ': "к", 'ғ': "г", 'һ': "х", 'і': "и", 'ә': "а",
	'ö': "o", 'ü': "u", 'ñ': "n", 'ŋ': "n", 'ş': "sh", 'ç': "ch", 'ı': "i", 'ğ': "g", '\'': "", '’': "", '`': "",
}

// lookAlikes maps Latin letters to the Cyrillic ones of the same shape, which a
// phone with two keyboards leaves in the middle of a word.
var lookAlikes = map[rune]rune{
	'a': 'а', 'b': 'в', 'c': 'с', 'e': 'е', 'h': 'н', 'k': 'к', 'm': 'м', 'o': 'о', 'p': 'р', 't': 'т', 'x': 'х', 'y': 'у',
}

// habits brings the ways to write Kyrgyz and Russian in Latin letters to one:
// zh and j, kh, x and h, sch and sh, y and i. The longer ones come first.
var habits = strings.NewReplacer(
	"shch", "sh", "sch", "sh", "zh", "j", "dj", "j", "kh", "h", "ts", "c", "ng", "n", "x", "h", "w", "sh", "q", "k", "y", "i",
)

// Plain is a typed word in lower case, without the letters that many phones
// lack and, where it has Cyrillic letters, without Latin look-alikes.
func Plain(s string) string {
	s = strings.ToLower(s)
	mixed := strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
	var out strings.Builder
	for _, r := range s {
		if mixed {
			if same, known := lookAlikes[r]; known {
				r = same
			}
		}
		if plain, known := plains[r]; known {
			out.WriteString(plain)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// Fold brings a typed word to the form that commands are compared in, the same
// for both scripts: "айып", "aiyp" and "AYIP" are one word.
func Fold(s string) string {
	latin := habits.Replace(Latin(Plain(s)))
	var out strings.Builder
	last := rune(0)
	for _, r := range latin {
		if r != 'i' || last != 'i' { // й and ы are both i: "ayyp" has as many as "aiyp" or "ayp"
			out.WriteRune(r)
		}
		last = r
	}
	return out.String()
}
