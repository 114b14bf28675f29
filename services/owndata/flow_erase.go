package owndata

import (
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/personal"
)

// The nodes of an erasure.
const (
	nodeErase   = "owndata.erase"
	nodeAsk     = "owndata.ask"
	nodeStop    = "owndata.stop"
	nodeStopped = "owndata.stopped"
)

// erased is the way to an erasure: whose data it is is proved first.
var erased = dialog.Call(identity.NodeStrong, nodeErase)

// eraseNodes are the screens of an erasure.
func (s *Service) eraseNodes() []dialog.Node {
	return []dialog.Node{
		{ID: nodeErase, Show: s.showErase, Resume: erased},
		{ID: nodeAsk, Do: s.doAsk},
		{ID: nodeStop, Do: s.doStop},
		{ID: nodeStopped, Plain: showStopped},
	}
}

// showErase says what would be kept, and asks for the confirmation; where an erasure is
// under way, when it is done and how to stop it.
func (s *Service) showErase(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	e, err := s.Erasure(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	if !e.AskedAt.IsZero() {
		screen := dialog.Screen{
			Body:    []dialog.Message{dialog.Say("owndata.asked", "until", clock.NotBefore(e.DueAt))},
			Options: []dialog.Option{{Label: dialog.Say("owndata.do_stop"), Next: dialog.Go(nodeStop)}},
		}
		return identity.Named(screen, citizen, nodeErase), nil
	}
	screen := dialog.Screen{
		Body:     []dialog.Message{dialog.Say("owndata.erase")},
		Options:  []dialog.Option{{Label: dialog.Say("owndata.do_erase"), Next: dialog.Go(nodeAsk)}},
		Confirms: true,
	}
	for _, k := range e.Keeps {
		screen.Body = append(screen.Body, why(k))
	}
	return identity.Named(screen, citizen, nodeErase), nil
}

// why says what is kept, and until when where that is known.
func why(k personal.Kept) dialog.Message {
	if k.Until.IsZero() {
		return dialog.Say(k.Key)
	}
	return dialog.Say(k.Key, "date", clock.Day(k.Until))
}

// same is proven, for what was chosen on the screen of an erasure: it is done for the person
// whom that named.
func (s *Service) same(ctx context.Context, t *dialog.Turn) (caller.Caller, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return c, err
	}
	if err := identity.Same(t, citizen.ID); err != nil {
		return c, dialog.BackTo(nodeErase, err)
	}
	return c, nil
}

func (s *Service) doAsk(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, err := s.same(ctx, t)
	if err != nil {
		return dialog.Next{}, err
	}
	if _, err = s.AskErasure(ctx, c); err != nil {
		return identity.Stronger(nodeAsk, err)
	}
	return dialog.Done(nodeErase), nil
}

// doStop stops an erasure; one that was stopped already, perhaps by the turn before, is.
func (s *Service) doStop(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, err := s.same(ctx, t)
	if err != nil {
		return dialog.Next{}, err
	}
	if err := s.WithdrawErasure(ctx, c); err != nil && !errors.Is(err, problemNoErasure) {
		return dialog.Next{}, err
	}
	return dialog.Done(nodeStopped), nil
}

func showStopped(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("owndata.stopped")}, End: true}
}
