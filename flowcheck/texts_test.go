package flowcheck

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/docs/guides"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// element is what a test needs to know of one of the page's.
type element struct {
	name  string
	attrs map[string]string
	text  string // its own
}

// elements reads the page, which is written as XML too, so that a tag that is not
// closed or a quote too many is an error. What scripts and styles hold is left out.
func elements(t *testing.T, page string) (all []*element) {
	t.Helper()
	raw := regexp.MustCompile(`(?s)(<(?:script|style)>).*?(</(?:script|style)>)`)
	read := xml.NewDecoder(strings.NewReader(raw.ReplaceAllString(page, "$1$2")))
	read.Entity = xml.HTMLEntity
	var open []*element
	for {
		token, err := read.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		testworld.OK(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(token)
			}
		}
	}
}

// TestTextPage (issue 10, part 3): every key of the catalogue is on the page, with
// the text of a key that no screen shows; it reads as a page; each control has a
// label; and nothing leads out of it.
func TestTextPage(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	written, err := TextPage(t.Context(), guides.Translators)
	testworld.OK(t, err)
	page := []byte(written)
	keys, ids, said, asked := map[string]int{}, map[string]bool{}, []string{}, 0
	alone := map[string]bool{} // the keys that have a row of their own
	told := []string{}         // the languages of the instructions; the page's own is ky
	for _, e := range elements(t, written) {
		for _, name := range []string{"src", "action", "srcset", "data", "xlink:href"} {
			if e.attrs[name] != "" {
				t.Errorf("<%s> asks for %s=%q", e.name, name, e.attrs[name])
			}
		}
		if e.name == "link" || e.attrs["href"] != "" && !strings.HasPrefix(e.attrs["href"], "#") {
			t.Errorf("<%s> leads to %q", e.name, e.attrs["href"])
		}
		if id := e.attrs["id"]; id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
		switch {
		case e.attrs["class"] == "row":
			for key := range strings.FieldsSeq(e.attrs["data-keys"]) {
				keys[key]++
				alone[key] = alone[key] || e.attrs["data-title"] == ""
			}
			if e.attrs["data-question"] != "" {
				asked++
			}
		case e.attrs["class"] == "lead":
			told = append(told, e.attrs["lang"])
		case e.name == "html" && e.attrs["lang"] != "ky":
			t.Errorf("the page's language is %q", e.attrs["lang"])
		case e.attrs["class"] == "said":
			said = append(said, e.text)
		case strings.Contains(e.attrs["class"], "over"):
			t.Errorf("too long: %s", e.text)
		}
	}
	for _, key := range texts.Keys() {
		if keys[key] == 0 {
			t.Errorf("%s is not on the page", key)
		}
		for _, loc := range readIn {
			for _, wording := range wordings(texts, loc, key) {
				if alone[key] && !slices.Contains(said, wording) {
					t.Errorf("%s in %s is not to be read: %q", key, loc, wording)
				}
			}
		}
	}
	if !slices.Equal(told, []string{"", "ru", "en"}) {
		t.Errorf("the instructions are in %q", told)
	}
	if asked < 60 || len(keys) != len(texts.Keys()) {
		t.Errorf("%d rows have questions, %d keys, want %d", asked, len(keys), len(texts.Keys()))
	}
	if found := regexp.MustCompile(`(?i)(href|src)\s*=\s*["']?\s*(https?:)?//|[^A-Za-z]url\(|@import|fetch\(|XMLHttpRequest|sendBeacon`).Find(page); found != nil {
		t.Errorf("the page has %q", found)
	}
	if labels, inputs := bytes.Count(page, []byte("<label")), bytes.Count(page, []byte("<input"))+bytes.Count(page, []byte("<select")); labels != inputs {
		t.Errorf("%d labels for %d inputs", labels, inputs)
	}
}

// TestTextPageEscapes: what a text holds is shown, and never run.
func TestTextPageEscapes(t *testing.T) {
	t.Parallel()
	evil := `</p><script>alert("x")</script>'"&lt;`
	column := textColumn{Lang: `ky" onclick="x`, Name: evil, Pages: []string{evil}, Longest: []string{evil}, Length: evil}
	page, err := textPage([]textSection{{"one", evil, []textRow{{
		ID: "t1", Title: evil, Keys: []string{evil}, Questions: []question{{evil, evil, evil}}, Texts: []textColumn{column},
	}}}})
	testworld.OK(t, err)
	clean, err := textPage([]textSection{{"one", "", []textRow{{ID: "t1", Texts: []textColumn{{Lang: "ky"}}}}}})
	testworld.OK(t, err)
	if n, want := strings.Count(page, "<script"), strings.Count(clean, "<script"); n != want {
		t.Errorf("%d scripts, want %d", n, want)
	}
	shown := 0
	for _, e := range elements(t, page) {
		if e.attrs["onclick"] != "" {
			t.Errorf("<%s> got an attribute from a text", e.name)
		}
		if strings.Contains(e.text, evil) {
			shown++
		}
	}
	if shown < 7 { // heading, title, key, question, name, two pages, length
		t.Errorf("the text is shown %d times as it is", shown)
	}
}

