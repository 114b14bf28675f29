package dialog

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Beforehand the engine says whether somebody is asked in a turn, and changes nothing.
func TestWaits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		way   []string // to the screen on which text is typed
		text  string
		waits bool
	}{
		{"a menu", nil, "1", false},
		{"a question whose screen is plain", []string{"1"}, "3", false},
		{"the way back", []string{"1", "1"}, "0", false},
		{"the main menu", []string{"1", "1"}, "00", false},
		{"an unknown choice", []string{"1"}, "7", false},
		{"no choice at all", []string{"1"}, " ", false},
		{"the choice of a language", nil, "2", false},
		{"a screen for which somebody is asked", []string{"1"}, "1", true},
		{"an effect", []string{"1"}, "2", true},
		{"an answer", []string{"1", "3"}, "1234", true},
		{"a language, which is kept", []string{"2"}, "2", true},
	} {
		k, service := newDialler(t, locales.KY)
		k.turn(Input{Start: true})
		for _, text := range test.way {
			k.turn(Input{Text: text})
		}
		service.effects = 0
		before := string(k.state.Encode())
		if waits := k.engine.Waits(k.c.Channel, k.state, Input{Text: test.text}); waits != test.waits {
			t.Errorf("%s: waits is %v", test.name, waits)
		}
		if string(k.state.Encode()) != before || service.effects != 0 {
			t.Errorf("%s: the state changed, or %d effects", test.name, service.effects)
		}
	}
}

// A conversation that starts with nothing to do but its first screen asks nobody.
func TestWaitsAtTheStart(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.turn(Input{Start: true, Dialled: []string{"1"}})
	earlier := k.state
	for name, test := range map[string]struct {
		in    Input
		waits bool
	}{
		"a start":                    {Input{}, false},
		"a conversation to continue": {Input{Earlier: earlier}, false},
		"a dialled path that asks":   {Input{Dialled: []string{"1", "1"}}, true},
	} {
		test.in.Start = true
		state := NewState(locales.KY)
		if waits := k.engine.Waits(k.c.Channel, state, test.in); waits != test.waits {
			t.Errorf("%s: waits is %v", name, waits)
		}
		if string(state.Encode()) != string(NewState(locales.KY).Encode()) {
			t.Errorf("%s: the state changed", name)
		}
	}
}

