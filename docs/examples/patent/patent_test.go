package patent_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/docs/examples/patent"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/dialog/transcript"
	"github.com/eshik-kg/eshik/platform/problem"
)

// taxOffice is a register in memory.
type taxOffice struct{ issued map[string]patent.Patent }

func (*taxOffice) Activities(context.Context) ([]patent.Activity, error) {
	return []patent.Activity{
		{"taxi", map[locales.Locale]string{locales.KY: "Такси", locales.RU: "Такси"}, 2100},
		{"sewing", map[locales.Locale]string{locales.KY: "Тигүү", locales.RU: "Пошив одежды"}, 1200},
	}, nil
}

const number = "11503198800011"

func (*taxOffice) Person(_ context.Context, typed string) (string, error) {
	if typed != number {
		return "", problem.New(problem.NotFound, "problem.patent_person")
	}
	return "person-7", nil
}

func (r *taxOffice) Issue(_ context.Context, key, person, activity string) (patent.Patent, error) {
	if person != "person-7" || activity != "sewing" {
		return patent.Patent{}, fmt.Errorf("issued to %q for %q", person, activity)
	}
	if _, done := r.issued[key]; !done {
		until := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
		r.issued[key] = patent.Patent{Number: fmt.Sprint(4711 + len(r.issued)), Until: until}
	}
	return r.issued[key], nil
}

// phone is a citizen at a phone. Between turns the state is only its encoding.
type phone struct {
	t      *testing.T
	engine *dialog.Engine
	office *taxOffice
	budget dialog.Budget
	caller caller.Caller
	state  []byte
	turns  int
	heard  []transcript.Turn
}

func newPhone(t *testing.T, channel caller.Channel, loc locales.Locale) *phone {
	t.Helper()
	texts, err := locales.Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{
		t: t, office: &taxOffice{issued: map[string]patent.Patent{}}, state: dialog.NewState(loc).Encode(),
		budget: dialog.Budget{Septets: 182, Units: 80}, caller: caller.Caller{Channel: channel, Now: time.Unix(0, 0)},
	}
	if channel == caller.SMS {
		p.budget = dialog.Budget{Septets: 459, Units: 201}
	}
	service := &patent.Service{Register: p.office}
	if p.engine, err = dialog.New(texts, dialog.Options{Log: slog.New(slog.DiscardHandler)}, service.Flow()); err != nil {
		t.Fatal(err)
	}
	return p
}

// take takes one turn from the state that is stored, and does not store the next.
func (p *phone) take(in dialog.Input) (dialog.Reply, *dialog.State) {
	p.t.Helper()
	state, err := dialog.Decode(p.state)
	if err != nil {
		p.t.Fatal(err)
	}
	p.caller.Key, in.Budget = fmt.Sprint("turn ", p.turns), p.budget
	reply, err := p.engine.Next(p.t.Context(), p.caller, state, in)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply, state
}

// turn takes one turn twice, as a gateway does that lost the answer: the citizen
// sees one screen, and it fits also with the longest values.
func (p *phone) turn(in dialog.Input) dialog.Reply {
	p.t.Helper()
	lost, _ := p.take(in)
	reply, state := p.take(in)
	if lost.Text != reply.Text || lost.End != reply.End {
		p.t.Errorf("a retry got %q, not %q", reply.Text, lost.Text)
	}
	p.state = state.Encode()
	p.turns++
	if strings.Contains(string(p.state), number) {
		p.t.Error("the personal number is in the state")
	}
	pages, err := p.engine.Worst(p.t.Context(), p.caller, state, p.budget)
	if err != nil || len(pages) != 1 {
		p.t.Errorf("at its longest a screen is %q, %v", pages, err)
	}
	for _, text := range append(pages, reply.Text) {
		if !p.budget.Fits(text) {
			p.t.Errorf("too long: %q", text)
		}
	}
	return reply
}

// say types and writes down what was heard; a secret is not written down.
func (p *phone) say(input string) dialog.Reply {
	reply := p.turn(dialog.Input{Text: input})
	turn := transcript.Recorded(input, p.heard[len(p.heard)-1].Screen())
	turn.Shown = []string{reply.Text}
	p.heard = append(p.heard, turn)
	return reply
}

// holds compares what was heard with a transcript.
func (p *phone) holds(path string) {
	p.t.Helper()
	recorded, err := transcript.ReadFile(path)
	if err != nil || len(recorded) != len(p.heard) {
		p.t.Fatalf("%d turns are recorded, %d were heard: %v", len(recorded), len(p.heard), err)
	}
	for i, want := range recorded {
		if got := p.heard[i]; got.Input != want.Input || !transcript.Same(want.Screen(), got.Screen()) {
			p.t.Fatalf("turn %d: %q\n%s\nrecorded: %q\n%s", i+1, got.Input, got.Screen(), want.Input, want.Screen())
		}
	}
}

// TestConversation holds the conversation in every language and script, over USSD and by SMS. What
// is heard stands in testdata, and in the guide.
func TestConversation(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn} {
		for channel, start := range map[caller.Channel]dialog.Input{
			caller.USSD: {Start: true, Dialled: []string{"1"}}, caller.SMS: {Start: true, Text: "патент"},
		} {
			t.Run(string(channel)+" "+string(loc), func(t *testing.T) {
				t.Parallel()
				p := newPhone(t, channel, loc)
				p.heard = []transcript.Turn{{Input: "патент", Shown: []string{p.turn(start).Text}}}
				p.say("2")
				p.say("11503198800012") // a digit is wrong
				p.say(number)
				if end := p.say("1"); !end.End {
					t.Error("the conversation goes on")
				}
				if len(p.office.issued) != 1 {
					t.Errorf("%d patents were issued", len(p.office.issued))
				}
				p.holds("testdata/" + string(loc) + ".txt")
			})
		}
	}
}

// TestAnotherTurnIsAnotherPatent: the key is the turn's, not the choice's.
func TestAnotherTurnIsAnotherPatent(t *testing.T) {
	t.Parallel()
	p := newPhone(t, caller.USSD, locales.KY)
	for want := 1; want <= 2; want++ {
		p.turn(dialog.Input{Start: true, Dialled: []string{"1", "2"}})
		p.turn(dialog.Input{Text: number})
		p.turn(dialog.Input{Text: "1"})
		if len(p.office.issued) != want {
			t.Errorf("%d patents, want %d", len(p.office.issued), want)
		}
	}
}
