package flowcheck

import (
	_ "embed" // the page's template
	"errors"
	"fmt"
	htmltemplate "html/template"
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/locales"
)

// question is what the translators' guide asks a native speaker.
type question struct {
	About string // the texts or the word, as the guide names them
	Used  string // the Kyrgyz in question
	Text  string
}

// questions are those of the guide: by the key that they are about, and those
// about none.
type questions struct {
	of      map[string][]question
	general []question
}

// What the guide says where a native speaker's part begins, and around the tables
// about texts.
const (
	askedFrom  = "\n## For a native speaker\n"
	textsBegin = "<!-- texts:begin -->"
	textsEnd   = "<!-- texts:end -->"
)

var keyLike = regexp.MustCompile(`^[a-z]+\.[a-z0-9_]+$`)

// readQuestions reads the tables of the guide's part for a native speaker, and what
// else is asked between the marks. A table's columns are the texts (or a Russian
// word), the Kyrgyz as used, and the question. A key that no text has is an error.
func readQuestions(guide string, texts *locales.Catalogue) (*questions, error) {
	_, part, asked := strings.Cut(guide, askedFrom)
	words, rest, begun := strings.Cut(part, textsBegin)
	marked, _, ended := strings.Cut(rest, textsEnd)
	if !asked || !begun || !ended {
		return nil, fmt.Errorf("there is no part %q with %s and %s", strings.TrimSpace(askedFrom), textsBegin, textsEnd)
	}
	all := &questions{of: map[string][]question{}}
	var faults []error
	for _, block := range strings.Split(words+"\n\n"+marked, "\n\n") {
		block = strings.TrimSpace(block)
		switch {
		case strings.HasPrefix(block, "|"):
			faults = append(faults, all.table(block, texts))
		case block != "" && !strings.HasPrefix(block, "#") && strings.Contains(marked, block):
			all.general = append(all.general, question{Text: strings.ReplaceAll(block, "\n", " ")})
		}
	}
	return all, errors.Join(faults...)
}

// table reads the rows under a table's head.
func (q *questions) table(block string, texts *locales.Catalogue) error {
	var faults []error
	for i, line := range strings.Split(block, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if i < 2 { // the head, and the line under it
			continue
		}
		if len(cells) != 3 {
			faults = append(faults, fmt.Errorf("a row of %d cells: %s", len(cells), line))
			continue
		}
		one := question{strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])}
		found := false
		for name := range strings.SplitSeq(one.About, ",") {
			switch name = strings.TrimSpace(name); {
			case texts.Has(name):
				q.of[name] = append(q.of[name], one)
				found = true
			case keyLike.MatchString(name):
				faults = append(faults, fmt.Errorf("no text has the key %s", name))
			}
		}
		if !found {
			q.general = append(q.general, one)
		}
	}
	return errors.Join(faults...)
}

//go:embed texts.html
var textPageSource string

// textPage writes the sections as one page that asks for nothing else.
func textPage(sections []textSection) (string, error) {
	page, err := htmltemplate.New("texts").Parse(textPageSource)
	if err != nil {
		return "", fmt.Errorf("the page's template: %w", err)
	}
	total := 0
	for _, s := range sections {
		total += len(s.Rows)
	}
	var out strings.Builder
	if err := page.Execute(&out, map[string]any{"Sections": sections, "Total": total}); err != nil {
		return "", fmt.Errorf("the page of texts: %w", err)
	}
	return out.String(), nil
}
