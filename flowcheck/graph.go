package flowcheck

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// edge is a way from one node to another.
type edge struct{ from, to string }

// typed labels a way that an answer leads, not a choice.
const typed = "…"

// trace notes where an input on the screen of at led.
func (c *crawl) trace(at *dialog.State, input, to string) {
	page := at.Pages[at.Page]
	chosen := slices.Index(numbers(page), input)
	if chosen < 0 {
		if slices.Contains(c.answers(at.Node), input) && to != at.Node {
			c.way(edge{at.Node, to}, typed)
		}
		return
	}
	next := page.Options[chosen]
	label := ""
	for line := range strings.SplitSeq(page.Text, "\n") {
		if text, found := strings.CutPrefix(line, input+" "); found {
			label = digit.ReplaceAllString(text, "#")
		}
	}
	if next.Node == "" {
		return
	}
	c.way(edge{at.Node, next.Node}, label)
	if c.actions[next.Node] && to != "menu.problem" {
		c.way(edge{next.Node, to}, "")
	}
	if next.Then != "" {
		c.way(edge{next.Node, next.Then}, "")
	}
}

// numbers are what is typed for a page's options.
func numbers(page dialog.Page) []string {
	typed := make([]string, len(page.Options))
	for i := range typed {
		typed[i] = page.Number(i)
	}
	return typed
}

// way keeps one label of each way: of several (a list of fines) the first in
// order.
func (c *crawl) way(e edge, label string) {
	if e.to == "menu.problem" || e.to == "menu.main" {
		return // every screen leads there
	}
	if known, has := c.edges[e]; !has || label < known {
		c.edges[e] = label
	}
}

// drawnIn are the languages in which the pages of a screen are listed.
var drawnIn = []locales.Locale{locales.KY, locales.RU}

// document is docs/flows.md: the ways of the first walk, and the pages of all: over USSD,
// then by SMS, each in the languages of drawnIn.
func document(walks []*crawl) string {
	return walks[0].drawing() + pagesOf(walks)
}

// drawing are the screens and the ways between them.
func (c *crawl) drawing() string {
	var out strings.Builder
	out.WriteString("# Flows\n\nWritten by `make flows` from a walk through every screen (`eshik flows graph`); do not edit. A box is a screen, a rounded\n" +
		"one an action; \"…\" is an answer that is typed. From every screen 0 leads back and 00 to the main menu, which is not drawn.\n\n" +
		"```mermaid\nflowchart LR\n")
	nodes := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(c.drawn())) {
		service, _, _ := strings.Cut(id, ".")
		nodes[service] = append(nodes[service], id)
	}
	for _, service := range slices.Sorted(maps.Keys(nodes)) {
		fmt.Fprintf(&out, "  subgraph %s\n", service)
		for _, id := range nodes[service] {
			open, shut := "[", "]"
			if c.actions[id] {
				open, shut = "([", "])"
			}
			fmt.Fprintf(&out, "    %s%s\"%s\"%s\n", name(id), open, id, shut)
		}
		out.WriteString("  end\n")
	}
	for _, e := range slices.SortedFunc(maps.Keys(c.edges), func(a, b edge) int {
		return strings.Compare(a.from+" "+a.to, b.from+" "+b.to)
	}) {
		arrow := "-->"
		if label := c.edges[e]; label != "" {
			arrow = "-->|\"" + strings.NewReplacer("\"", "'", "|", "/").Replace(label) + "\"|"
		}
		fmt.Fprintf(&out, "  %s %s %s\n", name(e.from), arrow, name(e.to))
	}
	out.WriteString("```\n")
	return out.String()
}

// pagesOf lists how each screen is divided at its longest, so that a text that makes one
// page or one part more is seen in the change.
func pagesOf(walks []*crawl) string {
	var out strings.Builder
	out.WriteString("\n## Pages\n\nHow each screen is divided with the longest values: over USSD into pages, by SMS into parts; \"5 of 2\" are five parts of\n" +
		"two messages, of which the second comes when it is asked for.\n\n| screen |")
	screens := map[string]bool{}
	for _, w := range walks {
		fmt.Fprintf(&out, " %s, %s |", w.channel.Name, w.locale)
		for id := range w.pages {
			screens[id] = true
		}
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(walks)) + "\n")
	for _, id := range slices.Sorted(maps.Keys(screens)) {
		fmt.Fprintf(&out, "| %s |", id)
		for _, w := range walks {
			fmt.Fprintf(&out, " %s |", w.divided(id))
		}
		out.WriteString("\n")
	}
	return out.String()
}

// divided says how a node's screen is divided; a dash where nobody came to it.
func (c *crawl) divided(id string) string {
	switch pages := c.pages[id]; {
	case pages == 0:
		return "–"
	case c.channel.of != caller.SMS:
		return strconv.Itoa(pages)
	case pages == 1:
		return strconv.Itoa(c.messages[id])
	default:
		return fmt.Sprintf("%d of %d", c.messages[id], pages)
	}
}

// drawn are the nodes that some way touches.
func (c *crawl) drawn() map[string]bool {
	all := map[string]bool{}
	for e := range c.edges {
		all[e.from], all[e.to] = true, true
	}
	return all
}

// name is a node's id as Mermaid takes it.
func name(id string) string { return strings.ReplaceAll(id, ".", "_") }

// mostPaged is the node with the most pages at its worst.
func (c *crawl) mostPaged() (most int, node string) {
	for _, id := range slices.Sorted(maps.Keys(c.pages)) {
		if c.pages[id] > most {
			most, node = c.pages[id], id
		}
	}
	return most, node
}

// shown is how many of the screens were reached.
func (c *crawl) shown() (n int) {
	for _, id := range c.shows {
		if c.reached[id] {
			n++
		}
	}
	return n
}