// TestTextLengths are those of platform/gsm, against the budget of the channel.
func TestTextLengths(t *testing.T) {
	t.Parallel()
	budget := channels[0].budget
	for _, row := range []struct {
		pages []string
		want  string
		over  bool
	}{
		{[]string{strings.Repeat("ө", 80)}, "1 page, the longest 80/80 units", false},
		{[]string{strings.Repeat("ө", 81)}, "1 page, the longest 81/80 units", true},
		{[]string{"Айып 😀"}, "1 page, the longest 7/80 units", false},
		{[]string{strings.Repeat("a", 180) + "["}, "1 page, the longest 182/182 septets", false},
		{[]string{strings.Repeat("a", 181) + "["}, "1 page, the longest 183/182 septets", true},
		{[]string{strings.Repeat("a", 100), strings.Repeat("ж", 70), "ж"}, "3 pages, the longest 70/80 units", false},
		{[]string{strings.Repeat("a", 170), strings.Repeat("ж", 70)}, "2 pages, the longest 170/182 septets", false},
		{[]string{strings.Repeat("ж", 81), "ж"}, "2 pages, the longest 81/80 units", true},
	} {
		if got, over := screenLength(row.pages, budget); got != row.want || over != row.over {
			t.Errorf("%q: %s, %v; want %s, %v", row.pages, got, over, row.want, row.over)
		}
	}
	texts, err := locales.Load()
	testworld.OK(t, err)
	b := &rowBuilder{sights: &sights{texts: texts, budget: budget}, asked: &questions{}, shown: map[string]bool{}}
	for _, key := range texts.Messages() {
		for i, got := range b.message(key).Texts {
			size := gsm.Measure(gsm.Pick(texts.Message(readIn[i], key, texts.LongestArgs(readIn[i], key)...)))
			if want := fmt.Sprintf("%d of %d SMS parts, %d ", size.Parts, texts.Bound(key), size.Units); !strings.Contains(got.Length, want) {
				t.Errorf("%s in %s: %q lacks %q", key, readIn[i], got.Length, want)
			}
		}
	}
}

// TestTextTable: without --html each key has a line of four cells, and a message
// with a short wording one more.
func TestTextTable(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	table, err := TextTable()
	testworld.OK(t, err)
	lines := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(table, "\n"), "\n") {
		key, rest, _ := strings.Cut(line, "\t")
		if lines[key] = rest; strings.Count(rest, "\t") != 2 || strings.Contains(rest, "\t\t") {
			t.Errorf("not four cells: %q", line)
		}
	}
	for _, key := range texts.Keys() {
		if lines[key] == "" {
			t.Errorf("no line of %s", key)
		}
	}
	for key, want := range map[string]string{
		"key":                        "ky\tru\tky-Latn",
		"fine.clean":                 "{plate}: айып пул жок\t",
		"fine.ask_plate":             `Унаанын номерин киргизиңиз\n(01KG123ABC)` + "\t",
		"preschool.sms_offer, short": "Сизге орун: {kindergarten}. ",
		"fine.list":                  "{plate}: {n} айып\t{plate}: 1 штраф | {plate}: 2 штрафа | {plate}: 5 штрафов\t",
	} {
		if !strings.HasPrefix(lines[key], want) {
			t.Errorf("%s: %q, want %q", key, lines[key], want)
		}
	}
}

// TestReadQuestions: a question is found at each key that it is about, one about
// none is kept, and a guide that asks about what is gone is refused.
func TestReadQuestions(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	guide := func(rows string) string {
		return "# Guide\n\n| a | b | c |\n|---|---|---|\n| not | asked | here |\n" + askedFrom + "\nStrike a row.\n\n" +
			"| Russian | Kyrgyz | note |\n|---|---|---|\n| Сирота | Жетим | |\n\n" + textsBegin + "\n| texts | Kyrgyz | question |\n|---|---|---|\n" +
			rows + "\nRead\nit whole.\n" + textsEnd + "\n\nNot asked.\n"
	}
	q, err := readQuestions(guide("| fine.list, payment.due, short | {n} айып | short? |\n| SMS words | АЙЫП | first words |\n"), texts)
	testworld.OK(t, err)
	want := question{"fine.list, payment.due, short", "{n} айып", "short?"}
	if len(q.of) != 2 || !slices.Equal(q.of["fine.list"], []question{want}) || !slices.Equal(q.of["payment.due"], []question{want}) {
		t.Errorf("of keys: %+v", q.of)
	}
	general := []question{{"Сирота", "Жетим", ""}, {"SMS words", "АЙЫП", "first words"}, {"", "", "Read it whole."}}
	if !slices.Equal(q.general, general) {
		t.Errorf("of none: %+v, want %+v", q.general, general)
	}
	for broken, complaint := range map[string]string{
		"":                                 "there is no part",
		guide("| fine.gone | x | y |\n"):   "no text has the key fine.gone",
		guide("| fine.list | too few |\n"): "a row of 2 cells",
		strings.Replace(guide(""), textsEnd, "", 1): "there is no part",
	} {
		if _, err := readQuestions(broken, texts); err == nil || !strings.Contains(err.Error(), complaint) {
			t.Errorf("%q gave %v, want %q", broken, err, complaint)
		}
	}
}
