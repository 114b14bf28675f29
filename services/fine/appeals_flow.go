package fine

import (
	"context"
	"errors"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The nodes of a person's appeals.
const (
	nodeAppeals        = "fine.appeals"
	nodeAppealCar      = "fine.appeal_car"
	nodeAppeal         = "fine.appeal"
	nodeWithdrawSure   = "fine.appeal_withdraw_sure"
	nodeWithdraw       = "fine.do_appeal_withdraw"
	nodeAppealWithdrew = "fine.appeal_withdrew"
)

// memoryAppeal is which appeal a screen is about, by its number.
const memoryAppeal = "fine.appeal"

// ownAppeals leads to the appeals: whose they are is proved first, strongly.
var ownAppeals = dialog.Call(identity.NodeStrong, nodeAppeals)

func (s *Service) appealsNodes() []dialog.Node {
	return []dialog.Node{
		{ID: nodeAppeals, Show: s.showAppeals, Resume: ownAppeals},
		{ID: nodeAppealCar, Plain: showCarAdd, Answer: answerAppealCar, Resume: ownAppeals},
		{ID: nodeAppeal, Show: s.showAppeal, Resume: ownAppeals},
		{ID: nodeWithdrawSure, Show: s.showWithdrawSure, Resume: ownAppeals},
		{ID: nodeWithdraw, Do: s.doWithdraw},
		{ID: nodeAppealWithdrew, Plain: func(t *dialog.Turn) dialog.Screen {
			return say("fine.appeal_withdraw_done", "appeal", t.Get(memoryAppeal))
		}},
	}
}

// showAppeals lists the appeals, the newest first, and offers a new one.
func (s *Service) showAppeals(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	list, err := s.Appeals(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := say("fine.appeals", "n", len(list))
	if len(list) == 0 {
		screen = say("fine.appeals_none")
	}
	for _, a := range list {
		screen.Options = append(screen.Options, option(
			dialog.Say("fine.appeal_row", "appeal", a.Number, "state", s.Texts.Text(t.Caller.Locale, stateKey(a.State))), dialog.Go(nodeAppeal, memoryAppeal, a.Number)))
	}
	screen.Options = append(screen.Options, option(dialog.Say("fine.appeal_new"), dialog.Go(nodeAppealCar)))
	return identity.Named(screen, citizen, nodeAppeals), nil
}

func answerAppealCar(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
	plate, err := ParsePlate(input)
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Call(identity.NodeStrong, nodeWhich, memoryPlate, plate.Text), nil
}

// ownAppeal is the appeal that the conversation is about, of whom the screen before was.
func (s *Service) ownAppeal(ctx context.Context, t *dialog.Turn) (Appeal, string, error) {
	c, citizen, err := s.proven(ctx, t.Caller)
	if err == nil {
		err = identity.Same(t, citizen.ID)
	}
	if err != nil {
		return Appeal{}, "", err
	}
	a, err := s.AppealOf(ctx, c, t.Get(memoryAppeal))
	return a, citizen.ID, err
}

// showAppeal says how an appeal stands, why it was decided so, and what comes next.
func (s *Service) showAppeal(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	a, citizen, err := s.ownAppeal(ctx, t)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := say("fine.appeal_one", "appeal", a.Number, "tail", tailOf(a.Bill), "state", s.Texts.Text(t.Caller.Locale, stateKey(a.State)))
	if a.Answer != "" {
		screen.Body = append(screen.Body, dialog.Raw("answer", a.Answer))
	}
	switch {
	case a.State == AppealAccepted:
		screen.Body = append(screen.Body, dialog.Say("fine.appeal_accepted_next", "plate", a.Plate))
	case a.State == AppealRejected:
		screen.Body = append(screen.Body, dialog.Say("fine.appeal_rejected_next", "plate", a.Plate))
	case a.State.Open() && t.Caller.Now.Before(a.DiscountUntil):
		screen.Body = append(screen.Body, dialog.Say("fine.appeal_clock", "date", clock.Day(a.DiscountUntil)))
	}
	if a.State.Open() {
		screen.Options = []dialog.Option{option(dialog.Say("fine.appeal_withdraw"), dialog.Go(nodeWithdrawSure))}
	}
	return identity.About(screen, citizen), nil
}

func (s *Service) showWithdrawSure(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	a, citizen, err := s.ownAppeal(ctx, t)
	if err == nil && !a.State.Open() {
		err = errAppealOver
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := say("fine.appeal_withdraw_sure", "appeal", a.Number)
	screen.Options, screen.Confirms = []dialog.Option{option(dialog.Say("fine.do_appeal_withdraw"), dialog.Go(nodeWithdraw))}, true
	return identity.About(screen, citizen), nil
}

// doWithdraw withdraws the appeal that was shown; one that is decided meanwhile stays so, which is
// told above the list.
func (s *Service) doWithdraw(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, ok, err := identity.Acting(ctx, s.Identity, t, nodeAppeals)
	if err != nil || !ok {
		return ownAppeals, err
	}
	ended, err := s.WithdrawAppeal(ctx, c, t.Get(memoryAppeal))
	switch {
	case errors.Is(err, errAppealOver), errors.Is(err, errNoAppeal):
		return dialog.Next{}, dialog.BackTo(nodeAppeals, err)
	case err != nil:
		return identity.Stronger(nodeWithdraw, err)
	}
	return dialog.Done(nodeAppealWithdrew, memoryAppeal, ended.Number), nil
}
