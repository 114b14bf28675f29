package preschool

import (
	"bufio"
	"context"
	"flag"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// noughts draws the first of all numbers, 47000000001, so that talks can be
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
func proved() dialog.Service {
	return dialog.Service{Name: "identity", Nodes: []dialog.Node{{
		ID: "identity.start",
		Do: func(context.Context, *dialog.Talk) (dialog.Next, error) { return dialog.Return(), nil },
	}}}
}

func newPhone(t *testing.T, s *Service, loc locales.Locale) *phone {
	t.Helper()
	engine, err := dialog.New(s.Texts, dialog.Options{Log: slog.New(slog.DiscardHandler)}, s.Talk(), proved())
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
	p.caller.Turn = "session:" + string(rune('a'+p.turn))
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

// record writes the recorded talks anew: the same is typed, the screens are those
// of today.
var record = flag.Bool("record", false, "write the recorded talks anew instead of holding them")

// TestTalks replays testdata/talks: a line "> 1" is what is typed ("> " dials,
// "! word" begins by SMS, "@ offer KK" is an operator's offer), the lines under
// it are the screen.
func TestTalks(t *testing.T) {
	t.Parallel()
	for file, loc := range map[string]locales.Locale{
		"register_ky.txt": locales.KY, "register_ru.txt": locales.RU, "register_latin.txt": locales.KYLatn,
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(1)
				w.language = loc
				s := newService(t, db, w)
				s.Random = noughts{}
				p := newPhone(t, s, loc)
				replay(t, p, s, "testdata/talks/"+file)
			})
		})
	}
}

func replay(t *testing.T, p *phone, s *Service, path string) {
	t.Helper()
	file, err := os.Open(path) // #nosec G304 -- a test's own file
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var want, got strings.Builder
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		want.WriteString(line + "\n")
		screen, typed := p.play(t, s, line)
		if typed {
			got.WriteString(line + "\n" + screen)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if *record {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != want.String() {
		t.Errorf("%s is not what was said:\n%s", path, got.String())
	}
}

// play does what a line of a talk says and gives the screen that follows.
func (p *phone) play(t *testing.T, s *Service, line string) (string, bool) {
	t.Helper()
	switch {
	case strings.HasPrefix(line, "@ offer "):
		if _, err := s.Offer(t.Context(), "officer", "47000000001", strings.TrimPrefix(line, "@ offer ")); err != nil {
			t.Fatal(err)
		}
		return "", true
	case strings.HasPrefix(line, "! "):
		p.caller.Channel, p.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		return p.send(t, dialog.Input{Start: true, Text: strings.TrimPrefix(line, "! ")}) + "\n", true
	case line == ">":
		p.caller.Channel, p.budget = caller.USSD, dialog.Budget{Septets: 182, Units: 80}
		return p.send(t, dialog.Input{Start: true}) + "\n", true
	case strings.HasPrefix(line, "> "):
		return p.send(t, dialog.Input{Text: strings.TrimPrefix(line, "> ")}) + "\n", true
	}
	return "", false
}
