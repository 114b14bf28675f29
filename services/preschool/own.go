package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Registrations lists the registrations of the proven citizen c.Subject, newest
// first: at most 100, each with its child's key in the replay files. A phone alone proves nothing.
func (s *Service) Registrations(ctx context.Context, c caller.Caller) ([]Position, error) {
	if c.Subject == "" {
		return nil, problemProve
	}
	if err := Assurance.Admit(c, "own"); err != nil {
		return nil, err
	}
	rows, err := db.New(s.DB.Reader()).NumbersOfCitizen(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("list the registrations of the citizen: %w", err)
	}
	list := make([]Position, 0, len(rows))
	for _, row := range rows {
		position, err := s.position(ctx, c, row.Number)
		if err != nil {
			return nil, err
		}
		position.Key = row.ChildIndex
		list = append(list, position)
	}
	return list, nil
}

// showAskNumber lists the registrations of who the phone proved to be; the number is
// typed for others. Who proved nothing may do so to see them.
func (s *Service) showAskNumber(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.ask_number")}, Ask: dialog.AskNumber}
	if c.Subject == "" {
		screen.Options = []dialog.Option{option(dialog.Say("preschool.own"), proveAgain("preschool.ask_number"))}
		return screen, nil
	}
	own, err := s.Registrations(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	for _, r := range own {
		screen.Options = append(screen.Options,
			option(dialog.Say("preschool.own_number", "number", r.Number), dialog.Go("preschool.position", memNumber, r.Number)))
	}
	if len(own) > 0 {
		screen.Body = []dialog.Message{dialog.Say("preschool.choose_number")}
	}
	return screen, nil
}

// showAlready tells whose child is in the queue already its number and its place, and
// whose child has a place where and what can be done.
func (s *Service) showAlready(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	found, err := s.Position(ctx, t.Caller, t.Get(memNumber))
	if err != nil {
		return dialog.Screen{}, err
	}
	if found.State == StatePlaced {
		c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
		if err != nil {
			return dialog.Screen{}, err
		}
		return dialog.Screen{}, s.placed(ctx, found.Number, c)
	}
	body := append([]dialog.Message{dialog.Say("preschool.already", "number", found.Number)}, s.offered(found, t.Caller.Locale)...)
	screen := dialog.Screen{Body: append(body, places(found, t.Caller.Locale)...)}
	return withOffer(screen, found), nil
}

// numberOf is the number under which a child waits or has its place; "" for none.
func (s *Service) numberOf(ctx context.Context, pin string) (string, error) {
	held, err := db.New(s.DB.Reader()).HeldOfChild(ctx, s.childIndex(pin))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("look for the child's registration: %w", err)
	}
	return held.Number, nil
}

// titleAmong is a kindergarten's name among n others, its own with them; with its district
// where another of them reads alike.
func titleAmong(of, district Name, n int, at func(i int) Name, loc locales.Locale) string {
	name, bearers := of.In(loc), 0
	for i := range n {
		if at(i).In(loc) == name {
			bearers++
		}
	}
	return toldApart(name, district.In(loc), bearers)
}
