package flowcheck

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
)

// sight is one screen in each of the languages that are read side by side.
type sight struct {
	node  string
	views map[locales.Locale]dialog.View
}

// sights are the screens that show each node's sentences, in the order in which
// the nodes are declared.
type sights struct {
	texts  *locales.Catalogue
	engine *dialog.Engine
	budget dialog.Budget
	nodes  []string
	list   []sight
}

// lookAtScreens walks in Kyrgyz over USSD and keeps, of each node, the screens that
// say something which no screen of it said before. The other languages are laid
// out from the same states.
func lookAtScreens(ctx context.Context) (*sights, error) {
	seen := &sights{budget: channels[0].budget}
	said := map[string]bool{}
	look := func(c *crawl, by caller.Caller, st *dialog.State) error {
		views := map[locales.Locale]dialog.View{}
		for _, loc := range readIn {
			view, err := c.view(by, st, loc)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(view.Keys, func(key string) bool { return !said[st.Node+" "+key] }) {
				return nil // each language says the same
			}
			views[loc] = view
		}
		for _, key := range views[locales.KY].Keys {
			said[st.Node+" "+key] = true
		}
		seen.list = append(seen.list, sight{st.Node, views})
		return nil
	}
	c, err := crawlAll(ctx, channels[0], locales.KY, planted{look: look})
	if err != nil {
		return nil, err
	}
	seen.texts, seen.engine, seen.nodes = c.app.Texts, c.engine, c.shows
	slices.SortStableFunc(seen.list, func(a, b sight) int { return slices.Index(seen.nodes, a.node) - slices.Index(seen.nodes, b.node) })
	return seen, nil
}

// view lays the present screen out in another language than the conversation's. Before a
// language is chosen there is none other.
func (c *crawl) view(by caller.Caller, st *dialog.State, loc locales.Locale) (dialog.View, error) {
	other, err := dialog.Decode(st.Encode())
	if err != nil {
		return dialog.View{}, err
	}
	if other.Locale != "" {
		other.Locale, by.Locale = loc, loc
	}
	view, err := c.engine.View(c.ctx, by, other, c.channel.budget)
	if err != nil {
		return view, fmt.Errorf("%s in %s: %w", st.Node, loc, err)
	}
	return view, nil
}

// textSection is a heading of the page with the rows under it.
type textSection struct {
	ID, Title string
	Rows      []textRow
}

// textRow is what is marked at once: a screen, a message or another text.
type textRow struct {
	ID        string // of its mark: another text is another row
	Title     string
	Keys      []string
	Questions []question
	Texts     []textColumn
}

// textColumn is a row in one language.
type textColumn struct {
	Lang, Name string
	Pages      []string // as it is read
	Wordings   []string // what each page is called; nil: nothing
	Longest    []string // with the longest values; nil where that is the same
	Length     string
	Over       bool // it takes more than it may
}

// column begins that of a language. A language that is not named is that of ky.
func column(loc locales.Locale, pages, longest []string) textColumn {
	name := map[locales.Locale]string{locales.KY: "Кыргызча", locales.RU: "Русский", locales.KYLatn: "Kyrgyzcha"}[loc]
	c := textColumn{Lang: string(loc), Name: name, Pages: pages, Longest: longest}
	if slices.Equal(pages, longest) {
		c.Longest = nil
	}
	return c
}

// textSections are all rows of the page: what no screen shows is in a later
// section, so that every key occurs.
func textSections(seen *sights, asked *questions) []textSection {
	b := &rowBuilder{sights: seen, asked: asked, shown: map[string]bool{}}
	for _, node := range seen.nodes {
		service, _, _ := strings.Cut(node, ".")
		if service == "menu" { // the engine's own
			service = "dialog"
		}
		if !slices.Contains(b.services, service) {
			b.services = append(b.services, service)
		}
	}
	sections := []textSection{
		{"screens", "Экраны / screens", b.screens()},
		{"messages", "SMS", b.each(seen.texts.Messages(), b.message)},
	}
	wrong, other := []string{}, []string{}
	for _, key := range seen.texts.Keys() {
		switch {
		case b.shown[key]:
		case errorText(key):
			wrong = append(wrong, key)
		default:
			other = append(other, key)
		}
	}
	return append(sections,
		textSection{"errors", "Ошибки / errors", b.each(wrong, b.sentence)},
		textSection{"others", "Остальное / other texts", b.each(other, b.sentence)},
		textSection{"words", "Слова и общие вопросы / words and questions about all texts", b.words()},
	)
}

// rowBuilder makes the rows and remembers which keys they show.
type rowBuilder struct {
	*sights
	asked    *questions
	services []string
	shown    map[string]bool
}

