package preschool

import (
	"context"
	"flag"
	"log/slog"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/dialog/transcript"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// noughts draws the first of all numbers, 47000000001, so that conversations can be
// compared.
type noughts struct{}

func (noughts) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// phone is a citizen's phone on the real engine; the state goes through its
// encoding between turns, as it does in a session.
type phone struct {
	engine *dialog.Engine
	state  *dialog.State
	caller caller.Caller
	turn   int
	budget dialog.Budget
}

// proved stands for identification, which is tested where it lives: here the
// phone has a valid proof.
func proved() dialog.Flow {
	passes := func(context.Context, *dialog.Turn) (dialog.Next, error) { return dialog.Return(), nil }
	return dialog.Flow{Name: "identity", Nodes: []dialog.Node{{ID: identity.NodeStart, Do: passes}, {ID: identity.NodeStrong, Do: passes}}}
}

func newPhone(t *testing.T, s *Service, loc locales.Locale) *phone {
	t.Helper()
	engine, err := dialog.New(s.Texts, dialog.Options{Log: slog.New(slog.DiscardHandler)}, s.Flow(), proved())
	if err != nil {
		t.Fatal(err)
	}
	return &phone{
		engine: engine, state: dialog.NewState(loc), budget: dialog.Budget{Septets: 182, Units: 80},
		caller: caller.Caller{Phone: aigulPhone, Channel: caller.USSD, Locale: loc, Now: start},
	}
}

func (p *phone) send(t *testing.T, input dialog.Input) string {
	t.Helper()
	p.turn++
	p.caller.Key = "session:" + string(rune('a'+p.turn))
	input.Budget = p.budget
	reply, err := p.engine.Next(t.Context(), p.caller, p.state, input)
	if err != nil {
		t.Fatal(err)
	}
	if !p.budget.Fits(reply.Text) {
		t.Errorf("the screen is too long:\n%s", reply.Text)
	}
	kept := p.state.Encode()
	if strings.Contains(string(kept), nurai) {
		t.Error("the state holds a personal number")
	}
	if p.state, err = dialog.Decode(kept); err != nil {
		t.Fatal(err)
	}
	return reply.Text
}

// record writes the recorded conversations anew: the same is typed, the screens are those
// of today.
var record = flag.Bool("record", false, "write the recorded conversations anew instead of holding them")

// TestConversations replays testdata/conversations: "> " alone dials, "! word" begins by SMS, "@ offer
// KK" is an operator's offer.
func TestConversations(t *testing.T) {
	t.Parallel()
	for file, loc := range map[string]locales.Locale{
		"register_ky.txt": locales.KY, "register_ru.txt": locales.RU, "register_latin.txt": locales.KYLatn,
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, 1)
				w.language = loc
				s := newService(t, w)
				s.Random = noughts{}
				p := newPhone(t, s, loc)
				replayTalk(t, p, s, "testdata/conversations/"+file)
			})
		})
	}
}

func replayTalk(t *testing.T, p *phone, s *Service, path string) {
	t.Helper()
	conversation, err := transcript.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	screen := ""
	for i, turn := range conversation {
		before := screen
		screen = p.play(t, s, turn, before)
		if *record {
			conversation[i].Shown = nil
			if screen != "" {
				conversation[i].Shown = []string{screen}
			}
			continue
		}
		if !transcript.Same(turn.Screen(), screen) {
			t.Fatalf("%s, turn %d, after %q:\n%s\nrecorded:\n%s", path, i+1, turn.Input, screen, turn.Screen())
		}
	}
	if *record {
		if err := transcript.WriteFile(path, conversation); err != nil {
			t.Fatal(err)
		}
	}
}

// play does what a turn of a conversation says and gives the screen that follows.
func (p *phone) play(t *testing.T, s *Service, turn transcript.Turn, before string) string {
	t.Helper()
	switch {
	case turn.Mark == transcript.Others:
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, "47000000001", strings.TrimPrefix(turn.Input, "offer ")); err != nil {
			t.Fatal(err)
		}
		return ""
	case turn.Mark == transcript.Texted:
		p.caller.Channel, p.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		return p.send(t, dialog.Input{Start: true, Text: turn.Input})
	case turn.Input == "":
		p.caller.Channel, p.budget = caller.USSD, dialog.Budget{Septets: 182, Units: 80}
		return p.send(t, dialog.Input{Start: true})
	}
	typed, err := transcript.Choice(turn.Input, before)
	if err != nil {
		t.Fatal(err)
	}
	return p.send(t, dialog.Input{Text: typed})
}
