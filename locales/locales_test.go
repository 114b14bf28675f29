package locales

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

func load(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load() // fails on a missing key, placeholder or longest value
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParse(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]Locale{
		"ky": KY, "kg": KY, "KG": KY, "ky-KG": KY, "ky_KG": KY, "ru-RU": RU, "ky-Latn": KYLatn, "ky-latn-kg": KYLatn, "en-GB": EN,
	} {
		if got, ok := Parse(tag); !ok || got != want {
			t.Errorf("%q is %q, %v", tag, got, ok)
		}
	}
	for _, tag := range []string{"", "de", "kyrgyz", "x"} {
		if got, ok := Parse(tag); ok {
			t.Errorf("%q is %q", tag, got)
		}
	}
}

func TestPlurals(t *testing.T) {
	t.Parallel()
	m, err := compile(map[string]string{"count": "n", "one": "{n} штраф", "few": "{n} штрафа", "many": "{n} штрафов", "other": "{n} штрафа"})
	if err != nil {
		t.Fatal(err)
	}
	c := &Catalogue{messages: map[Locale]map[string]message{RU: {"x": m}, KY: {}}}
	for n, want := range map[int]string{1: "1 штраф", 2: "2 штрафа", 5: "5 штрафов", 11: "11 штрафов", 21: "21 штраф", 104: "104 штрафа", 0: "0 штрафов"} {
		if got := c.Text(RU, "x", "n", n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestLatin(t *testing.T) {
	t.Parallel()
	for cyrillic, want := range map[string]string{
		"Жалал-Абад": "Jalal-Abad", "Чүй": "Chüi", "Ысык-Көл": "Ysyk-Köl", "жаңы": "jangy", "ЩИТ": "SHCHIT", "Щит": "Shchit",
		"Шаршемби": "Sharshembi", "Айгүл": "Aigül", "айып": "aiyp", "Чоо-жайы": "Choo-jaiy", "Нурай": "Nurai", "район": "raion",
		"Октябрь": "Oktyabr", "ОБЪЕКТ": "OBEKT", "Ьа": "a", "«Бөбөк» №3": "\"Böbök\" No3", "KG 01": "KG 01", "": "",
	} {
		if got := Latin(cyrillic); got != want {
			t.Errorf("%q is %q, not %q", cyrillic, got, want)
		}
	}
}

// TestLatinNamesNoPIN: the personal number is not the secret of a bank card, in
// no sentence and wherever it stands.
func TestLatinNamesNoPIN(t *testing.T) {
	t.Parallel()
	for cyrillic, want := range map[string]string{
		"Жеке номериңизди (ПИН, 14 сан) киргизиңиз": "Jeke nomeringizdi (14 san) kirgizingiz", "ПИН: 14 сан": "Jeke nomer: 14 san",
		"Номер жок. ПИН менен ырастаңыз.": "Nomer jok. Jeke nomer menen yrastangyz.", "Алгач ПИНди киргизиңиз": "Algach jeke nomerdi kirgizingiz",
		"ПИН же ПИН": "Jeke nomer je jeke nomer", "Номер жок.\nПИН": "Nomer jok.\nJeke nomer", "Жооп": "Joop", "": "",
	} {
		if got := latinSentence(cyrillic); got != want {
			t.Errorf("%q is %q, not %q", cyrillic, got, want)
		}
	}
	c := load(t)
	for _, key := range c.Keys() {
		for _, segments := range c.messages[KYLatn][key].wordings() {
			for _, s := range segments {
				if strings.Contains(strings.ToUpper(s.text), "PIN") {
					t.Errorf("%s: %q", key, s.text)
				}
			}
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for a, b := range map[string]string{"ШТРАФ": "штраф", "кезең": "кезен", "Өчүр": "очур", "ёлка": "елка", "Єчїр": "очур"} {
		if Fold(a) != Fold(b) {
			t.Errorf("%q and %q differ", a, b)
		}
	}
}

// wordings are all that m can be written as.
func (m message) wordings() [][]segment {
	return append(slices.Collect(maps.Values(m.forms)), m.short)
}

// TestKyrgyzIsKyrgyz looks for what a hurried translator leaves: Russian letters
// that Kyrgyz words do not have at the ends that give them away, and a suffix
// glued to a placeholder.
func TestKyrgyzIsKyrgyz(t *testing.T) {
	t.Parallel()
	for key, m := range load(t).messages[KY] {
		for _, segments := range m.wordings() {
			for i, s := range segments {
				if s.name == "" && i > 0 && segments[i-1].name != "" {
					first := []rune(s.text)[0]
					if unicode.IsLetter(first) {
						t.Errorf("%q: %q is glued to {%s}", key, s.text, segments[i-1].name)
					}
				}
				for _, word := range strings.Fields(strings.ToLower(s.text)) {
					word = strings.Trim(word, ".,:;!?()«»\"")
					for _, ending := range []string{"ться", "ение", "ость", "ите", "ский"} {
						if strings.HasSuffix(word, ending) && word != "русский" {
							t.Errorf("%q: %q looks Russian", key, word)
						}
					}
				}
			}
		}
	}
}

// TestLatinIsCheap: every Kyrgyz sentence in Latin letters is inside the GSM
// alphabet's letters, so that it is never sent as UCS-2.
func TestLatinHasNoCyrillic(t *testing.T) {
	t.Parallel()
	for key, m := range load(t).messages[KYLatn] {
		for _, segments := range m.wordings() {
			for _, s := range segments {
				for _, r := range s.text {
					if unicode.Is(unicode.Cyrillic, r) {
						t.Errorf("%q keeps %q", key, r)
					}
				}
			}
		}
	}
}

func BenchmarkText(b *testing.B) {
	c, err := Load()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = c.Text(KY, "fine.pay_all", "amount", "1 500")
	}
}

// TestLongestText: a placeholder that is filled with one of our texts takes the longest
// of them, in each language its own, which nobody has to write down again.
func TestLongestText(t *testing.T) {
	t.Parallel()
	file := func(first, second string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("[\"a.said\"]\ntext = \"{work}\"\n[\"work.sew\"]\ntext = \"" + first + "\"\n[\"work.carry\"]\ntext = \"" + second + "\"\n")}
	}
	c, err := Load(fstest.MapFS{
		"ky/a.toml": file("Тигүү", "Жүк ташуу"), "ru/a.toml": file("Пошив одежды", "Извоз"), "en/a.toml": file("Sewing", "Transport"),
		"placeholders.toml": {Data: []byte("work = {texts = \"work.\"}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for loc, want := range map[Locale]string{KY: "Жүк ташуу", RU: "Пошив одежды", EN: "Transport", KYLatn: "Jük tashuu"} {
		if got := c.Text(loc, "a.said", c.LongestArgs(loc, "a.said")...); got != want {
			t.Errorf("in %s the longest is %q, not %q", loc, got, want)
		}
	}
}

// TestMoreFolders: further texts are held to the same rules as our own.
func TestMoreFolders(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	folder := func(ky, ru, en, placeholders string) fstest.MapFS {
		return fstest.MapFS{"ky/a.toml": file(ky), "ru/a.toml": file(ru), "en/a.toml": file(en), "placeholders.toml": file(placeholders)}
	}
	const entry = "[\"a.b\"]\ntext = \"Иш: {work}\"\n"
	c, err := Load(folder(entry, entry, entry, "work = \"Тигүү\""))
	if err != nil || c.Text(KYLatn, "a.b", "work", "Тигүү") != "Ish: Tigüü" || c.Longest(KY, "work") != "Тигүү" || !c.Has("dialog.back") {
		t.Errorf("%v", err)
	}
	for want, bad := range map[string]fstest.MapFS{
		`ru lacks "a.b"`:            folder(entry, "", entry, "work = \"Тигүү\""),
		"placeholders.toml lacks {": folder(entry, entry, entry, ""),
		`"plate" is there twice`:    folder(entry, entry, entry, "work = \"Тигүү\"\nplate = \"01\""),
		"is in two files":           folder("[\"dialog.back\"]\ntext = \"Кайтуу\"\n", "", "", ""),
		"the longest value is":      folder(entry, entry, entry, "work = {text = \"a.\"}"),
		"and there are none":        folder(entry, entry, entry, "work = {texts = \"b.\"}"),
		`"a.b" has placeholders`:    folder(entry, entry, entry, "work = {texts = \"a.\"}"),
	} {
		if _, err := Load(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
