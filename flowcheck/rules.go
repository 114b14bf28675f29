package flowcheck

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
)

// What a screen holds, and what it must not.
var (
	digit       = regexp.MustCompile(`\d|[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	oneTime     = regexp.MustCompile(`\b\d{6}\b`)
	placeholder = regexp.MustCompile(`\{[a-z_]*\}|%!`)
	rawKey      = regexp.MustCompile(`\b([a-z]+)\.[a-z_]+`)
	shownPlace  = regexp.MustCompile(`\{[a-z_.]+\}`)
)

// check holds a reply to the rules of every screen.
func (c *crawl) check(st *dialog.State, reply dialog.Reply, way []string) {
	if wrong := c.wrong(st, reply); wrong != "" {
		c.fault("%s %v: the screen of %s %s: %q", c.phase, way, st.Node, wrong, reply.Text)
	}
	c.note(st.Node, reply.Text)
}

// wrong says what is wrong with a screen, if anything is.
func (c *crawl) wrong(st *dialog.State, reply dialog.Reply) string {
	switch {
	case !c.channel.budget.Fits(reply.Text):
		return "does not fit"
	case strings.TrimSpace(reply.Text) == "":
		return "is empty"
	case slices.Contains(strings.Split(reply.Text, "\n"), ""):
		return "has an empty line"
	case placeholder.MatchString(reply.Text):
		return "has an empty place"
	case c.showsKey(reply.Text):
		return "shows a key"
	case c.locale == locales.KYLatn && st.Node != "menu.language" && cyrillic(reply.Text):
		return "has Cyrillic letters"
	}
	return c.stuck(st, reply)
}

// showsKey reports a text's key in place of the text: a name of a part of the locale
// files, a dot, and a word.
func (c *crawl) showsKey(text string) bool {
	return slices.ContainsFunc(rawKey.FindAllStringSubmatch(text, -1), func(match []string) bool { return c.parts[match[1]] })
}

// stuck says how a screen leads nowhere.
func (c *crawl) stuck(st *dialog.State, reply dialog.Reply) string {
	if reply.End && (st.Ask != dialog.AskNothing || slices.ContainsFunc(st.Pages, func(p dialog.Page) bool { return len(p.Options) > 0 })) {
		return "ends the conversation, yet offers to go on"
	}
	if node, ours := c.nodes[st.Node]; ours && st.Ask != dialog.AskNothing && node.Answer == nil {
		return "asks, and takes no answer"
	}
	if c.app != nil && strings.HasPrefix(reply.Text, c.app.Texts.Text(c.locale, "dialog.restarted")) {
		return "is where a way to a node ends that does not exist"
	}
	return ""
}

// forgotten checks that what was typed where something secret was asked for is
// neither in the state nor on the screen.
func (c *crawl) forgotten(st *dialog.State, reply dialog.Reply, typed string, way []string) {
	if len(typed) < 6 { // a choice; shorter than all that is secret
		return
	}
	if strings.Contains(string(st.Encode()), typed) || strings.Contains(reply.Text, typed) {
		c.fault("%s %v: what was typed there is kept or shown at %s", c.phase, way[:len(way)-1], st.Node)
	}
}

func cyrillic(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
}

// prove lays the screen out with the longest values of its sentences.
func (c *crawl) prove(by caller.Caller, st *dialog.State, reply dialog.Reply, way []string) {
	pages, err := c.engine.Worst(c.ctx, by, st, c.channel.budget)
	if err != nil {
		if !errors.Is(err, dialog.ErrUndeclared) {
			c.must(err)
		}
		c.fault("%s %v: on the screen of %s %v", c.phase, way, st.Node, err)
	}
	c.pages[st.Node] = max(c.pages[st.Node], len(pages))
	c.messages[st.Node] = max(c.messages[st.Node], partsOf(pages))
	if len(pages) > MaxPages {
		c.fault("%s %v: with the longest values %s takes %d pages, more than %d", c.phase, way, st.Node, len(pages), MaxPages)
	}
	c.longest = max(c.longest, len([]rune(reply.Text)))
	for _, text := range pages {
		if !c.channel.budget.Fits(text) {
			c.fault("%s %v: with the longest values %s does not fit: %q", c.phase, way, st.Node, text)
		}
		c.longest = max(c.longest, len([]rune(text)))
	}
}

// proveProblems lays out every sentence about a problem: many come only when
// something outside is broken.
func (c *crawl) proveProblems() {
	for _, key := range c.app.Texts.Keys() {
		if !strings.HasPrefix(key, "problem.") {
			continue
		}
		pages, err := c.engine.WorstProblem(caller.Caller{Channel: c.channel.of, Locale: c.locale}, key, c.channel.budget)
		c.must(err)
		if !slices.ContainsFunc(pages, func(text string) bool { return !c.channel.budget.Fits(text) }) && len(pages) <= MaxPages {
			c.problems++
			continue
		}
		c.fault("with the longest values %s takes %d pages, or one does not fit", key, len(pages))
	}
}

// partsOf is how many parts of SMS pages are.
func partsOf(pages []string) (n int) {
	for _, text := range pages {
		n += gsm.Measure(text).Parts
	}
	return n
}

// allReached names the screens and the actions that nobody came to.
func (c *crawl) allReached() {
	const add = "no option, no word, no answer of Rehearsal.Typed and no text of Rehearsal.Texted of the module %s led there: add one, or an Act after which one does"
	for _, id := range c.shows {
		if !c.reached[id] {
			c.fault("nobody came to the screen of %s: "+add, id, serviceOfNode(id))
		}
	}
	drawn := c.drawn()
	for id := range c.actions {
		if _, ours := c.nodes[id]; ours && !drawn[id] {
			c.fault("nobody came to the action %s: "+add, id, serviceOfNode(id))
		}
	}
}

// serviceOfNode is the service, or the part of the platform, that a node is of.
func serviceOfNode(id string) string {
	service, _, _ := strings.Cut(id, ".")
	return service
}

// rehearsed finds where a walk ended as no module says what is typed there, what one says
// of nodes that are not there, and what it looks for on screens that never show it.
func (c *crawl) rehearsed() {
	for _, id := range slices.Sorted(maps.Keys(c.asked)) {
		if !c.known(id) {
			c.fault("the node %s asks, and nothing is known to be typed there: add answers, right and wrong, to Rehearsal.Typed[%q] of the module %s",
				id, id, serviceOfNode(id))
		}
	}
	for _, m := range c.app.Modules {
		for _, id := range slices.Concat(slices.Collect(maps.Keys(m.Rehearsal.Typed)), slices.Collect(maps.Keys(m.Rehearsal.Shown))) {
			if _, there := c.nodes[id]; !there {
				c.fault("the module %s has %s in its Rehearsal, and no such node", m.Name, id)
			}
		}
		for id, pattern := range m.Rehearsal.Shown {
			if c.found[id] == "" {
				c.fault("no screen of %s showed what Rehearsal.Shown of the module %s looks for there: %s", id, m.Name, pattern)
			}
		}
	}
}
