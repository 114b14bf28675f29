package preschool

import (
	"context"
	"errors"
	"slices"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// What the conversation about an offer remembers: the name of the kindergarten whose place
// was accepted, which offer is confirmed to be answered, and whether the conversation broke
// off there.
const (
	memKindergarten = "kindergarten"
	memOffer        = "offer"
	memBroke        = "broke"
)

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

// offers are the open ones to whom the phone proved to be, as the caller that comes with them.
func (s *Service) offers(ctx context.Context, t *dialog.Turn) (caller.Caller, []Offer, error) {
	c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return c, nil, err
	}
	open, err := s.Offers(ctx, c)
	return c, open, err
}

func (s *Service) showOffers(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, offers, err := s.offers(ctx, t)
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
	return identity.About(screen, c.Subject), nil
}

// theOffer is the open offer that the conversation is about, which it remembers from now on:
// that of the registration which was chosen, or else the only one. Where several are open and
// none was chosen it is none of them. It comes with whose it is: of nobody but whom the list named.
func (s *Service) theOffer(ctx context.Context, t *dialog.Turn) (caller.Caller, Offer, error) {
	c, offers, err := s.offers(ctx, t)
	if err == nil {
		err = identity.Same(t, c.Subject)
	}
	if err != nil || t.Get(memNumber) == "" && len(offers) != 1 {
		return c, Offer{}, err
	}
	o, err := s.openTo(ctx, c, t.Get(memNumber), offers)
	if err == nil {
		t.Set(memNumber, o.Number)
	}
	return c, o, err
}

func (s *Service) showOffer(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, o, err := s.theOffer(ctx, t)
	if err != nil {
		return dialog.Screen{}, err
	}
	if o.ID == "" {
		return s.showOffers(ctx, t)
	}
	return dialog.Screen{
		About: c.Subject,
		Body:  []dialog.Message{dialog.Say("preschool.offer", "kindergarten", s.title(o, t.Caller.Locale), "date", clock.ShowDate(o.LastDay()))},
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
	c, o, err := s.theOffer(ctx, t)
	if err != nil {
		return dialog.Screen{}, err
	}
	if o.ID == "" {
		return s.showOffers(ctx, t)
	}
	question, err := key(o)
	return dialog.Screen{
		About:    c.Subject,
		Body:     []dialog.Message{dialog.Say(question, "kindergarten", s.title(o, t.Caller.Locale))},
		Options:  []dialog.Option{option(dialog.Say("preschool.sure"), dialog.Go(do, memNumber, o.Number, memOffer, o.ID))},
		Confirms: true,
	}, err
}

func (s *Service) doAccept(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return s.doAnswer(ctx, t, "preschool.accept", true)
}

func (s *Service) doDecline(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	return s.doAnswer(ctx, t, "preschool.decline", false)
}

// doAnswer answers an offer; node is where it is called.
func (s *Service) doAnswer(ctx context.Context, t *dialog.Turn, node string, accept bool) (dialog.Next, error) {
	c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Next{}, err
	}
	if err := identity.Same(t, c.Subject); err != nil {
		return dialog.Next{}, dialog.BackTo("preschool.offers", err)
	}
	answered, err := s.Answer(ctx, c, t.Get(memNumber), t.Get(memOffer), accept)
	if errors.Is(err, problemOther) {
		return dialog.Next{}, dialog.BackTo("preschool.offers", err)
	} else if err != nil {
		return identity.Stronger(node, err)
	}
	return s.outcome(answered, t.Caller.Locale), nil
}

// outcome leads to what became of an offer that was answered.
func (s *Service) outcome(answered Offer, loc locales.Locale) dialog.Next {
	if answered.State == Accepted {
		return dialog.Done("preschool.accepted", memKindergarten, s.title(answered, loc))
	}
	return dialog.Done("preschool.declined", memNumber, answered.Number)
}

// resumed goes on with an offer where the conversation about it broke off: perhaps after
// its answer was taken and before that was said, which then is said now.
func (s *Service) resumed(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil || identity.Same(t, c.Subject) != nil {
		return dialog.Go("preschool.offers"), err // which are another's by now
	}
	if _, _, err := s.theOffer(ctx, t); !errors.Is(err, problemAnswered) {
		return dialog.Go("preschool.offers"), err
	}
	_, row, err := s.lastOffer(ctx, c, t.Get(memNumber))
	return s.outcome(offerOf(row), t.Caller.Locale), err
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
