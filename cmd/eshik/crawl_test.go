package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
)

// door is a channel as the crawl walks it.
type door struct {
	channel caller.Channel
	budget  dialog.Budget
}

var doors = []door{{caller.USSD, ussd.DefaultBudget}, {caller.SMS, sms.Budget}}

// languageChoice is each language's number on the screen of languages.
var languageChoice = map[locales.Locale]string{locales.KY: "1", locales.RU: "2", locales.KYLatn: "3"}

// rubbish is typed on every screen. The last one is longer than is taken.
var rubbish = []string{"77", "", "😀", "٣٣", "a*b", "Ыя{}%s", strings.Repeat("ж", 10_000)}

// visitor is one way of answering the questions.
type visitor struct {
	name, phone, pin, document string
}

var visitors = []visitor{
	{"a mother", "+996555000001", "11503198800011", "ID1000001"},
	{"without children", "+996700000002", "22107197900022", "ID1000002"},
	{"with another's card", "+996770000003", "10112199200033", "ID1000001"},
}

// TestCrawl walks every screen, breadth first, in every language and script and
// on both channels, with the real services and the sandbox's registries.
func TestCrawl(t *testing.T) {
	t.Parallel()
	for _, d := range doors {
		for loc := range languageChoice {
			t.Run(string(d.channel)+" "+string(loc), func(t *testing.T) {
				t.Parallel()
				crawlAll(t, d, loc)
			})
		}
	}
}

// crawlAll walks as each citizen, then as the mother whom a place is offered.
func crawlAll(t *testing.T, d door, loc locales.Locale) {
	c := newCrawl(t, d, loc)
	for _, who := range visitors {
		c.walk(who, who.name, false)
	}
	// The way out of an offer is tried both ways: declining first, then, with a
	// second offer, accepting first.
	for i, declining := range []bool{true, false} {
		offered, err := c.app.preschool.Offer(t.Context(), "console", c.registration, c.gardens()[i])
		if err != nil {
			t.Fatalf("offer a place: %v", err)
		}
		t.Logf("offered %s", offered.Number)
		c.walk(visitors[0], "offered "+strconv.FormatBool(declining), declining)
	}
	c.allReached()
	t.Logf("%d turns, %d screens, %d nodes", c.turns, c.screens, len(c.reached))
}

// crawl is the walk in one language over one channel.
type crawl struct {
	t      *testing.T
	door   door
	locale locales.Locale
	app    *app
	world  *outside
	engine *dialog.Engine
	shows  []string // the nodes with a screen

	who      visitor
	phase    string
	reversed bool
	queue    []place
	seen     map[string]bool
	variants map[string]int // expanded so far, by node and page

	turns, screens int
	reached        map[string]bool
	certificate    string
	registration   string
}

// place is a screen to go on from: its state as the session store keeps it.
type place struct {
	state []byte
	text  string
	way   []string // what was typed to come here
	first bool     // of its node and page: there rubbish is typed
}

// maxVariants is how many screens of one node's page are gone on from: lists of
// kindergartens in any order would never end. Every reply is checked.
const maxVariants = 4

