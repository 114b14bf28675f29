package dialog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The engine's own nodes.
const (
	nodeMain     = "menu.main"
	nodeHelp     = "menu.help"
	nodeLanguage = "menu.language"
	nodeSpeak    = "menu.speak"    // the language was chosen
	nodeProblem  = "menu.problem"  // a problem is shown; it has no node of its own
	nodeResume   = "menu.resume"   // a conversation that broke off may be continued
	nodeContinue = "menu.continue" // it is

	// menuService is whom the engine's own steps are counted for. It is published (GET
	// /v1/usage) and so keeps its first name (decision 24).
	menuService = "door"
)

// Profiles remembers the language of a phone.
type Profiles interface {
	// SetLocale takes the session too, as the caller names it, in which it was chosen.
	SetLocale(ctx context.Context, phone string, loc locales.Locale, session string) error
}

// Profile is what is known of a phone before it says anything.
type Profile struct {
	// Locale is empty until it is chosen.
	Locale locales.Locale
	// Tenure counts the holders of the number: a conversation is not continued in
	// another's.
	Tenure int64
	// Session is the one in which the phone last chose its language or went on with an
	// earlier conversation, as caller.Caller names it.
	Session string
}

// Options are what an engine needs besides its services.
type Options struct {
	Profiles Profiles
	Log      *slog.Logger
	// Resumed is told, unless nil, that a conversation that broke off goes on in the caller's
	// session, before it does.
	Resumed func(ctx context.Context, c caller.Caller) error
}

// Engine walks conversations. It is safe for concurrent use and keeps nothing between
// turns.
type Engine struct {
	catalogue *locales.Catalogue
	options   Options
	nodes     map[string]Node   // a plain one has a Show as well
	owner     map[string]string // node → service
	services  []Flow
	commands  []Command
	lexicon   *locales.Lexicon   // finds a command by its place in commands
	others    *locales.Lexicon   // finds one that is not meant, by Command.Elsewhere
	otherwise *locales.Lexicon   // finds an answer to a message in other words, see Told
	told      map[string]*Told   // by service
	words     []word             // the single words among them
	exact     map[string]int     // folded word that people are told of → its command
	labels    map[string]Command // label of a menu → where it leads
	shapes    []shapeOf
	sayings   map[string]sayings // by the node
	proof     *proof             // not nil: every value is the longest it can be; see Worst
}

// New makes an engine for the services, in the order of the main menu. It fails
// when two nodes share an id, a node can neither be shown nor done, two commands
// cannot be told apart, or the way on and back leaves no room on a small screen.
func New(catalogue *locales.Catalogue, options Options, services ...Flow) (*Engine, error) {
	others, err := locales.NewLexicon(false)
	if err != nil {
		return nil, err
	}
	lexicon, err := locales.NewLexicon(true)
	if err != nil {
		return nil, err
	}
	otherwise, err := locales.NewLexicon(false)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		catalogue: catalogue, options: options, services: services, lexicon: lexicon, others: others, otherwise: otherwise, told: map[string]*Told{},
		nodes: map[string]Node{}, owner: map[string]string{}, exact: map[string]int{}, labels: map[string]Command{}, sayings: map[string]sayings{},
	}
	var faults []error
	for _, service := range append([]Flow{e.menu()}, services...) {
		for _, node := range service.Nodes {
			faults = append(faults, e.add(service.Name, node))
		}
		faults = append(faults, e.learn(service))
		e.learnTold(service)
	}
	for _, service := range services {
		e.learnLabels(service)
	}
	return e, errors.Join(append(faults, e.room())...)
}

// room checks that the way on and the way back leave room on the smallest screen.
func (e *Engine) room() error {
	for _, loc := range locales.All {
		for _, key := range []string{"dialog.back", "dialog.home"} {
			if !leaveRoom(e.more(loc), keyBack+" "+e.text(loc, Say(key))) {
				return fmt.Errorf("dialog.more and %s in %s are longer than %d characters together", key, loc, maxWay)
			}
		}
	}
	return nil
}

// more is the line that leads on.
func (e *Engine) more(loc locales.Locale) string {
	return keyMore + " " + e.text(loc, Say("dialog.more"))
}

func (e *Engine) add(service string, node Node) error {
	if _, twice := e.nodes[node.ID]; twice {
		return fmt.Errorf("two nodes are called %q", node.ID)
	}
	if node.Plain != nil && node.Show != nil || (node.Plain == nil && node.Show == nil) == (node.Do == nil) {
		return fmt.Errorf("node %q must have one of Plain, Show and Do", node.ID)
	}
	if plain := node.Plain; plain != nil {
		node.Show = func(_ context.Context, t *Turn) (Screen, error) { return plain(t), nil }
	}
	e.nodes[node.ID] = node
	e.owner[node.ID] = service
	return e.learnSayings(node)
}

// Input is what reached the engine in one turn.
type Input struct {
	// Text is what was typed now.
	Text string
	// Start begins a conversation: the first screen is shown. Text is then a message
	// that began it (an SMS command), Dialled a dialled path (*1414*2*1#).
	Start   bool
	Dialled []string
	// Earlier is the state of a conversation of the same phone that broke off: a conversation
	// that starts with nothing else to do offers to continue it. From Next on it
	// is the engine's.
	Earlier *State
	// Restarted says, at a start, that a conversation could not go on because this build
	// does not understand it: the first screen tells so.
	Restarted bool
	// Locale is what the phone chose elsewhere since the conversation asked for a language:
	// where that question is open it is answered, unless Text answers it.
	Locale locales.Locale
	Budget Budget
}

