package dialog

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/locales"
)

// A field's key (`make generate` writes state_msgp.go) is never used for another
// field again: older and newer builds read it.

//msgp:replace string with:msgwire.Text
//msgp:replace locales.Locale with:msgwire.Text
//msgp:replace Ask with:msgwire.Text
//msgp:ignore Step Outcome

// firstVersion is the oldest version of State that is still understood.
const firstVersion = 1

// ErrVersion reports a state that a newer build wrote: the conversation begins anew.
var ErrVersion = errors.New("the state is of another version")

// State is what a conversation remembers between turns. It never holds sensitive input.
type State struct {
	Version int               `msg:"v"`
	Locale  locales.Locale    `msg:"l,omitempty"`
	Node    string            `msg:"n,omitempty"`
	Ask     Ask               `msg:"a,omitempty"`
	Memory  map[string]string `msg:"m,omitempty"`
	History []Mark            `msg:"h,omitempty"`
	// Returns are the nodes that running sub-conversations return to, innermost last.
	Returns []string `msg:"r,omitempty"`
	// Pages is the screen as it was laid out, so that paging shows the same
	// moment; Page is the one the citizen sees.
	Pages []Page `msg:"p,omitempty"`
	Page  int    `msg:"i,omitempty"`
	// Shown is when the node's screen was first shown, Unix microseconds.
	Shown int64 `msg:"s,omitempty"`
	// Pending is a dialled path that waits until the language is chosen.
	Pending []string `msg:"w,omitempty"`
	Ended   bool     `msg:"e,omitempty"`
	// Region is what the conversation is about, for statistics: ISO 3166-2 or empty.
	Region string `msg:"g,omitempty"`
	// Chosen is the highest number that an option was chosen by: see Screen.Confirms. A build
	// that lacks it numbers a confirmation by itself.
	Chosen int `msg:"c,omitempty"`
	// Earlier is a conversation that broke off, while the citizen is asked whether to
	// continue it. Since version 2.
	Earlier *State `msg:"b,omitempty"`
}

// Mark is one step of the way here, for going back.
type Mark struct {
	Node    string `msg:"n,omitempty"`
	Returns int    `msg:"r,omitempty"`
}

// Page is one screenful.
type Page struct {
	Text    string `msg:"t,omitempty"`
	Options []Next `msg:"o,omitempty"`
	// First is the place of the page's first option among all of the screen's, from
	// 0: options are numbered through. Since version 3.
	First int `msg:"f,omitempty"`
	// Of is the place, among the pages of the screen, of the page that this is or
	// that a refusal was laid over. Since version 3.
	Of int `msg:"p,omitempty"`
}

// Next says where a conversation goes. The zero Next shows the same node again.
type Next struct {
	Node string `msg:"n,omitempty"`
	// Set is put into the conversation's memory before the node runs.
	Set map[string]string `msg:"s,omitempty"`
	// Then is the node to go on with when the sub-conversation that starts at Node
	// returns; empty for a plain move.
	Then string `msg:"t,omitempty"`
	// Back returns from a sub-conversation to its Then.
	Back bool `msg:"b,omitempty"`
	// Fresh forgets the way here: after an effect, "back" is the main menu.
	Fresh bool `msg:"f,omitempty"`
}

// maxHistory bounds how many steps "back" can go.
const maxHistory = 12

// NewState begins a conversation in loc; an empty loc makes the conversation ask for it.
func NewState(loc locales.Locale) *State { return &State{Version: StateVersion, Locale: loc} }

// memoryAbout is where the conversation remembers of whom it told last.
const memoryAbout = "identity.about"

// About is the id of the person of whom the last screen that told of anybody did (Screen.About),
// whether it was left by an option, in words or by what was typed; "" for nobody.
func (s *State) About() string { return s.Memory[memoryAbout] }

func (s *State) set(key, value string) {
	if s.Memory == nil {
		s.Memory = map[string]string{}
	}
	s.Memory[key] = value
}

// remember puts the present node on the way back.
func (s *State) remember() {
	if s.Node == "" || s.Node == nodeProblem {
		return
	}
	s.History = append(s.History, Mark{Node: s.Node, Returns: len(s.Returns)})
	if len(s.History) > maxHistory {
		s.History = s.History[len(s.History)-maxHistory:]
	}
}

// chose notes the key of a choice; "" where it was made in words.
func (s *State) chose(key string) {
	if place := placeOf(key); place >= 0 {
		s.Chosen = max(s.Chosen, number(place))
	}
}

// unchosen is the place of the first option with a number above all that were chosen.
func (s *State) unchosen() int {
	place := 0
	for number(place) <= s.Chosen {
		place++
	}
	return place
}

// choice is the option with a number, on whichever page it is shown. The pages of
// a state from before version 3 are each numbered from 1: there the page that the
// citizen sees alone counts.
func (s *State) choice(key string) (Next, bool) {
	if s.Page >= len(s.Pages) {
		return Next{}, false
	}
	place := placeOf(key)
	if next, has := s.Pages[s.Page].option(place); has {
		return next, true
	}
	first := s.Pages[0].First // not 0 where the screen leaves numbers out
	for i := range s.Pages {
		page := &s.Pages[i]
		if page.First != first {
			return Next{}, false
		}
		if next, has := page.option(place); has {
			return next, true
		}
		first += len(page.Options)
	}
	return Next{}, false
}

// Number is what is typed to choose the page's option at a place, from 0.
func (p *Page) Number(place int) string { return strconv.Itoa(number(p.First + place)) }

func (p *Page) option(place int) (Next, bool) {
	if at := place - p.First; place >= 0 && at >= 0 && at < len(p.Options) {
		return p.Options[at], true
	}
	return Next{}, false
}

// unfinished reports that the screen leaves something to do: to type, to choose,
// or to read on. Where the pages are not known any more it is taken to.
func (s *State) unfinished() bool {
	return len(s.Pages) == 0 || s.Page+1 < len(s.Pages) || s.Awaits()
}

// Sensitive reports that what is typed next may be what is never kept: the screen
// asks for it, or that of the conversation did which the screen offers to continue.
func (s *State) Sensitive() bool {
	return s.Ask.Sensitive() || s.Earlier != nil && s.Earlier.Ask.Sensitive()
}

// Awaits reports that the screen waits for an answer: it asks a question or has
// something to choose.
func (s *State) Awaits() bool {
	if s.Ended {
		return false
	}
	if s.Ask != AskNothing {
		return true
	}
	return s.chooses()
}

// chooses reports that the screen has options, on whichever page.
func (s *State) chooses() bool {
	return slices.ContainsFunc(s.Pages, func(p Page) bool { return len(p.Options) > 0 })
}

// Step is one finished or abandoned step of a conversation, for statistics.
type Step struct {
	Service string
	Node    string
	Outcome Outcome
	Region  string // ISO 3166-2, empty when unknown
	Started time.Time
}

// Outcome says how a step ended.
type Outcome string

// The outcomes.
const (
	OutcomeDone      Outcome = "done"
	OutcomeAbandoned Outcome = "abandoned"
	OutcomeRefused   Outcome = "refused" // the citizen's input or right was at fault
	OutcomeFailed    Outcome = "failed"  // ours or a registry's fault
)