// row finishes one: what is asked about its keys, and the id of its mark.
func (b *rowBuilder) row(title string, keys []string, columns ...textColumn) textRow {
	r := textRow{Title: title, Keys: keys, Texts: columns}
	sum := fnv.New64a()
	_, _ = fmt.Fprint(sum, title, keys)
	if len(columns) > 0 { // the values of the moment do not count
		_, _ = fmt.Fprint(sum, cmp.Or(strings.Join(columns[0].Longest, "\n"), strings.Join(columns[0].Pages, "\n")))
	}
	for _, key := range keys {
		b.shown[key] = true
		for _, q := range b.asked.of[key] {
			if !slices.Contains(r.Questions, q) {
				r.Questions = append(r.Questions, q)
			}
		}
	}
	r.ID = fmt.Sprintf("t%016x", sum.Sum64())
	return r
}

func (b *rowBuilder) screens() []textRow {
	var rows []textRow
	for _, s := range b.list {
		var columns []textColumn
		for _, loc := range readIn {
			view := s.views[loc]
			c := column(loc, view.Pages, view.Longest)
			c.Length, c.Over = screenLength(view.Longest, b.budget)
			columns = append(columns, c)
		}
		rows = append(rows, b.row(s.node, s.views[locales.KY].Keys, columns...))
	}
	return rows
}

func (b *rowBuilder) each(keys []string, make func(string) textRow) []textRow {
	var rows []textRow
	for _, key := range byService(keys, b.services) {
		rows = append(rows, make(key))
	}
	return rows
}

// message shows both wordings, and measures the one that is sent.
func (b *rowBuilder) message(key string) textRow {
	var columns []textColumn
	for _, loc := range readIn {
		full, short := template(b.texts, loc, key)
		longFull, longShort := b.texts.Message(loc, key, b.texts.LongestArgs(loc, key)...)
		pages, longest, wording := []string{full}, []string{longFull}, ""
		var names []string
		chosen := gsm.Pick(longFull, longShort)
		if short != "" {
			pages, longest, wording = append(pages, short), append(longest, longShort), "full is sent, "
			names = []string{"full", "short"}
			if chosen != longFull {
				wording = "short is sent, "
			}
		}
		c := column(loc, pages, longest)
		c.Wordings = names
		size := gsm.Measure(chosen)
		c.Length = fmt.Sprintf("%s%d of %d SMS parts, %d %s", wording, size.Parts, b.texts.Bound(key), size.Units, unit(size.Encoding))
		c.Over = size.Parts > b.texts.Bound(key)
		columns = append(columns, c)
	}
	return b.row("", []string{key}, columns...)
}

// sentence shows a text alone. Of a conversation it is measured as a screen of its own,
// with the way back.
func (b *rowBuilder) sentence(key string) textRow {
	var columns []textColumn
	for _, loc := range readIn {
		longest := longestText(b.texts, loc, key)
		c := column(loc, wordings(b.texts, loc, key), []string{longest})
		switch {
		case strings.HasPrefix(key, "problem."):
			pages, err := b.engine.WorstProblem(caller.Caller{Channel: caller.USSD, Locale: loc}, key, b.budget)
			if err != nil { // the crawl proved that it is none
				c.Length, c.Over = err.Error(), true
				break
			}
			c.Length, c.Over = screenLength(pages, b.budget)
		case slices.Contains(b.services, serviceOf(key, b.services)) && !strings.Contains(key, ".pdf_"):
			c.Length, _ = screenLength([]string{longest}, b.budget)
		default:
			size := gsm.Measure(longest)
			c.Length = fmt.Sprintf("%d %s, no limit", size.Units, unit(size.Encoding))
		}
		columns = append(columns, c)
	}
	return b.row("", []string{key}, columns...)
}

// words are the rows of the guide that are about no key.
func (b *rowBuilder) words() []textRow {
	var rows []textRow
	for _, q := range b.asked.general {
		var columns []textColumn
		if q.Used != "" {
			columns = append(columns, column(locales.KY, []string{q.Used}, nil), column(locales.KYLatn, []string{locales.Latin(q.Used)}, nil))
		}
		row := b.row(cmp.Or(q.About, q.Text), nil, columns...)
		row.Title = q.About
		q.Used = "" // it stands in its column
		row.Questions = []question{q}
		rows = append(rows, row)
	}
	return rows
}

// screenLength is the number of pages and the size of the longest against what a
// screen holds.
func screenLength(pages []string, budget dialog.Budget) (length string, over bool) {
	var most, limit int
	var counted string
	for _, page := range pages {
		n, of, in := gsm.Units(page), budget.Units, "units"
		if septets, inside := gsm.Septets(page); inside {
			n, of, in = septets, budget.Septets, "septets"
		}
		if over = over || n > of; limit == 0 || n*limit > most*of {
			most, limit, counted = n, of, in
		}
	}
	form := "pages"
	if len(pages) == 1 {
		form = "page"
	}
	return fmt.Sprintf("%d %s, the longest %d/%d %s", len(pages), form, most, limit, counted), over
}

func unit(encoding gsm.Encoding) string {
	if encoding == gsm.GSM7 {
		return "septets"
	}
	return "units"
}
