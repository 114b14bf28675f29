package dialog

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// At once the engine answers what it need ask nobody for, as it does otherwise;
// for all else it calls nothing and leaves the state as it was.
func TestAtOnce(t *testing.T) {
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
		k, service := newTalker(t, locales.KY)
		k.turn(Input{Start: true})
		for _, text := range test.way {
			k.turn(Input{Text: text})
		}
		service.effects = 0
		before := string(k.state.Encode())
		reply, err := k.engine.Next(context.Background(), k.c, k.state, Input{Text: test.text, Budget: k.budget, AtOnce: true})
		if errors.Is(err, ErrWaits) != test.waits || err != nil && !test.waits {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if test.waits && (string(k.state.Encode()) != before || service.effects != 0) {
			t.Errorf("%s: the state changed, or %d effects", test.name, service.effects)
		}
		state, err := Decode([]byte(before))
		if err != nil {
			t.Fatal(err)
		}
		// The same turn without hurry, after the try at once where that had to wait.
		if test.waits {
			reply, err = k.engine.Next(context.Background(), k.c, k.state, Input{Text: test.text, Budget: k.budget})
			if err != nil {
				t.Fatal(err)
			}
		}
		slow, err := k.engine.Next(context.Background(), k.c, state, Input{Text: test.text, Budget: k.budget})
		if err != nil || slow.Text != reply.Text || string(state.Encode()) != string(k.state.Encode()) {
			t.Errorf("%s: at once %q, otherwise %q, %v", test.name, reply.Text, slow.Text, err)
		}
	}
}

// A talk that starts at once is the one that starts otherwise, also where it
// offers to continue another, and a dialled path stops at what has to wait.
func TestAtOnceAtTheStart(t *testing.T) {
	t.Parallel()
	k, _ := newTalker(t, locales.KY)
	k.turn(Input{Start: true, Dialled: []string{"1"}})
	earlier := k.state
	for name, test := range map[string]struct {
		in    Input
		waits bool
	}{
		"a start":                     {Input{}, false},
		"a talk to continue":          {Input{Earlier: earlier}, false},
		"a dialled path":              {Input{Dialled: []string{"1", "3"}}, false},
		"a dialled path that asks":    {Input{Dialled: []string{"1", "1"}}, true},
		"one that stops at an effect": {Input{Dialled: []string{"1", "2"}}, false},
	} {
		in := test.in
		in.Start, in.Budget, in.AtOnce = true, k.budget, true
		state := NewState(locales.KY)
		_, err := k.engine.Next(context.Background(), k.c, state, in)
		if errors.Is(err, ErrWaits) != test.waits || err != nil && !test.waits {
			t.Errorf("%s: %v", name, err)
		}
		if test.waits && string(state.Encode()) != string(NewState(locales.KY).Encode()) {
			t.Errorf("%s: the state changed", name)
		}
	}
}

func TestNodesAreOneThing(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	plain := func(*Talk) Screen { return Screen{} }
	show := func(context.Context, *Talk) (Screen, error) { return Screen{}, nil }
	do := func(context.Context, *Talk) (Next, error) { return Next{}, nil }
	for name, node := range map[string]Node{
		"nothing": {}, "Plain and Show": {Plain: plain, Show: show}, "Plain and Do": {Plain: plain, Do: do},
		"Show and Do": {Show: show, Do: do}, "all": {Plain: plain, Show: show, Do: do},
	} {
		node.ID = "trial.node"
		if _, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, Service{Name: "trial", Nodes: []Node{node}}); err == nil {
			t.Errorf("a node with %s is taken", name)
		}
	}
}
