package fine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// The nodes of one fine of a person's own car.
const (
	nodeWhich = "fine.which"
	nodeOne   = "fine.one"
)

// memoryBill is which fine a screen is about, by its payment code.
const memoryBill = "fine.bill"

// oneOf leads to the fines of the plate that the conversation remembers, to choose one: whose the
// car is is proved first, strongly, as what can be done with one is about the person.
var oneOf = dialog.Call(identity.NodeStrong, nodeWhich)

func (s *Service) oneNodes() []dialog.Node {
	return []dialog.Node{
		{ID: nodeWhich, Show: s.showWhich, Resume: oneOf},
		{ID: nodeOne, Show: s.showOne, Resume: oneOf},
	}
}

// showWhich lists the fines of an own car, paid ones too: those may be appealed as others.
func (s *Service) showWhich(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	owner, err := s.owner(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	plate := t.Get(memoryPlate)
	list, err := s.priced(ctx, t.Caller, owner, plate)
	if notOwner := problem.From(err); err != nil && notOwner.Key == "problem.registry_not_owner" {
		return identity.Named(say(notOwner.Key), owner, nodeWhich), nil
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	if len(list) == 0 {
		return identity.Named(say("fine.clean", "plate", plate), owner, nodeWhich), nil
	}
	screen := say("fine.which", "plate", plate)
	for _, v := range list {
		screen.Options = append(screen.Options, option(
			label(Bill{Number: v.Number, Due: cmp.Or(v.Due, v.Amount)}, v, t.Caller.Now), dialog.Go(nodeOne, memoryBill, v.Number)))
	}
	return identity.About(screen, owner.ID), nil
}

// showOne says what a fine is for, and what can be done about it.
func (s *Service) showOne(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	owner, err := s.owner(ctx, t.Caller)
	if err == nil {
		err = identity.Same(t, owner.ID)
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	v, err := s.ownViolation(ctx, t.Caller, owner, t.Get(memoryPlate), t.Get(memoryBill))
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{violated(v, "fine.violation_at", "at", clock.Moment(v.At)), sumOrOver(v)}}
	appeal, err := s.appealOption(ctx, owner, v)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen.Options = []dialog.Option{option(dialog.Say("fine.photo_option"), dialog.Go(nodePhoto)), appeal}
	return identity.About(screen, owner.ID), nil
}

// ownViolation is one fine of an own car with what it costs now. Problem: fine_appeal_fine (the
// car has none of that number).
func (s *Service) ownViolation(ctx context.Context, c caller.Caller, owner identity.Citizen, plate, number string) (Violation, error) {
	list, err := s.details(ctx, c, owner, plate)
	if err != nil {
		return Violation{}, err
	}
	i := slices.IndexFunc(list, func(v Violation) bool { return v.Number == number })
	if i < 0 {
		return Violation{}, errAppealFine
	}
	if err := s.priceNow(ctx, s.call(c), &list[i], c.Now); err != nil {
		return Violation{}, fmt.Errorf("price an owner's fine: %w", err)
	}
	return list[i], nil
}

// sumOrOver is what a fine costs now, or that it costs nothing any more.
func sumOrOver(v Violation) dialog.Message {
	if v.Due == 0 {
		return dialog.Say("fine.over")
	}
	return sum(v)
}

// appealOption leads to the appeal of a fine: to the one of the owner's that is open, or to a new
// one, which remembers how long the fine has a discount.
func (s *Service) appealOption(ctx context.Context, owner identity.Citizen, v Violation) (dialog.Option, error) {
	open, err := db.New(s.DB.Reader()).OpenAppeal(ctx, sql.NullString{String: v.Number, Valid: true})
	switch {
	case err == nil && open.CitizenID == owner.ID:
		return option(dialog.Say("fine.appeal_open", "appeal", open.Number), dialog.Go(nodeAppeal, memoryAppeal, open.Number)), nil
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return dialog.Option{}, fmt.Errorf("look for an open appeal: %w", err)
	}
	return option(dialog.Say("fine.appeal_option"), dialog.Go(nodeAppealWhy, memoryClock, clockOf(v))), nil
}
