package flowcheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/module"
)

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
	{onAnothersNumber, "+996555000004", "10305195900044", "ID1000004"},
}

const onAnothersNumber = "on another's number"

// engineNext is dialog.Engine.Next.
type engineNext func(context.Context, caller.Caller, *dialog.State, dialog.Input) (dialog.Reply, error)

// planted is what is done on a walk beside walking: faults that a test puts in to
// see them found, and a look at every new screen.
type planted struct {
	look     func(*crawl, caller.Caller, *dialog.State) error
	services []dialog.Flow               // beside our own
	modules  []module.Constructor        // the same, with what is typed there
	texts    []fs.FS                     // of these
	engine   func(engineNext) engineNext // around the engine; nil: as it is
	turns    int                         // most of a walk; nought: maxTurns
}

// crawlAll walks as each citizen, then as the first one after each act of the services.
func crawlAll(ctx context.Context, d Channel, loc locales.Locale, faults planted) (c *crawl, err error) {
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case crawlStop:
			err = fmt.Errorf("%s %s: %w", d.Name, loc, fault.error)
		default:
			panic(fault)
		}
	}()
	if c, err = newCrawl(ctx, d, loc, faults); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, who := range visitors {
		c.walk(who, who.name, "")
	}
	c.askSecret()
	for _, m := range c.app.Modules {
		for _, act := range m.Rehearsal.Acts {
			if err := act.Do(ctx, c.found); err != nil {
				c.must(fmt.Errorf("the act %q of the module %s: %w", act.Name, m.Name, err))
			}
			c.walk(visitors[0], act.Name, act.Avoid)
		}
	}
	c.askWhom()
	c.rehearsed()
	c.allReached()
	c.proveProblems()
	return c, nil
}

// askSecret has the first visitor come back with a secret, whom the phone has forgotten: on the
// walk it depends on what was chosen before whether one stands.
func (c *crawl) askSecret() {
	c.who = visitors[0]
	by := caller.Caller{Phone: c.who.phone, Channel: c.channel.of, Locale: c.locale, Now: c.app.Clock(), Key: "secret"}
	// A code that waits would be asked for first; typed, it removes the secret there was.
	_, err := c.app.Identity.ProveByCode(c.ctx, by, c.enrolment())
	c.must(err)
	c.must(c.app.Identity.SetSecret(c.ctx, by, "", rehearsedSecret))
	c.must(c.app.Identity.Forget(c.ctx, by))
	c.proved, c.strong = false, false
	c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: "сырсөз"}, nil)
	c.queue = nil
}

// askWhom has the first visitor's phone, which another shares, be told of phones of both: then the
// word that blocks one says of neither which is meant.
func (c *crawl) askWhom() {
	shared, others := visitors[0].phone, []string{"+996555000091", "+996555000092"}
	for i, who := range visitors[:2] {
		for _, phone := range []string{shared, others[i]} {
			c.who = visitor{phone: phone, pin: who.pin, document: who.document}
			by := caller.Caller{Phone: phone, Channel: c.channel.of, Locale: c.locale, Now: c.app.Clock(), Key: "whom"}
			_, err := c.app.Identity.ProveByCode(c.ctx, by, c.enrolment())
			c.must(err)
		}
	}
	c.who = visitors[0]
	c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: "блок"}, nil)
	c.queue = nil
}

// rehearsedSecret is that of whoever sets one on a walk.
const rehearsedSecret = "7301962"

// crawlStop ends a crawl that cannot go on.
type crawlStop struct{ error }

func (c *crawl) must(err error) {
	if err != nil {
		panic(crawlStop{err})
	}
}

// fault notes something that is wrong with a flow.
func (c *crawl) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf("%s %s: ", c.channel.Name, c.locale)+fmt.Sprintf(format, args...))
}

