package dialog

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// trial is a small service: a menu, a question, an effect, a sub-conversation.
type trial struct{ effects int }

func (s *trial) service() Flow {
	return Flow{
		Name:     "trial",
		Entry:    Option{Label: Message{Key: "dialog.more"}, Next: Go("trial.menu")},
		Commands: []Command{{Words: []string{"айып"}, Node: "trial.given", Arg: "given", Bare: "trial.ask"}},
		Nodes: []Node{
			{ID: "trial.menu", Plain: func(*Turn) Screen {
				return Screen{Body: []Message{Raw("title", "Меню")}, Options: []Option{
					{Raw("title", "Суроо"), Go("trial.ask")}, {Raw("title", "Иш"), Go("trial.effect")}, {Raw("title", "Код"), Call("trial.secret", "trial.end")},
				}}
			}},
			{
				ID: "trial.ask",
				Show: func(context.Context, *Turn) (Screen, error) {
					return Screen{Body: []Message{Raw("title", "Номер?")}, Ask: AskText}, nil
				},
				Answer: func(_ context.Context, _ *Turn, input string) (Next, error) {
					if input == "жок" {
						return Next{}, problem.New(problem.NotFound, "problem.choice")
					}
					return Go("trial.given", "given", input), nil
				},
			},
			{ID: "trial.given", Show: func(_ context.Context, t *Turn) (Screen, error) {
				return Screen{Body: []Message{Raw("title", "Алынды: "+t.Get("given"))}}, nil
			}},
			{ID: "trial.effect", Do: func(context.Context, *Turn) (Next, error) { s.effects++; return Done("trial.end"), nil }},
			{
				ID: "trial.secret",
				Plain: func(*Turn) Screen {
					return Screen{Body: []Message{Raw("title", "Код?")}, Ask: AskSecret}
				},
				Answer: func(context.Context, *Turn, string) (Next, error) { return Return(), nil },
			},
			{ID: "trial.end", Show: func(context.Context, *Turn) (Screen, error) {
				return Screen{Body: []Message{Raw("title", "Бүттү")}, End: true}, nil
			}},
		},
	}
}

// dialler drives one conversation; the state is encoded and decoded between turns.
type dialler struct {
	t      *testing.T
	engine *Engine
	state  *State
	c      caller.Caller
	budget Budget
}

func newDialler(t *testing.T, loc locales.Locale) (*dialler, *trial) {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	s := &trial{}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, s.service())
	if err != nil {
		t.Fatal(err)
	}
	c := caller.Caller{Channel: caller.USSD, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return &dialler{t: t, engine: engine, state: NewState(loc), c: c, budget: ussd}, s
}

func (k *dialler) turn(in Input) Reply {
	k.t.Helper()
	var err error
	if k.state, err = Decode(k.state.Encode()); err != nil {
		k.t.Fatal(err)
	}
	in.Budget = k.budget
	reply, err := k.engine.Next(context.Background(), k.c, k.state, in)
	if err != nil {
		k.t.Fatal(err)
	}
	if !k.budget.Fits(reply.Text) {
		k.t.Fatalf("too long: %q", reply.Text)
	}
	return reply
}

func (k *dialler) say(text, want string) {
	k.t.Helper()
	if got := k.turn(Input{Text: text}).Text; !strings.Contains(got, want) {
		k.t.Fatalf("after %q: %q lacks %q", text, got, want)
	}
}

func TestFirstVisitAsksTheLanguageAndGoesOn(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, "")
	if got := k.turn(Input{Start: true, Dialled: []string{"1", "1"}}).Text; !strings.Contains(got, "3 Kyrgyzcha") {
		t.Fatalf("got %q", got)
	}
	k.say("1", "Номер?") // the dialled path waited
	k.say("0", "Меню")
	k.say("00", "Эшик")
}

func TestADialledPathRunsNoEffect(t *testing.T) {
	t.Parallel()
	k, s := newDialler(t, locales.RU)
	reply := k.turn(Input{Start: true, Dialled: []string{"1", "2"}})
	if s.effects != 0 || !strings.Contains(reply.Text, "Меню") {
		t.Fatalf("%d effects, screen %q", s.effects, reply.Text)
	}
	k.say("2", "Бүттү")
	if s.effects != 1 || !k.state.Ended {
		t.Fatalf("%d effects, ended %v", s.effects, k.state.Ended)
	}
}

func TestWhateverIsTypedBecomesAScreen(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", " ", "7", "٢", "۲.", strings.Repeat("ы", 10_000), "😀", "1*2*3", "\x00\xff", "пункт", "-1", "99999999999999999999"} {
		k, _ := newDialler(t, locales.KY)
		k.turn(Input{Start: true})
		if reply := k.turn(Input{Text: input}); reply.End || reply.Text == "" {
			t.Errorf("%q: %+v", input, reply)
		}
	}
}

func TestDigitsOfOtherScriptsChoose(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"1", "١", "۱", "１", "1.", "1)", " 1 ", "𝟙"} {
		k, _ := newDialler(t, locales.KY)
		k.turn(Input{Start: true})
		k.say(input, "Меню")
	}
}

func TestAProblemAsksAgain(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.turn(Input{Start: true, Dialled: []string{"1", "1"}})
	k.say("жок", "Тизмеде жок")
	k.say("01*KG*1", "Алынды: 01*KG*1")
	k.say("0", "Номер?")
}

