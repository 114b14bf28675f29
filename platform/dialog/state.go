package dialog

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/eshik-kg/eshik/locales"
)

// firstVersion is the oldest version of State that is still understood.
const firstVersion = 1

// ErrVersion reports a state that a newer build wrote: the talk begins anew.
var ErrVersion = errors.New("the state is of another version")

// State is what a talk remembers between turns. It never holds sensitive input.
type State struct {
	Version int               `cbor:"1,keyasint"`
	Locale  locales.Locale    `cbor:"2,keyasint,omitempty"`
	Node    string            `cbor:"3,keyasint"`
	Ask     Ask               `cbor:"4,keyasint,omitempty"`
	Memory  map[string]string `cbor:"5,keyasint,omitempty"`
	History []Mark            `cbor:"6,keyasint,omitempty"`
	// Returns are the nodes that running sub-talks return to, innermost last.
	Returns []string `cbor:"7,keyasint,omitempty"`
	// Pages is the screen as it was laid out, so that paging shows the same
	// moment; Page is the one the citizen sees.
	Pages []Page `cbor:"8,keyasint,omitempty"`
	Page  int    `cbor:"9,keyasint,omitempty"`
	// Shown is when the node's screen was first shown, Unix microseconds.
	Shown int64 `cbor:"10,keyasint,omitempty"`
	// Pending is a dialled path that waits until the language is chosen.
	Pending []string `cbor:"11,keyasint,omitempty"`
	Ended   bool     `cbor:"12,keyasint,omitempty"`
	// Region is what the talk is about, for statistics: ISO 3166-2 or empty.
	Region string `cbor:"13,keyasint,omitempty"`
	// Earlier is a talk that broke off, while the citizen is asked whether to
	// continue it. Since version 2.
	Earlier *State `cbor:"14,keyasint,omitempty"`
}

// Mark is one step of the way here, for going back.
type Mark struct {
	Node    string `cbor:"1,keyasint"`
	Returns int    `cbor:"2,keyasint,omitempty"`
}

// Page is one screenful.
type Page struct {
	Text    string `cbor:"1,keyasint,omitempty"`
	Options []Next `cbor:"2,keyasint,omitempty"`
}

// maxHistory bounds how many steps "back" can go.
const maxHistory = 12

// NewState begins a talk in loc; an empty loc makes the talk ask for it.
func NewState(loc locales.Locale) *State { return &State{Version: StateVersion, Locale: loc} }

// Encode writes the state as CBOR (RFC 8949).
func (s *State) Encode() ([]byte, error) {
	data, err := cbor.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the state of a talk: %w", err)
	}
	return data, nil
}

// Decode reads what Encode wrote, in this build or an older one; ErrVersion when
// a newer build wrote it.
func Decode(data []byte) (*State, error) {
	var s State
	if err := cbor.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("decode the state of a talk: %w", err)
	}
	if s.Version < firstVersion || s.Version > StateVersion {
		return nil, ErrVersion
	}
	s.Version = StateVersion // what older versions lack is empty
	return &s, nil
}

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

// options are the choices on the page the citizen sees.
func (s *State) options() []Next {
	if s.Page < len(s.Pages) {
		return s.Pages[s.Page].Options
	}
	return nil
}

// Step is one finished or abandoned step of a talk, for statistics.
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