// TestWaitsTellsTheTruth goes through a conversation at random: a turn calls its service if,
// and, where nothing was dialled, only if that was said beforehand.
func TestWaitsTellsTheTruth(t *testing.T) {
	t.Parallel()
	typed := []string{"1", "2", "3", "4", "7", "0", "00", "9", "1", "0", "Асан", "1234", "11503198800011", "", " ", "1*2", "\uFFFD", strings.Repeat("а", 500)}
	asked := 0
	engine := newProbed(t, &asked)
	rapid.Check(t, func(r *rapid.T) {
		c := caller.Caller{Channel: caller.USSD, Phone: "+996555000001", Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		state := NewState(rapid.SampledFrom([]locales.Locale{"", locales.KY}).Draw(r, "locale"))
		turn := func(in Input, exact bool) {
			in.Budget = rapid.SampledFrom([]Budget{ussd, {Septets: 459, Units: 201}}).Draw(r, "budget")
			before := string(state.Encode())
			waits := engine.Waits(c.Channel, state, in)
			if string(state.Encode()) != before {
				r.Fatalf("asking beforehand changed %q", before)
			}
			asked = 0
			if _, err := engine.Next(context.Background(), c, state, in); err != nil {
				r.Fatal(err)
			}
			if asked > 0 && !waits || exact && asked == 0 && waits {
				r.Fatalf("waits is %v and %d were asked: %+v at %s", waits, asked, in, before)
			}
		}
		for range rapid.IntRange(1, 40).Draw(r, "turns") {
			if state.Node != "" && rapid.IntRange(0, 9).Draw(r, "what") > 0 {
				turn(Input{Text: rapid.SampledFrom(typed).Draw(r, "text")}, !state.Ended && len(state.Pending) == 0)
				continue
			}
			in := Input{Start: true, Dialled: rapid.SliceOfN(rapid.SampledFrom(typed), 0, 3).Draw(r, "dialled")}
			if state.Node != "" {
				in.Earlier = engine.Dropped(state)
			}
			state = NewState(state.Locale)
			turn(in, len(in.Dialled) == 0)
		}
	})
}

// asking counts the languages it is told.
type asking struct{ asked *int }

func (a asking) SetLocale(context.Context, string, locales.Locale, string) error {
	*a.asked++
	return nil
}

// newProbed is an engine whose service has nodes of every kind; each that may ask
// somebody counts.
func newProbed(t *testing.T, asked *int) *Engine {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	screen := func(ask Ask, to ...string) Screen {
		s := Screen{Body: []Message{Raw("title", "Экран")}, Ask: ask}
		for _, node := range to {
			s.Options = append(s.Options, Option{Raw("title", node), Go(node)})
		}
		return s
	}
	plain := func(id string, ask Ask, to ...string) Node {
		return Node{ID: id, Plain: func(*Turn) Screen { return screen(ask, to...) }}
	}
	show := func(id string, ask Ask, fault error, to ...string) Node {
		return Node{ID: id, Show: func(context.Context, *Turn) (Screen, error) { *asked++; return screen(ask, to...), fault }}
	}
	answers := func(n Node, next Next, fault error) Node {
		n.Answer = func(context.Context, *Turn, string) (Next, error) { *asked++; return next, fault }
		return n
	}
	fault := problem.New(problem.NotFound, "problem.internal")
	resumed := func(context.Context, caller.Caller) error { *asked++; return nil }
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler), Profiles: asking{asked}, Resumed: resumed}, Flow{
		Name: "probe", Entry: Option{Label: Say("dialog.more"), Next: Go("probe.menu")},
		Nodes: []Node{
			plain("probe.menu", AskNothing, "probe.list", "probe.text", "probe.sub", "probe.done", "probe.secret", "probe.down", "probe.seek"),
			show("probe.list", AskNothing, nil, "probe.menu", "probe.list", "probe.text", "probe.lacking"),
			answers(plain("probe.text", AskText), Go("probe.said"), nil),
			answers(show("probe.secret", AskPersonalNumber, nil), Go("probe.menu"), fault),
			answers(plain("probe.seek", AskNumber), Go("probe.down"), nil),
			plain("probe.said", AskNothing),
			show("probe.down", AskNothing, fault),
			{ID: "probe.sub", Plain: func(*Turn) Screen {
				s := screen(AskNothing)
				s.Options = []Option{{Raw("title", "call"), Call("probe.back", "probe.list")}, {Raw("title", "stay"), Next{}}, {Raw("title", "call"), Call("probe.back", "probe.menu")}}
				return s
			}},
			{ID: "probe.back", Plain: func(*Turn) Screen {
				s := screen(AskNothing)
				s.Options = []Option{{Raw("title", "return"), Return()}}
				return s
			}},
			{ID: "probe.done", Do: func(context.Context, *Turn) (Next, error) { *asked++; return Done("probe.said"), nil }},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func TestNodesAreOneThing(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	plain := func(*Turn) Screen { return Screen{} }
	show := func(context.Context, *Turn) (Screen, error) { return Screen{}, nil }
	do := func(context.Context, *Turn) (Next, error) { return Next{}, nil }
	for name, node := range map[string]Node{
		"nothing": {}, "Plain and Show": {Plain: plain, Show: show}, "Plain and Do": {Plain: plain, Do: do},
		"Show and Do": {Show: show, Do: do}, "all": {Plain: plain, Show: show, Do: do},
	} {
		node.ID = "trial.node"
		if _, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, Flow{Name: "trial", Nodes: []Node{node}}); err == nil {
			t.Errorf("a node with %s is taken", name)
		}
	}
}
