package locales

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// twin is a second word for a thing that has one already (locales/twins.csv).
type twin struct {
	locale Locale
	word   string
	twin   []string // its words
}

// twins reads the list. A field holds several twins, parted by ";"; one may be
// several words, and a word with "!" behind it is meant in this form alone.
func twins(t *testing.T) []twin {
	t.Helper()
	file, err := os.Open("twins.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []twin
	for _, row := range rows[1:] {
		for one := range strings.SplitSeq(row[2], ";") {
			if list = append(list, twin{Locale(row[0]), row[1], words(one)}); len(words(one)) == 0 || row[1] == "" || row[3] == "" {
				t.Fatalf("an empty field in %q", row)
			}
		}
	}
	return list
}

// words are the words of a text in lower case, apostrophes and hyphens in them.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !strings.ContainsRune("'’-!", r)
	})
}

// longestEnding is how much a word may have behind it and still be the word: the
// possessive and case endings of Kyrgyz and Russian have six letters at most.
const longestEnding = 6

// is reports whether a word of a text is one of the list, with an ending: what the
// two begin with alike is all of the listed one but a vowel at its end.
func is(word, listed string) bool {
	word = strings.TrimRight(word, "!")
	if exact, alone := strings.CutSuffix(listed, "!"); alone {
		return word == exact
	}
	stem := listed
	if runes := []rune(listed); len(runes) > 4 && strings.ContainsRune("аеиоуыэюяөүьй", runes[len(runes)-1]) {
		stem = string(runes[:len(runes)-1])
	}
	rest, begins := strings.CutPrefix(word, stem)
	return begins && len([]rune(rest)) <= longestEnding
}

// says reports whether text says the twin, in any of its forms.
func (w twin) says(text string) bool {
	said := words(text)
	for i := range len(said) - len(w.twin) + 1 {
		if slices.EqualFunc(said[i:i+len(w.twin)], w.twin, is) {
			return true
		}
	}
	return false
}

// TestOneWordForOneThing: what has a word has no other one, in no text of the
// language and in no form.
func TestOneWordForOneThing(t *testing.T) {
	t.Parallel()
	c := load(t)
	for _, w := range twins(t) {
		if c.messages[w.locale] == nil {
			t.Errorf("no language %q", w.locale)
		}
		for key, m := range c.messages[w.locale] {
			for _, segments := range m.wordings() {
				for _, s := range segments {
					if s.name == "" && w.says(s.text) {
						t.Errorf("%s, %s: %q: it says %q for %q", key, w.locale, s.text, strings.Join(w.twin, " "), w.word)
					}
				}
			}
		}
	}
}

// TestGlossaryHasNoTwins: the glossary recommends no word that the texts must not
// say.
func TestGlossaryHasNoTwins(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../docs/guides/glossary.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) < 100 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for _, w := range twins(t) {
			said := map[Locale]string{RU: row[1], KY: row[2]}[w.locale]
			if row[0] != "svc.price" && w.says(said) { // a price is no sum of a fine
				t.Errorf("%s: %q says %q for %q", row[0], said, strings.Join(w.twin, " "), w.word)
			}
		}
	}
}

// TestTwinsAreFound: the test above can fail, by a form and by words in a row, and
// another word that begins alike is none.
func TestTwinsAreFound(t *testing.T) {
	t.Parallel()
	for text, found := range map[string]bool{
		"Кабарлар токтоду": true, "кабарды күтүңүз": true, "Билдирүүлөр токтоду": false, "Билдирүүнү кабыл алуу": false,
		"Бир аздан соң териңиз": true, "андан соң": false, "Кайра аракет кылыңыз": true, "Калган аракет: 3": false,
		"Суроо-талап туура эмес": true, "Введите код платежа": true, "Кода платежа нет": true, "Код оплаты": false, "Такого платежа нет": false,
		"Служба обновилась": true, "служебный": false, "Сервисы": true, "Услугу закрыли": false, "The registry is slow": true,
		"registries": true, "registered": false, "Register a child": false, "SMS'тен": true, "SMSтен": false, "цену": true, "ценный": false, "": false,
	} {
		got := slices.ContainsFunc(twins(t), func(w twin) bool { return w.says(text) })
		if got != found {
			t.Errorf("%q: found is %v", text, got)
		}
	}
}