// first is what a conversation begins with: its text, or the first part of what was dialled.
func (in Input) first() string {
	if in.Text == "" && len(in.Dialled) > 0 {
		return in.Dialled[0]
	}
	return in.Text
}

// Sensitive reports that what a conversation begins with may be what is never kept: the
// answer that an earlier conversation waits for.
func (in Input) Sensitive() bool {
	return in.Earlier != nil && in.Earlier.Ask.Sensitive() && in.first() != ""
}

// Reply is what the citizen sees after a turn.
type Reply struct {
	Text  string
	End   bool
	Steps []Step
	// Failed says that the screen tells of a fault of ours or of a registry that
	// may be over later.
	Failed bool
	// Unclear says that the input chose, asked and answered nothing here: the same
	// screen is shown again, with what may be typed.
	Unclear bool
	// About is whom the screen that was laid out tells of, see Screen; empty: nobody.
	About string

	walk *walk // that led to it
}

// In is the same screen laid out in another budget, for a channel on which the conversation
// goes on; the state that Next was given moves to it. Nobody is asked again.
func (r Reply) In(budget Budget) Reply {
	w := r.walk
	if w == nil || !w.laid { // a page was turned, or nothing changed
		return r
	}
	w.budget, w.repeats = budget, false
	w.present(w.screen, w.said)
	r.Text, r.End = w.state.Pages[w.state.Page].Text, w.state.Ended
	return r
}

// Next takes one turn: it moves st and says what to show. It returns an error
// only when ctx ended or when the engine is wired wrongly (ErrBudget); whatever a
// citizen types, and whatever a service answers, becomes a screen.
func (e *Engine) Next(ctx context.Context, c caller.Caller, st *State, in Input) (Reply, error) {
	if !in.Budget.Enough() {
		return Reply{}, ErrBudget
	}
	w := &walk{engine: e, caller: c, state: st, budget: in.Budget}
	var err error
	switch {
	case in.Start || st.Node == "" || st.Ended:
		err = w.start(ctx, in)
	case st.Locale == "" && in.Locale != "" && !w.isChoice(in.Text):
		err = w.spoke(ctx, in)
	default:
		err = w.answer(ctx, in.Text)
	}
	if err == nil {
		err = w.pending(ctx)
	}
	if err != nil {
		return Reply{}, err
	}
	return Reply{Text: st.Pages[st.Page].Text, End: st.Ended, Steps: w.steps, Failed: w.failed, Unclear: w.unclear, About: w.screen.About, walk: w}, nil
}

// Dropped is what is worth continuing of a conversation that broke off: st itself where
// it is past the menus and leaves something to do, the conversation it offered to continue,
// or nil. A habitual "1" must not lead back to a screen that was read and done with.
func (e *Engine) Dropped(st *State) *State {
	if st.Node == nodeResume && st.Earlier != nil {
		return e.Dropped(st.Earlier)
	}
	if n := len(st.History); st.Node == nodeProblem && n > 0 { // the screen before worked
		before := *st
		before.Pages = nil // they are the problem's
		before.Node, before.History = st.History[n-1].Node, st.History[:n-1]
		before.Returns = st.Returns[:min(st.History[n-1].Returns, len(st.Returns))]
		before.Ask = e.asks(&before)
		return e.Dropped(&before)
	}
	node, known := e.nodes[st.Node]
	if !known || node.Show == nil || st.Ended || st.Locale == "" || e.owner[st.Node] == menuService {
		return nil
	}
	if node.Menu || !st.unfinished() {
		return nil
	}
	return st
}

// asks is what a state's node asks for, if that takes asking nobody.
func (e *Engine) asks(st *State) Ask {
	if plain := e.nodes[st.Node].Plain; plain != nil {
		return plain(&Turn{state: st}).Ask
	}
	return AskNothing
}

// Abandoned gives the steps to count when a conversation ended without its citizen
// finishing: the one they were at.
func (e *Engine) Abandoned(st *State) []Step {
	if st.Ended || st.Node == "" {
		return nil
	}
	if st.Node == nodeResume && st.Earlier != nil {
		return e.Abandoned(st.Earlier)
	}
	return []Step{{
		Service: e.service(st.Node), Node: st.Node, Outcome: OutcomeAbandoned, Region: st.Region, Started: time.UnixMicro(st.Shown).UTC(),
	}}
}

func (e *Engine) service(node string) string {
	if name, known := e.owner[node]; known {
		return name
	}
	return menuService
}

// text turns a message into words.
func (e *Engine) text(loc locales.Locale, m Message) string {
	if e.proof != nil {
		m = e.longest(loc, m)
	}
	if m.Key != "" {
		return e.catalogue.Text(loc, m.Key, m.Args...)
	}
	if loc == locales.KYLatn {
		return locales.Latin(m.Text)
	}
	return m.Text
}

// logError tells the operators of an error that was not the citizen's.
func (e *Engine) logError(ctx context.Context, node string, err error) {
	p := problem.From(err)
	if p.Code == problem.Internal || p.Code == problem.Upstream || p.Code == problem.Unavailable {
		e.options.Log.ErrorContext(ctx, "a step of a conversation failed", "node", node, "error", err)
	}
}