// crawl is the walk in one language over one channel.
type crawl struct {
	ctx     context.Context //nolint:containedctx // a crawl is one call
	folder  string
	faults  []string
	channel Channel
	locale  locales.Locale
	app     *app.App
	engine  *dialog.Engine
	next    engineNext
	look    func(*crawl, caller.Caller, *dialog.State) error // at every new screen; nil: none
	nodes   map[string]dialog.Node                           // of the services
	shows   []string                                         // the nodes with a screen

	who      visitor
	proved   bool // at some screen of this walk
	strong   bool // the same
	phase    string
	avoided  string // a node that is not chosen
	queue    []place
	seen     map[string]bool
	variants map[string]int  // expanded so far, by node and page
	deep     map[string]bool // the nodes that were too many keys away

	turns, screens int
	mostTurns      int
	taken          map[string]int // turns on each node's screens
	problems       int            // sentences about problems that were proved
	longest        int            // characters of the longest page met
	pages          map[string]int // of each node at its worst
	messages       map[string]int // the parts of those pages, where they leave by SMS
	edges          map[edge]string
	actions        map[string]bool
	reached        map[string]bool
	asked          map[string]bool   // the nodes that asked for something, and take an answer
	parts          map[string]bool   // of the locale files, by the first word of a key
	found          map[string]string // what screens showed that is typed later, by node
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

// maxDepth is how many keys away a screen may be: the real ones are half as far.
const maxDepth = 60

// maxTurns ends a walk that would go on for ever; ours takes a seventh of it.
const maxTurns = 50_000

// walk goes from the first screen wherever who can go without choosing the node
// that is avoided.
func (c *crawl) walk(who visitor, phase, avoided string) {
	c.who, c.proved, c.strong, c.phase, c.avoided = who, false, false, phase, avoided
	c.seen, c.variants = map[string]bool{}, map[string]int{}
	unknown := locales.Locale("")
	if c.locale == locales.EN {
		unknown = locales.EN
	}
	c.visit(dialog.NewState(unknown), dialog.Input{Start: true}, nil)
	// What has no way in but its word: see identity.Undo.
	c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: "бөгөт 0000"}, nil)
	c.way(edge{"menu.main", "identity.undo"}, typed)
	c.way(edge{"identity.undo", "identity.undone"}, "")
	c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: "чыгуу"}, nil) // so has this: see identity.Forget
	for _, word := range []struct{ text, node string }{{"телефонумду жоготтум", "identity.lost"}, {"оператор", "identity.operator"}, {"код оператора", "identity.enrol"}} {
		c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: word.text}, nil)
		c.way(edge{"menu.main", word.node}, typed)
	}
	c.way(edge{"menu.main", "identity.forget"}, typed)
	c.way(edge{"identity.forget", "identity.forgotten"}, "")
	if c.channel.of == caller.SMS {
		for _, text := range c.texted() {
			c.visit(dialog.NewState(c.locale), dialog.Input{Start: true, Text: text}, nil)
		}
	}
	for len(c.queue) > 0 {
		at := c.queue[0]
		c.queue = c.queue[1:]
		c.expand(at)
		if at.first {
			c.breakOff(at)
		}
	}
}

// breakOff leaves a conversation and comes back: what is worth continuing is offered,
// and goes on.
func (c *crawl) breakOff(at place) {
	earlier := c.engine.Dropped(c.state(at))
	if earlier == nil {
		return
	}
	st := dialog.NewState(c.locale)
	c.visit(st, dialog.Input{Start: true, Earlier: earlier}, append(at.way, "(breaks off)"))
	if st.Node != "menu.resume" {
		c.fault("%s %v: a conversation that broke off at %s is not offered", c.phase, at.way, earlier.Node)
		return
	}
	c.visit(st, dialog.Input{Text: "1"}, append(at.way, "(breaks off)", "1"))
}

