package preschool

import (
	"context"
	"slices"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
)

// memKindergarten is the name of the one whose place was accepted.
const memKindergarten = "kindergarten"

// confirmSkip has a confirmation on the third number: the first opens the offer and accepts,
// the second declines. A text that arrives twice, or late, confirms nothing.
const confirmSkip = 2

// answersOf are the words that accept and decline a place; what they lead to asks first.
// pairs are put into the conversation's memory.
func answersOf(pairs ...string) []dialog.Saying {
	return []dialog.Saying{
		{Words: slices.Concat(yesWords, acceptWords), Next: dialog.Go("preschool.accept_sure", pairs...)},
		{Words: slices.Concat(noWords, declineWords), Next: dialog.Go("preschool.decline_sure", pairs...)},
	}
}

// secondThoughts are the words on the screen that asks whether to decline: a plain "no"
// leads back to the offer. None confirms: the text before may have been the same.
func secondThoughts() []dialog.Saying {
	return []dialog.Saying{
		{Words: slices.Concat(yesWords, declineWords), Next: dialog.Go("preschool.decline_sure")},
		{Words: noWords, Next: dialog.Go("preschool.offer")},
		{Words: acceptWords, Next: dialog.Go("preschool.accept_sure")},
	}
}

func (s *Service) showOffers(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	offers, err := s.Offers(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.offers")}}
	if len(offers) == 0 {
		screen.Body = []dialog.Message{dialog.Say("preschool.no_offers")}
	}
	for _, o := range offers {
		screen.Options = append(screen.Options, option(dialog.Raw("kindergarten", s.title(o, t.Caller.Locale)), dialog.Go("preschool.offer", memNumber, o.Number)))
	}
	// A person with a new number gives it here.
	screen.Options = append(screen.Options, option(dialog.Say("preschool.use_phone"), dialog.Go("preschool.phone")))
	return screen, nil
}

func (s *Service) showOffer(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	offers, err := s.Offers(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	o, err := s.openTo(ctx, c, t.Get(memNumber), offers)
	if err != nil {
		return dialog.Screen{}, err
	}
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("preschool.offer", "kindergarten", s.title(o, t.Caller.Locale), "date", clock.ShowDate(o.LastDay()))},
		Options: []dialog.Option{
			option(dialog.Say("preschool.do_accept"), dialog.Go("preschool.accept_sure", memNumber, o.Number)),
			option(dialog.Say("preschool.do_decline"), dialog.Go("preschool.decline_sure", memNumber, o.Number)),
		},
	}, nil
}

// showAcceptSure says which place is accepted, and what is given up for it.
func (s *Service) showAcceptSure(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	return s.showSure(ctx, t, "preschool.accept", func(o Offer) (string, error) {
		found, err := s.position(ctx, t.Caller, o.Number)
		if len(found.Places) > 1 {
			return "preschool.accept_sure_others", err
		}
		return "preschool.accept_sure", err
	})
}

// showDeclineSure says which place is declined, and what becomes of it.
func (s *Service) showDeclineSure(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	return s.showSure(ctx, t, "preschool.decline", func(Offer) (string, error) { return "preschool.decline_sure", nil })
}

// showSure asks once more before an answer is given: one key would take a child out of its
// queues, or give a place away. Who answered in words on the list of several offers is shown
// the list again.
func (s *Service) showSure(ctx context.Context, t *dialog.Turn, do string, key func(Offer) (string, error)) (dialog.Screen, error) {
	c, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	offers, err := s.Offers(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	if t.Get(memNumber) == "" && len(offers) != 1 {
		return s.showOffers(ctx, t)
	}
	o, err := s.openTo(ctx, c, t.Get(memNumber), offers)
	if err != nil {
		return dialog.Screen{}, err
	}
	question, err := key(o)
	return dialog.Screen{
		Body:    []dialog.Message{dialog.Say(question, "kindergarten", s.title(o, t.Caller.Locale))},
		Options: []dialog.Option{option(dialog.Say("preschool.sure"), dialog.Go(do, memNumber, o.Number))},
		Skip:    confirmSkip,
	}, err
}

func (s *Service) doAccept(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return s.doAnswer(ctx, t, true, "preschool.accepted")
}

func (s *Service) doDecline(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return s.doAnswer(ctx, t, false, "preschool.declined")
}

func (s *Service) doAnswer(ctx context.Context, t *dialog.Turn, accept bool, done string) (dialog.Next, error) {
	c, err := s.proven(ctx, t.Caller)
	if err != nil {
		return dialog.Next{}, err
	}
	answered, err := s.Answer(ctx, c, t.Get(memNumber), accept)
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Done(done, memKindergarten, s.title(answered, t.Caller.Locale)), nil
}

func (s *Service) showAccepted(t *dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.accepted", "kindergarten", t.Get(memKindergarten))}}
}

func (s *Service) showDeclined(t *dialog.Turn) dialog.Screen {
	key := "preschool.declined"
	if s.rules.at(t.Caller.Now).effect(Declined) == toTheEnd {
		key = "preschool.declined_end"
	}
	return dialog.Screen{Body: []dialog.Message{dialog.Say(key, "number", t.Get(memNumber))}}
}
