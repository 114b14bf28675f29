package identity

import (
	"cmp"
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// doStrong has who holds the phone proved strongly: first at all, then more.
func (s *Service) doStrong(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	citizen, proved, err := s.Proof(ctx, t.Caller)
	if err != nil {
		return dialog.Next{}, err
	}
	if !proved {
		return dialog.Call(NodeStart, NodeStrong), nil
	}
	if citizen.Level < caller.LevelStrong {
		_, err = s.StepUp(ctx, t.Caller)
	}
	switch why := problem.From(err); {
	case err == nil:
		return dialog.Return(keyWhy, ""), nil
	case why.Code == problem.Unproven: // it was undone meanwhile
		return dialog.Go(NodeStart), nil
	case why.Code == problem.Weak:
		if has, err := s.hasSecret(ctx, t.Caller, citizen.ID); err != nil || has {
			return dialog.Call(nodeSecretAsk, NodeStrong), err
		}
		return dialog.Done(nodeWeak, keyWhy, why.Key), nil
	}
	return dialog.Next{}, err
}

// Stronger leads whom an operation refused as proved too weakly to a strong proof, where there is
// one to be had, and from there to node, which tries again; any other error stays one. It is for
// what is chosen on a screen to which a strong proof led that ended since.
func Stronger(node string, err error) (dialog.Next, error) {
	if errors.Is(err, assurance.ErrWeak) {
		return dialog.Call(NodeStrong, node), nil
	}
	return dialog.Next{}, err
}

// showWeak says why the numbers of a card are not enough here, and what else is: each way to a
// strong proof is an option.
func (s *Service) showWeak(t *dialog.Turn) dialog.Screen {
	screen := dialog.Screen{
		Body: []dialog.Message{dialog.Say(cmp.Or(t.Get(keyWhy), assurance.ErrWeak.Key), settles(t.Caller.Now)...)},
		Options: []dialog.Option{
			{Label: dialog.Say("identity.try_again"), Next: dialog.Go(NodeStrong)},
			byEnrolment,
		},
	}
	if s.OffersNational() {
		screen.Options = append(screen.Options, byNational)
	}
	return screen
}
