package dialog

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// counter is a service with a long question, a long list and a refusal.
func counter() Service {
	end := func(text string) func(context.Context, *Talk) (Screen, error) {
		return func(_ context.Context, t *Talk) (Screen, error) {
			return Screen{Body: []Message{Raw("title", text+t.Get("n"))}}, nil
		}
	}
	return Service{
		Name: "counter", Entry: Option{Label: Say("dialog.more"), Next: Go("counter.question")},
		Nodes: []Node{
			{ID: "counter.question", Show: func(context.Context, *Talk) (Screen, error) {
				return Screen{Body: []Message{Raw("title", "Токтогон жериңизден улантасызбы, же башкасын карайсызбы?")}, Options: []Option{
					{Raw("title", "Тизме"), Go("counter.list")}, {Raw("title", "Баш"), Go("counter.refusal")},
				}}, nil
			}},
			{ID: "counter.list", Show: func(context.Context, *Talk) (Screen, error) {
				s := Screen{Body: []Message{Raw("title", "Баары:")}}
				for n := range 12 {
					s.Options = append(s.Options, Option{Raw("title", fmt.Sprintf("Тандоо %d", n)), Go("counter.end", "n", fmt.Sprint(n))})
				}
				return s, nil
			}},
			{ID: "counter.refusal", Show: func(context.Context, *Talk) (Screen, error) {
				return Screen{}, problem.New(problem.Upstream, "problem.internal")
			}},
			{ID: "counter.end", Show: end("Тандалды ")},
		},
	}
}

func newCounter(t *testing.T) *talker {
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
	k := &talker{t: t, engine: engine, state: NewState(locales.KY), c: c, budget: ussd}
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

// A wrong key on a refusal says once more what it says, and leads nowhere else.
func TestWrongKeyOnRefusal(t *testing.T) {
	t.Parallel()
	k := newCounter(t)
	k.say("1", "1 Тизме")
	refusal := k.turn(Input{Text: "2"}).Text
	for range 2 {
		if got := k.turn(Input{Text: "1"}).Text; got != refusal {
			t.Errorf("answered %q, want %q", got, refusal)
		}
	}
	k.say("0", "1 Тизме")
}
