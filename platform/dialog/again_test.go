package dialog

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// counter is a service with a long question, a long list and a refusal.
func counter() Flow {
	end := func(text string) func(context.Context, *Turn) (Screen, error) {
		return func(_ context.Context, t *Turn) (Screen, error) {
			return Screen{Body: []Message{Raw("title", text+t.Get("n"))}}, nil
		}
	}
	return Flow{
		Name: "counter", Entry: Option{Label: Say("dialog.more"), Next: Go("counter.question")},
		Nodes: []Node{
			{ID: "counter.question", Show: func(context.Context, *Turn) (Screen, error) {
				return Screen{Body: []Message{Raw("title", "Токтогон жериңизден улантасызбы, же башкасын карайсызбы?")}, Options: []Option{
					{Raw("title", "Тизме"), Go("counter.list")}, {Raw("title", "Баш"), Go("counter.refusal")},
				}}, nil
			}},
			{ID: "counter.list", Show: func(context.Context, *Turn) (Screen, error) {
				s := Screen{Body: []Message{Raw("title", "Баары:")}}
				for n := range 12 {
					s.Options = append(s.Options, Option{Raw("title", fmt.Sprintf("Тандоо %d", n)), Go("counter.end", "n", fmt.Sprint(n))})
				}
				return s, nil
			}},
			{ID: "counter.refusal", Show: func(context.Context, *Turn) (Screen, error) {
				return Screen{}, problem.New(problem.Upstream, "problem.internal")
			}},
			{ID: "counter.end", Show: end("Тандалды ")},
		},
	}
}

func newCounter(t *testing.T) *dialler {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, counter())
	if err != nil {
		t.Fatal(err)
	}
	c := caller.Caller{Channel: caller.USSD, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	k := &dialler{t: t, engine: engine, state: NewState(locales.KY), c: c, budget: ussd}
	k.turn(Input{Start: true})
	return k
}

// However small the screen, a wrong key takes none of the choices away.
func TestWrongKeyKeepsChoices(t *testing.T) {
	t.Parallel()
	k := newCounter(t)
	k.say("1", "1 Тизме")
	for range 3 {
		k.say("7", "1 Тизме\n2 Баш")
	}
	k.say("1", "Баары:")
	shown := k.turn(Input{Text: "9"}).Text
	first := strings.SplitN(shown, "\n", 2)[0]
	for range 2 {
		k.say("19", first)
	}
	number, label, _ := strings.Cut(first, " ")
	k.say(number, "Тандалды "+strings.TrimPrefix(label, "Тандоо "))
}

// TestWrongKeyOnRefusal (F2b): what is typed on a problem's screen is answered itself,
// never with the problem once more, which need not be so any more; that leads nowhere
// else, however often, and adds no page.
func TestWrongKeyOnRefusal(t *testing.T) {
	t.Parallel()
	for channel, keys := range map[caller.Channel][]string{caller.USSD: {"1", "2", "9", "abc"}, caller.SMS: {"1", "2", "9", "абв"}} {
		k := newCounter(t)
		k.c.Channel = channel
		k.say("1", "1 Тизме")
		refusal := k.turn(Input{Text: "2"}).Text
		for _, key := range slices.Concat(keys, keys) {
			reply := k.turn(Input{Text: key})
			sentence, _, _ := strings.Cut(refusal, "\n")
			if strings.Contains(reply.Text, sentence) || !strings.HasSuffix(reply.Text, "\n0 Артка") || !reply.Unclear {
				t.Errorf("%s: %q is answered %+v", channel, key, reply)
			}
			if key == "1" && !strings.Contains(reply.Text, "Тандай турган нерсе жок. 0 деп жазыңыз.") {
				t.Errorf("%s: %q is answered %q", channel, key, reply.Text)
			}
		}
		if n := len(k.state.Pages); n > 2 {
			t.Errorf("%s: there are %d pages", channel, n)
		}
		k.say("0", "1 Тизме")
	}
}

// What of a problem was not read yet is read on after a wrong key.
func TestWrongKeyOnALongRefusal(t *testing.T) {
	t.Parallel()
	k := newCounter(t)
	k.say("1", "1 Тизме")
	k.budget = MinBudget
	k.turn(Input{Text: "2"})
	last := k.state.Pages[len(k.state.Pages)-1].Text
	var pages int
	for range 3 {
		k.say("7", "Тандай турган нерсе жок.")
		if pages == 0 {
			pages = len(k.state.Pages)
		}
	}
	if len(k.state.Pages) != pages {
		t.Errorf("%d pages have become %d", pages, len(k.state.Pages))
	}
	for k.state.Page+2 < len(k.state.Pages) {
		k.turn(Input{Text: "9"})
	}
	k.say("9", last)
}

