package identity

import (
	"context"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The nodes and the memory of the national sign-in.
const (
	nodeNational     = "identity.national"
	nodeNationalCode = "identity.national_code"
	keyNational      = "identity.national" // a sign-in's id, never what is typed elsewhere
)

// byNational is the way to a strong proof by the national sign-in.
var byNational = dialog.Option{Label: dialog.Say("identity.by_national"), Next: dialog.Go(nodeNational)}

// doNational begins a sign-in for a phone without a browser.
func (s *Service) doNational(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	begun, err := s.BeginNational(ctx, t.Caller, t.Caller.Session, true)
	if why := problem.From(err); err != nil && why.Code == problem.Unavailable {
		return dialog.Go(nodeWeak, keyWhy, why.Key), nil
	}
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Go(nodeNationalCode, keyNational, begun.ID), nil
}

// showNational shows what is typed on another device, and lets who has done so go on.
func (s *Service) showNational(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	signIn, err := s.NationalOf(ctx, t.Caller, t.Caller.Session, t.Get(keyNational))
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{
		Body:    []dialog.Message{dialog.Say("identity.national_open", "address", signIn.Address, "user", signIn.UserCode)},
		Options: []dialog.Option{{Label: dialog.Say("identity.national_check"), Next: dialog.Go(NodeStrong)}},
	}
	if signIn.State != NationalOpen {
		screen.Body = []dialog.Message{dialog.Say("identity.national_ended")}
	}
	return screen, nil
}
