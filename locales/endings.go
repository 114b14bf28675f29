package locales

import (
	"regexp"
	"strings"
)

// The endings of the three languages, as Fold writes them (ө and о are one letter,
// and so are ү and у, ы, и and й). They follow the order that the grammar has them
// in, so that "айыптарымды" is "айып" and "айбан", an animal, is not: in Kyrgyz
// plural, possessive, case, question; a case without a consonant of its own
// ("айыбыма") only behind a possessive.
const (
	many       = `[ldt][aeo]r`
	whose      = `(?:im|um|in|un|i|u|ibiz|ubuz|iniz|unuz|[iu]n[aeo]r)` // behind a consonant
	whoseVowel = `(?:m|n|si|su|biz|buz|niz|nuz|n[aeo]r)`               // behind a vowel
	cases      = `(?:[ndt](?:in|un|i|u)|[gk][aeo]|[dt][aeo](?:n|g[iu])?)`
	casesOwn   = `(?:[aeo]|n|n[aeo]n?|nd[aeo]n?|` + cases + `)` // behind a possessive
	question   = `(?:[bp][iu])?`

	owned      = whose + casesOwn + `?`
	ownedVowel = whoseVowel + casesOwn + `?`
	afterWord  = `(?:` + many + `(?:` + owned + `|` + cases + `)?|` + owned + `|` + cases + `)?` + question
	afterVowel = `(?:` + many + `(?:` + owned + `|` + cases + `)?|` + ownedVowel + `|` + cases + `)?` + question

	// Kyrgyz verbs: the noun ("текшерүү"), the polite request ("текшериңиз",
	// "токтотуңузчу", "текшерсеңиз"), "текшерип", the past, the wish ("төлөйм",
	// "төлөгүм").
	politely  = `(?:ch[iu])?`
	verbWord  = `(?:uu|oo)` + cases + `?|[iu]n[iu]z` + politely + `|[iu]n[iu]zdar|[iu]p|[dt][iu](?:m|k|n|niz|nuz)?|ch[iu]|[gk][iu]l[ae]|s[aeo](?:m|n|niz|nuz|k)?` + politely + `|[aeo](?:m|li|lu|iin|ibiz)|[aeo]r(?:ga|ge|go)?|[gk][iu]m|[iu]sh(?:u|i)?`
	verbVowel = `(?:u|o)` + cases + `?|n[iu]z` + politely + `|n[iu]zdar|p|[dt][iu](?:m|k|n|niz|nuz)?|ch[iu]|[gk][iu]l[ae]|s[aeo](?:m|n|niz|nuz|k)?` + politely + `|i(?:m|li|lu|iin|biz|t)|r(?:ga|ge|go)?|[gk][iu]m|sh(?:u|i)?`

	// Russian nouns and adjectives, then verbs, behind what never changes.
	nouns = `a|u|e|i|o|iu|ia|om|em|oi|ei|oiu|eiu|ov|ev|am|iam|ami|iami|ah|iah|ie|ogo|ego|omu|emu|im|ih|imi|uiu|aia|oe`
	verbs = `it|at|et|iat|ite|te|iai|ai|aite|iaite|aiu|iaiu|ish|il|ila|ili|al|ala|ali|ial|iali|esh|ut|iut|ti|ka|enie|eniia`

	english = `s|es|ed|ing`
)

// kind is how a root goes on.
type kind int

const (
	whole kind = iota // a word as it stands in the list
	soft              // one whose last letter became voiced: "айыб-", "кезег-"
	cut               // a Russian one without its ending: "справк-", "провер-"
)

var (
	wordEndings  = endings(afterWord, verbWord, nouns, english)
	vowelEndings = endings(afterVowel, verbVowel, english)
	softEndings  = endings(owned+question, `i|e|ei|u|a|[iu]p|[iu]n[iu]z`)
	cutEndings   = endings(nouns, verbs)
)

func endings(lists ...string) *regexp.Regexp {
	return regexp.MustCompile(`^(?:` + strings.Join(lists, `|`) + `)$`)
}

// goesOn reports that a form of the root ends so.
func (k kind) goesOn(root, ending string) bool {
	switch {
	case k == soft:
		return softEndings.MatchString(ending)
	case k == cut:
		return ending == "" || cutEndings.MatchString(ending)
	case endsInVowel(root):
		return vowelEndings.MatchString(ending)
	}
	return wordEndings.MatchString(ending)
}

func endsInVowel(folded string) bool {
	return folded != "" && strings.IndexByte("aeiou", folded[len(folded)-1]) >= 0
}

// minRoot is the fewest letters of a command that has forms, and minCut of a root
// without its ending or of an everyday word: what is shorter begins too many words.
const (
	minRoot = 3
	minCut  = 4
)

// root is the beginning of some words.
type root struct {
	text string
	kind kind
}

// roots are what the forms of a folded word begin with.
func roots(folded string) []root {
	all := []root{{folded, whole}}
	if n := len(folded); n > minRoot-1 {
		if voiced, hard := map[byte]string{'p': "b", 'k': "g", 't': "d"}[folded[n-1]]; hard {
			all = append(all, root{folded[:n-1] + voiced, soft})
		}
	}
	for _, ending := range []string{"iat", "it", "at", "et", "ia", "a", "e", "o"} {
		if short, cuts := strings.CutSuffix(folded, ending); cuts && len(short) >= minCut {
			return append(all, root{short, cut})
		}
	}
	return all
}

// heard is a folded word as it sounds: its last consonant without voice ("кезег" is
// "кезек", "штрав" is "штраф"), and no letter twice ("айыпп").
func heard(folded string) string {
	out := make([]byte, 0, len(folded))
	for i := range len(folded) {
		if i == 0 || folded[i] != folded[i-1] {
			out = append(out, folded[i])
		}
	}
	if n := len(out); n > 2 {
		if hard, voiced := map[byte]byte{'b': 'p', 'g': 'k', 'v': 'f', 'd': 't', 'z': 's'}[out[n-1]]; voiced {
			out[n-1] = hard
		}
	}
	return string(out)
}