// newCrawl wires the app over the sandbox as `eshik serve` does.
func newCrawl(t *testing.T, d door, loc locales.Locale) *crawl {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	config := &Config{
		Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: t.TempDir(),
		XRoadClient: "central-server/GOV/70000099/eshik", PublicURL: "http://127.0.0.1:1",
	}
	must(t, config.ready())
	world, err := startOutside(config, "", config.PublicURL, log)
	must(t, err)
	a, err := build(t.Context(), config, log)
	must(t, err)
	must(t, a.queue.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdown)
		defer cancel()
		must(t, a.close(ctx))
		must(t, world.close(ctx))
	})
	services := []dialog.Service{a.fines.Talk(), a.certificates.Talk(), a.preschool.Talk(), a.identity.Talk()}
	engine, err := dialog.New(a.texts, dialog.Options{Profiles: a.identity, Log: log}, services...)
	must(t, err)
	c := &crawl{t: t, door: d, locale: loc, app: a, world: world, engine: engine, reached: map[string]bool{}}
	c.shows = []string{"door.main", "door.language"}
	for _, service := range services {
		for _, node := range service.Nodes {
			if node.Show != nil {
				c.shows = append(c.shows, node.ID)
			}
		}
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// walk goes from the first screen wherever who can go. In a reversed walk the
// options are tried from the last to the first.
func (c *crawl) walk(who visitor, phase string, reversed bool) {
	c.t.Helper()
	c.who, c.phase, c.reversed = who, phase, reversed
	c.seen, c.variants = map[string]bool{}, map[string]int{}
	c.visit(dialog.NewState(""), dialog.Input{Start: true}, nil)
	if c.door.channel == caller.SMS {
		for _, text := range []string{"айып", "штраф 01KG777AAA", "айып ???", "справка", "текшер " + c.certificate, "кезек " + c.registration, "очередь", "тил", "жардам"} {
			c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: text}, nil)
		}
	}
	for len(c.queue) > 0 {
		at := c.queue[0]
		c.queue = c.queue[1:]
		c.expand(at)
	}
}

// visit takes one turn from st, checks the reply, and queues it when it is new.
func (c *crawl) visit(st *dialog.State, in dialog.Input, way []string) string {
	c.t.Helper()
	c.turns++
	in.Budget = c.door.budget
	by := caller.Caller{
		Phone: c.who.phone, Channel: c.door.channel, Gateway: "crawl", Locale: st.Locale, Now: c.app.now(),
		Turn: c.phase + "/" + strconv.Itoa(c.turns),
	}
	reply, err := c.engine.Next(c.t.Context(), by, st, in)
	if err != nil {
		c.t.Fatalf("%v: %v", way, err)
	}
	c.check(st, reply, way)
	c.reached[st.Node] = true
	page := strings.Join(append([]string{st.Node, strconv.Itoa(st.Page)}, st.Returns...), "|")
	key := page + digit.ReplaceAllString(reply.Text, "#")
	if c.seen[key] {
		return reply.Text
	}
	c.seen[key] = true
	c.screens++
	if c.variants[page]++; reply.End || c.variants[page] > maxVariants {
		return reply.Text
	}
	data := st.Encode()
	c.queue = append(c.queue, place{state: data, text: reply.Text, way: slices.Clone(way), first: c.variants[page] == 1})
	return reply.Text
}

// expand types on a screen all that can be typed, and looks for the way back.
func (c *crawl) expand(at place) {
	c.t.Helper()
	away := false
	first := c.state(at)
	for _, input := range c.inputs(first, at.first) {
		st := c.state(at)
		text := c.visit(st, dialog.Input{Text: input}, append(at.way, short(input)))
		away = away || (input == "0" || input == "00") && text != at.text
	}
	start := first.Node == "door.main" || first.Node == "door.language" && first.Locale == ""
	if !away && !start {
		c.t.Errorf("%s %v: no way back from %q", c.phase, at.way, at.text)
	}
}

func (c *crawl) state(at place) *dialog.State {
	c.t.Helper()
	st, err := dialog.Decode(at.state)
	must(c.t, err)
	return st
}

// inputs are what is typed on st's screen: answers, choices, the way back, more,
// and rubbish if wanted.
func (c *crawl) inputs(st *dialog.State, bad bool) []string {
	var choices []string
	for i := range st.Pages[st.Page].Options {
		choices = append(choices, strconv.Itoa(i+1))
	}
	if c.reversed {
		slices.Reverse(choices)
	}
	if st.Node == "door.language" {
		choices = []string{languageChoice[c.locale]}
	}
	inputs := append(append(c.answers(st.Node), choices...), "9", "0", "00")
	if bad {
		inputs = append(inputs, rubbish...)
	}
	return inputs
}