// TestAnotherAnswerAfterALookUp (B5): on a screen that only says what an answer led
// to, and on a fault's, the next text is another answer, on every channel, and the
// screen is still not worth continuing.
func TestAnotherAnswerAfterALookUp(t *testing.T) {
	t.Parallel()
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		for _, ask := range []Ask{AskText, AskNumber} {
			for name, c := range map[string]struct{ typed, want string }{
				"a found number":           {"01KG123ABC", "Табылды 01KG123ABC"},
				"another unknown number":   {"00KG000", "Жок 00KG000"},
				"digits as long as a text": {"12345678901", "Табылды 12345678901"},
				"a faulty one":             {"фу1", "Тизмеде жок"},
				"one whose look-up fails":  {"fault1", "Ката бизден кетти"},
				"a slip of the finger":     {"7", "Тандай турган нерсе жок"},
				"back":                     {"0", "Номер?"},
			} {
				for _, first := range []string{"00KG001", "fault2"} {
					if name == "a slip of the finger" && first == "fault2" {
						continue // a fault's screen takes whatever is typed
					}
					k := newSeeker(t, ask)
					k.c.Channel = channel
					k.say("1", "Номер?")
					k.turn(Input{Text: first})
					if first != "fault2" && k.engine.Dropped(k.state) != nil {
						t.Error("B2: a screen that was read is offered for continuation")
					}
					k.say(c.typed, c.want)
					if t.Failed() {
						t.Fatalf("%s, %q: %s after %s", channel, ask, name, first)
					}
				}
			}
		}
	}
}

// Only a number follows a number in a text; a secret is never taken so.
func TestNoOtherAnswerAfterALookUp(t *testing.T) {
	t.Parallel()
	k := newSeeker(t, AskNumber)
	k.c.Channel = caller.SMS
	k.say("1", "Номер?")
	k.say("00KG001", "Жок 00KG001")
	k.say("кайдасыңар", "Түшүнүксүз")
	k = newSeeker(t, AskSecret)
	k.say("1", "Номер?")
	k.say("000001", "Жок 000001")
	k.say("123456", "Номер?")
	if strings.Contains(string(k.state.Encode()), "123456") {
		t.Error("a secret was taken as an answer")
	}
}

// newSeeker conversations to a service that asks for a number and looks it up.
func newSeeker(t *testing.T, ask Ask) *dialler {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	say := func(text string) Screen { return Screen{Body: []Message{Raw("title", text)}} }
	question := Node{ID: "seek.ask", Plain: func(*Turn) Screen {
		s := say("Номер?")
		s.Ask = ask
		return s
	}, Answer: func(_ context.Context, _ *Turn, input string) (Next, error) {
		if input == "фу1" {
			return Next{}, problem.New(problem.Invalid, "problem.choice")
		}
		return Go("seek.found", "number", input), nil
	}}
	found := Node{ID: "seek.found", Show: func(_ context.Context, t *Turn) (Screen, error) {
		switch number := t.Get("number"); {
		case strings.HasPrefix(number, "fault"):
			return Screen{}, problem.New(problem.NotFound, "problem.internal")
		case strings.HasPrefix(number, "00"):
			return say("Жок " + number), nil
		default:
			return say("Табылды " + number), nil
		}
	}}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, Flow{
		Name: "seek", Entry: Option{Label: Say("dialog.more"), Next: Go("seek.ask")}, Nodes: []Node{question, found},
	})
	if err != nil {
		t.Fatal(err)
	}
	k := &dialler{t: t, engine: engine, state: NewState(locales.KY), c: caller.Caller{Channel: caller.USSD}, budget: ussd}
	k.turn(Input{Start: true})
	return k
}

// A confirmation's number is above all that options were chosen by in the conversation,
// whatever led there, also one that broke off and went on: no such text that comes late
// confirms anything.
func TestAConfirmationHasAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	list := func(*Turn) Screen {
		s := Screen{Body: []Message{Raw("title", "Тизме:")}}
		for n := range 30 {
			s.Options = append(s.Options, Option{Raw("title", fmt.Sprintf("Тандоо %d", n)), Go("sure.ask")})
		}
		return s
	}
	asks := func(*Turn) Screen {
		return Screen{Body: []Message{Raw("title", "Ырастайсызбы?")}, Options: []Option{{Raw("title", "Ооба"), Go("sure.done")}}, Confirms: true}
	}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, Flow{
		Name: "sure", Entry: Option{Label: Say("dialog.more"), Next: Go("sure.list")}, Nodes: []Node{
			{ID: "sure.list", Plain: list}, {ID: "sure.ask", Plain: asks},
			{ID: "sure.done", Plain: func(*Turn) Screen { return Screen{Body: []Message{Raw("title", "Бүттү")}} }},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		for place := range 30 {
			k := &dialler{t: t, engine: engine, state: NewState(locales.KY), c: caller.Caller{Channel: channel}, budget: ussd}
			k.turn(Input{Start: true})
			keys := []string{"1", fmt.Sprint(number(place))}
			k.turn(Input{Text: keys[0]})
			k.turn(Input{Text: keys[1]})
			if place%2 == 1 { // it breaks off, and goes on by a key too
				earlier := k.engine.Dropped(k.state)
				k.state = NewState(locales.KY)
				k.turn(Input{Start: true, Earlier: earlier})
				k.turn(Input{Text: "1"})
			}
			confirms := k.state.Pages[0].Number(0)
			for _, late := range keys {
				if k.turn(Input{Text: late}); k.state.Node != "sure.ask" || k.state.Pages[0].Number(0) != confirms {
					t.Fatalf("%s: after %q a late %q leads to %s, whose key is %s", channel, keys, late, k.state.Node, k.state.Pages[0].Number(0))
				}
			}
			k.say(confirms, "Бүттү")
		}
	}
}