func TestSubConversationReturns(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.turn(Input{Start: true, Dialled: []string{"1", "3", "123456"}})
	if k.state.Ask != AskSecret {
		t.Fatal("a dialled path went past a secret")
	}
	k.say("123456", "Бүттү")
}

func TestAWaitingPathHoldsNothingSensitive(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"123456", "11503198800011", "ID1000001", " id1000001 "} {
		k, _ := newDialler(t, "")
		k.turn(Input{Start: true, Dialled: []string{"1", secret, "1"}})
		data := k.state.Encode()
		if strings.Contains(string(data), strings.TrimSpace(secret)) {
			t.Errorf("%q waits in the state", secret)
		}
	}
}

func TestAWaitingPathIsShort(t *testing.T) {
	t.Parallel()
	for name, path := range map[string][]string{"many": make([]string, 100_000), "long": {"1", strings.Repeat("ж", 100_000)}} {
		k, _ := newDialler(t, "")
		k.turn(Input{Start: true, Dialled: path})
		if size := len(k.state.Encode()); size > 4096 {
			t.Errorf("%s: %d bytes wait", name, size)
		}
	}
}

func TestCommandsStartASMSConversation(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.c.Channel = caller.SMS
	if got := k.turn(Input{Start: true, Text: "АЙЫП 01KG123ABC"}).Text; !strings.Contains(got, "01KG123ABC") {
		t.Fatalf("got %q", got)
	}
	k.say("айып", "Номер?")
	k.say("Тил", "Язык")
}

// Whoever left a conversation at a secret the day before is not shut in there: a command
// works, an answer is an answer.
func TestCommandLeavesASecretPrompt(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.turn(Input{Start: true, Dialled: []string{"1", "3"}})
	k.c.Channel = caller.SMS
	if k.state.Ask != AskSecret {
		t.Fatal("there is no secret prompt")
	}
	k.say("айыб", "Номер?") // a secret has digits: words are none, also with a typo
	k.c.Channel = caller.USSD
	k.turn(Input{Start: true, Dialled: []string{"1", "3"}})
	k.c.Channel = caller.SMS
	k.say("айып 482913", "Бүттү")
	if strings.Contains(string(k.state.Encode()), "482913") {
		t.Error("a secret behind a word is in the state")
	}
	k.c.Channel = caller.USSD
	k.turn(Input{Start: true, Dialled: []string{"1", "3"}})
	k.c.Channel = caller.SMS
	k.say("айып", "Номер?")
}

func TestLatinIsTranscribed(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KYLatn)
	if got := k.turn(Input{Start: true}).Text; !strings.HasPrefix(got, "Eshik\n1 Dagy\n2 Til") {
		t.Fatalf("got %q", got)
	}
}

func BenchmarkStep(b *testing.B) {
	catalogue, err := locales.Load()
	if err != nil {
		b.Fatal(err)
	}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, (&trial{}).service())
	if err != nil {
		b.Fatal(err)
	}
	c := caller.Caller{Channel: caller.USSD, Now: time.Unix(0, 0)}
	state := NewState(locales.KY)
	if _, err := engine.Next(b.Context(), c, state, Input{Start: true, Budget: ussd}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range []string{"1", "0"} {
			state, _ = Decode(state.Encode())
			if _, err := engine.Next(b.Context(), c, state, Input{Text: text, Budget: ussd}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestAPanicTellsNothing: wherever a node panics with what was typed, the citizen
// reads whose fault it was, and neither the log nor the state has the text.
func TestAPanicTellsNothing(t *testing.T) {
	t.Parallel()
	const secret = "20101198877665"
	boom := func(context.Context, *Turn) (Next, error) { panic(secret) }
	ask := func(context.Context, *Turn) (Screen, error) { return Screen{Ask: AskPersonalNumber}, nil }
	for name, node := range map[string]Node{
		"answer": {ID: "trial.panics", Show: ask, Answer: func(_ context.Context, _ *Turn, input string) (Next, error) { panic(input) }},
		"do": {ID: "trial.panics", Show: ask, Answer: func(context.Context, *Turn, string) (Next, error) {
			return Go("trial.boom"), nil
		}},
		"show": {ID: "trial.panics", Show: ask, Answer: func(context.Context, *Turn, string) (Next, error) {
			return Go("trial.shows"), nil
		}},
	} {
		catalogue, err := locales.Load()
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		shows := Node{ID: "trial.shows", Show: func(context.Context, *Turn) (Screen, error) { panic(secret) }}
		engine, err := New(catalogue, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, Flow{
			Name: "trial", Entry: Option{Label: Say("dialog.more"), Next: Go("trial.panics")},
			Nodes: []Node{node, shows, {ID: "trial.boom", Do: boom}},
		})
		if err != nil {
			t.Fatal(err)
		}
		k := &dialler{t: t, engine: engine, state: NewState(locales.KY), c: caller.Caller{Channel: caller.USSD}, budget: ussd}
		k.turn(Input{Start: true, Dialled: []string{"1"}})
		k.say(secret, "Ката бизден кетти")
		if !strings.Contains(log.String(), "engine_test.go:") {
			t.Errorf("%s: the log does not say where: %s", name, &log)
		}
		if strings.Contains(log.String()+string(k.state.Encode()), secret) {
			t.Errorf("%s: what was typed is kept: %s", name, &log)
		}
		k.say("00", "Эшик") // the conversation goes on
	}
}