// answers is the table of what is typed where something is asked for.
func (c *crawl) answers(node string) []string {
	switch node {
	case "fine.plate":
		return []string{"01KG123ABC", "01kg777aaa", "B1234AB", "09KG999ZZZ", "ZZZZ"}
	case "certificate.verify":
		return []string{c.certificate, "ABCD-EFGH-JKM", "K7MN"}
	case "preschool.ask_number":
		return []string{c.registration, "47123456789", "47"}
	case "identity.code":
		return []string{c.code(), "12", "000000"}
	case "identity.pin":
		return []string{c.who.pin, "1234", "12912199900099"}
	case "identity.document":
		return []string{c.who.document, "ID12", "ID9999999"}
	}
	return nil
}

// code is the newest one-time code that reached the phone.
func (c *crawl) code() string {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, text := range c.inbox() {
			if found := oneTime.FindString(text); found != "" {
				return found
			}
		}
	}
	c.t.Fatal("no one-time code reached the phone")
	return ""
}

func (c *crawl) inbox() []string {
	c.t.Helper()
	answer := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(c.t.Context(), "GET", "/sandbox/sms?phone="+url.QueryEscape(c.who.phone), nil)
	request.RemoteAddr, request.Host = "127.0.0.1:1", "127.0.0.1:1"
	c.world.handler().ServeHTTP(answer, request)
	var messages []struct{ Text string }
	must(c.t, json.Unmarshal(answer.Body.Bytes(), &messages))
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = m.Text
	}
	return texts
}

// gardens are two kindergartens of the mother's registration.
func (c *crawl) gardens() []string {
	c.t.Helper()
	found, err := c.app.preschool.Position(c.t.Context(), caller.Caller{Now: c.app.now()}, c.registration)
	must(c.t, err)
	var codes []string
	for _, p := range found.Places {
		codes = append(codes, p.Kindergarten)
	}
	return append(codes, codes...)
}

// What a screen holds, and what it must not.
var (
	digit       = regexp.MustCompile(`\d|[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	oneTime     = regexp.MustCompile(`\b\d{6}\b`)
	placeholder = regexp.MustCompile(`\{[a-z_]*\}|%!`)
	rawKey      = regexp.MustCompile(`\b(problem|fine|certificate|preschool|identity|payment|dialog)\.[a-z_]+`)
	issuedAs    = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	queuedAs    = regexp.MustCompile(`\d{11}`)
)

// check holds a reply to the rules of every screen.
func (c *crawl) check(st *dialog.State, reply dialog.Reply, way []string) {
	c.t.Helper()
	wrong := ""
	switch {
	case !c.door.budget.Fits(reply.Text):
		wrong = "does not fit"
	case strings.TrimSpace(reply.Text) == "":
		wrong = "is empty"
	case slices.Contains(strings.Split(reply.Text, "\n"), ""):
		wrong = "has an empty line"
	case placeholder.MatchString(reply.Text):
		wrong = "has an empty place"
	case rawKey.MatchString(reply.Text):
		wrong = "shows a key"
	case c.locale == locales.KYLatn && st.Node != "door.language" && cyrillic(reply.Text):
		wrong = "has Cyrillic letters"
	}
	if wrong != "" {
		c.t.Errorf("%s %v: the screen of %s %s: %q", c.phase, way, st.Node, wrong, reply.Text)
	}
	if st.Node == "certificate.done" && c.certificate == "" {
		c.certificate = issuedAs.FindString(reply.Text)
	}
	if st.Node == "preschool.done" && c.registration == "" {
		c.registration = queuedAs.FindString(strings.NewReplacer(" ", "", "-", "").Replace(reply.Text))
	}
}

func cyrillic(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
}

// allReached names the screens that nobody came to.
func (c *crawl) allReached() {
	c.t.Helper()
	for _, id := range c.shows {
		if !c.reached[id] {
			c.t.Errorf("nobody came to the screen of %s; reached: %v", id, slices.Sorted(maps.Keys(c.reached)))
		}
	}
}

func short(input string) string {
	if len(input) > 20 {
		return input[:20] + "…"
	}
	return input
}