// visit takes one turn from st, checks the reply, and queues it when it is new.
func (c *crawl) visit(st *dialog.State, in dialog.Input, way []string) string {
	c.turns++
	c.taken[st.Node]++
	c.bound()
	in.Budget = c.channel.budget
	by := caller.Caller{
		Phone: c.who.phone, Channel: c.channel.of, Gateway: "crawl", Locale: st.Locale, Now: c.app.Clock(),
		Key: c.phase + "/" + strconv.Itoa(c.turns),
	}
	secret := st.Sensitive() || in.Sensitive()
	c.remember(by)
	reply, err := c.next(c.ctx, by, st, in)
	if err != nil {
		c.must(c.ctx.Err())
		c.fault("%s %v: %v", c.phase, way, err)
		return ""
	}
	c.check(st, reply, way)
	if secret {
		c.forgotten(st, reply, in.Text, way)
	}
	c.reached[st.Node] = true
	if st.Node == "identity.code" {
		c.arrive()
	}
	page := strings.Join(append([]string{st.Node, strconv.Itoa(st.Page)}, st.Returns...), "|")
	key := page + digit.ReplaceAllString(reply.Text, "#")
	if c.seen[key] {
		return reply.Text
	}
	c.seen[key] = true
	c.screens++
	c.prove(by, st, reply, way)
	if node, ours := c.nodes[st.Node]; ours && node.Answer != nil && st.Ask != dialog.AskNothing {
		c.asked[st.Node] = true
	}
	if c.look != nil {
		c.must(c.look(c, by, st))
	}
	if c.variants[page]++; reply.End || c.variants[page] > maxVariants {
		return reply.Text
	}
	if len(way) > maxDepth { // a screen that changes with every key would be walked for ever
		if !c.deep[st.Node] {
			c.fault("%s %v: %s is another screen still after %d keys", c.phase, way[:8], st.Node, maxDepth)
		}
		c.deep[st.Node] = true
		return reply.Text
	}
	data := st.Encode()
	c.queue = append(c.queue, place{state: data, text: reply.Text, way: slices.Clone(way), first: c.variants[page] == 1})
	return reply.Text
}

// bound stops a walk of too many turns, and names the screen where most were taken.
func (c *crawl) bound() {
	if c.turns <= c.mostTurns {
		return
	}
	most := slices.MaxFunc(slices.Sorted(maps.Keys(c.taken)), func(a, b string) int { return cmp.Compare(c.taken[a], c.taken[b]) })
	c.must(fmt.Errorf("the walk is not over after %d turns, of which %d were taken on the screens of %s: what makes each of them another screen? "+
		"A figure or a word that changes with every turn must not be shown there", c.mostTurns, c.taken[most], most))
}

// remember proves the visitor again where a screen before had the phone forget them: this
// one, which the walk goes on from, was come to while they were proved.
func (c *crawl) remember(by caller.Caller) {
	citizen, proved, err := c.app.Identity.Proof(c.ctx, by)
	if err == nil && c.proved && !proved {
		citizen, err = c.app.Identity.Prove(c.ctx, by, c.who.pin, c.who.document)
	}
	// The numbers of a card, typed again on a screen before, make a proof that is weak anew.
	if err == nil && c.strong && citizen.Level == caller.LevelWeak {
		if citizen, err = c.app.Identity.StepUp(c.ctx, by); err != nil { // a clerk's code made it strong
			citizen, err = c.app.Identity.ProveByCode(c.ctx, by, c.enrolment())
		}
	}
	c.strong = c.strong || citizen.Level == caller.LevelStrong
	c.must(err)
	c.proved = c.proved || proved
}

// expand types on a screen all that can be typed, and looks for the way back.
func (c *crawl) expand(at place) {
	away := false
	first := c.state(at)
	for _, input := range c.inputs(first, at.first) {
		st := c.state(at)
		text := c.visit(st, dialog.Input{Text: input}, append(at.way, short(input)))
		c.trace(first, input, st.Node)
		away = away || (input == "0" || input == "00") && text != at.text
	}
	start := first.Node == "menu.main" || first.Node == "menu.language" && first.Locale == ""
	if !away && !start {
		c.fault("%s %v: no way back from %s: %q", c.phase, at.way, first.Node, at.text)
	}
}

func (c *crawl) state(at place) *dialog.State {
	st, err := dialog.Decode(at.state)
	c.must(err)
	return st
}

// inputs are what is typed on st's screen: answers, choices, the way back, more,
// and rubbish if wanted.
func (c *crawl) inputs(st *dialog.State, bad bool) []string {
	var choices []string
	page := st.Pages[st.Page]
	for i, number := range numbers(page) {
		if node := page.Options[i].Node; node == "" || node != c.avoided {
			choices = append(choices, number)
		}
	}
	if st.Node == "menu.language" {
		if choices = nil; languageChoice[c.locale] != "" {
			choices = []string{languageChoice[c.locale]}
		}
	}
	inputs := append(append(c.answers(st.Node), choices...), "9", "0", "00")
	if bad {
		inputs = append(inputs, rubbish...)
	}
	return inputs
}
