package preschool

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// Who wants to register a child that is in the queue already hears so at once, with
// its number and its place (finding B7).
func TestAlreadyQueuedIsToldAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		s.Random = noughts{}
		p := newPhone(t, s, locales.KY)
		register := func() string {
			p.send(t, dialog.Input{Start: true})
			p.send(t, dialog.Input{Text: "1"})
			p.send(t, dialog.Input{Text: "1"})
			return p.send(t, dialog.Input{Text: "1"})
		}
		if got := register(); !strings.Contains(got, "Ленин району") {
			t.Fatalf("a new child is answered %q", got)
		}
		made := enrol(t, s, w.parent("first"), "K01", "K05")
		got := register()
		if !strings.Contains(got, made.Number) || !strings.Contains(got, "№ 1 «Күнчө»: 1") || p.state.Node != "preschool.already" {
			t.Errorf("at %s: %q", p.state.Node, got)
		}
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
			t.Fatal(err)
		}
		p.budget = dialog.Budget{Septets: 459, Units: 201}
		if got := register(); !strings.Contains(got, made.Number) || !strings.Contains(got, "1 ") {
			t.Errorf("with an offer: %q", got)
		}
		if p.send(t, dialog.Input{Text: "1"}); p.state.Node != "preschool.offers" {
			t.Errorf("the offer leads to %s", p.state.Node)
		}
	})
}

// Who proved to be the parent chooses among the own registrations; the number is
// typed for others, and a phone that proved nothing sees none (finding B8).
func TestOwnRegistrationsAreListed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		ask := func(from string) (*phone, string) {
			p := newPhone(t, s, locales.KY)
			p.caller.Phone = from
			p.budget = dialog.Budget{Septets: 459, Units: 201}
			p.send(t, dialog.Input{Start: true})
			p.send(t, dialog.Input{Text: "1"})
			return p, p.send(t, dialog.Input{Text: "2"})
		}
		_, none := ask(aigulPhone)
		if strings.Contains(none, "47") || strings.Contains(none, "\n1 ") {
			t.Errorf("without a registration: %q", none)
		}
		mine := enrol(t, s, w.parent("first"), "K01")
		other := enrol(t, s, w.bear(7, w.families[aigul][0].Born), "K01")
		p, list := ask(aigulPhone)
		if !strings.Contains(list, "1 №"+mine.Number) || strings.Contains(list, other.Number) {
			t.Errorf("hers: %q", list)
		}
		if got := p.send(t, dialog.Input{Text: "1"}); !strings.Contains(got, mine.Number) || p.state.Node != "preschool.position" {
			t.Errorf("the choice leads to %s: %q", p.state.Node, got)
		}
		p.send(t, dialog.Input{Text: "0"})
		if got := p.send(t, dialog.Input{Text: other.Number}); !strings.Contains(got, other.Number) || p.state.Node != "preschool.position" {
			t.Errorf("another's number leads to %s: %q", p.state.Node, got)
		}
		stranger, empty := ask("+996700000099")
		if strings.Contains(empty, mine.Number) || !strings.Contains(empty, "1 ") {
			t.Errorf("a stranger sees %q", empty)
		}
		if got := stranger.send(t, dialog.Input{Text: mine.Number}); stranger.state.Node != "preschool.position" {
			t.Errorf("a number that is known leads to %s: %q", stranger.state.Node, got)
		}
	})
}
