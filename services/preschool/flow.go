package preschool

import (
	"context"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
)

// The conversation's memory. The child is a Child.Ref, never a personal number.
const (
	memChild    = "child"
	memDistrict = "district"
	memChoices  = "choices" // codes in order of wish, joined by a comma
	memNumber   = "number"
)

// Flow is the service's part of the conversation.
func (s *Service) Flow() dialog.Flow {
	return dialog.Flow{
		Name:  name,
		Entry: dialog.Option{Label: dialog.Say("preschool.entry"), Next: dialog.Go("preschool.menu")},
		Nodes: []dialog.Node{
			{ID: "preschool.menu", Menu: true, Plain: s.showMenu},
			{ID: "preschool.child", Show: s.showChildren, Resume: proveAgain("preschool.child")},
			{ID: "preschool.already", Show: s.showAlready, Resume: proveAgain("preschool.child")},
			{ID: "preschool.district", Show: s.showDistricts, Resume: proveAgain("preschool.district")},
			{ID: "preschool.kindergarten", Show: s.showKindergartens, Resume: proveAgain("preschool.kindergarten")},
			{ID: "preschool.confirm", Show: s.showConfirm, Resume: proveAgain("preschool.confirm")},
			{ID: "preschool.register", Do: s.doRegister},
			{ID: "preschool.done", Show: s.showDone},
			{ID: "preschool.ask_number", Show: s.showAskNumber, Answer: s.answerNumber},
			{ID: "preschool.position", Show: s.showPosition},
			{ID: "preschool.mine", Do: s.doMine},
			{ID: "preschool.offers", Show: s.showOffers, Resume: answer, Sayings: answersOf(memNumber, "")},
			{ID: "preschool.offer", Show: s.showOffer, Resume: goOn, Sayings: answersOf()},
			{ID: "preschool.phone", Do: s.doPhone},
			{ID: "preschool.phone_done", Plain: s.showPhoneDone},
			{ID: "preschool.accept_sure", Show: s.showAcceptSure, Resume: goOn, Sayings: answersOf()},
			{ID: "preschool.accept", Do: s.doAccept},
			{ID: "preschool.decline_sure", Show: s.showDeclineSure, Resume: goOn, Sayings: secondThoughts()},
			{ID: "preschool.decline", Do: s.doDecline},
			{ID: "preschool.accepted", Plain: s.showAccepted},
			{ID: "preschool.declined", Plain: s.showDeclined},
		},
		Commands: commands(),
		Shapes:   []dialog.Shape{{Read: findNumber, Ask: "preschool.ask_number"}},
		Hint:     hint,
		Told:     &dialog.Told{Say: s.sayOpen},
		Texted:   dialog.Say("preschool.texted"),
	}
}

// proveAgain has a conversation that broke off prove whose children these are.
func proveAgain(node string) dialog.Next { return dialog.Call(identity.NodeStart, node) }

func option(label dialog.Message, next dialog.Next) dialog.Option {
	return dialog.Option{Label: label, Next: next}
}

func (s *Service) showMenu(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("preschool.title")},
		Options: []dialog.Option{
			option(dialog.Say("preschool.menu_register"), register),
			option(dialog.Say("preschool.menu_position"), dialog.Go("preschool.ask_number")),
			option(dialog.Say("preschool.menu_offer"), answer),
		},
	}
}

func (s *Service) showChildren(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	children, err := s.Children(ctx, c)
	if err != nil {
		return dialog.Screen{}, err
	}
	if len(children) == 0 {
		none := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.no_children")}}
		return identity.Named(none, citizen, "preschool.child"), nil
	}
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.ask_child")}}
	for _, child := range children {
		next := dialog.Go("preschool.district", memChild, child.Ref, memChoices, "")
		if child.Number != "" { // said at once, not after all that a registration asks
			next = dialog.Go("preschool.already", memNumber, child.Number)
		}
		screen.Options = append(screen.Options, option(dialog.Raw("child", child.Name), next))
	}
	return identity.Named(screen, citizen, "preschool.child"), nil
}

func (s *Service) showDistricts(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	districts, err := s.Districts(ctx)
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.ask_district")}}
	for _, d := range districts {
		screen.Options = append(screen.Options,
			option(dialog.Raw("district", d.Name.In(t.Caller.Locale)), dialog.Go("preschool.kindergarten", memDistrict, d.Code)))
	}
	return screen, nil
}

// choices are the kindergartens chosen so far.
func choices(t *dialog.Turn) []string {
	joined := t.Get(memChoices)
	if joined == "" {
		return nil
	}
	return strings.Split(joined, ",")
}

func (s *Service) showKindergartens(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	found, err := s.Kindergartens(ctx, t.Get(memDistrict))
	if err != nil {
		return dialog.Screen{}, err
	}
	t.SetRegion(s.regions.OfSOATE(t.Get(memDistrict)))
	most := s.rules.at(t.Caller.Now).Choices
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.ask_kindergarten", "n", len(choices(t))+1, "most", most)}}
	for _, k := range found {
		chosen := choices(t)
		if slices.Contains(chosen, k.Code) {
			continue
		}
		screen.Options = append(screen.Options, option(dialog.Raw("kindergarten", k.Name.In(t.Caller.Locale)),
			dialog.Go("preschool.confirm", memChoices, strings.Join(append(chosen, k.Code), ","))))
	}
	return screen, nil
}

// showConfirm lists the choices and offers another one while there is room.
func (s *Service) showConfirm(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	p := s.rules.at(t.Caller.Now)
	chosen, err := s.chosen(ctx, p, choices(t))
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.confirm")}}
	for _, k := range chosen {
		named := titleAmong(k.Name, k.District.Name, len(chosen), func(i int) Name { return chosen[i].Name }, t.Caller.Locale)
		screen.Body = append(screen.Body, dialog.Say("preschool.choice", "kindergarten", named))
	}
	screen.Options = append(screen.Options, option(dialog.Say("preschool.do_register"), dialog.Go("preschool.register")))
	if len(chosen) < p.Choices {
		screen.Options = append(screen.Options, option(dialog.Say("preschool.add"), dialog.Go("preschool.district")))
	}
	return screen, nil
}

func (s *Service) doRegister(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Next{}, err
	}
	if err := identity.Same(t, citizen.ID); err != nil {
		return dialog.Next{}, dialog.BackTo("preschool.child", err)
	}
	made, err := s.Register(ctx, c, t.Get(memChild), choices(t))
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Done("preschool.done", memNumber, made.Number), nil
}

func (s *Service) showDone(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	found, err := s.Position(ctx, t.Caller, t.Get(memNumber))
	if err != nil {
		return dialog.Screen{}, err
	}
	body := []dialog.Message{dialog.Say("preschool.registered", "number", found.Number)}
	return dialog.Screen{Body: append(body, places(found, t.Caller.Locale)...)}, nil
}

// answerNumber looks the number up, so that a wrong one is asked for again.
func (s *Service) answerNumber(ctx context.Context, t *dialog.Turn, input string) (dialog.Next, error) {
	found, err := s.Position(ctx, t.Caller, input)
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Go("preschool.position", memNumber, found.Number), nil
}

func (s *Service) showPosition(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	found, err := s.Position(ctx, t.Caller, t.Get(memNumber))
	if err != nil {
		return dialog.Screen{}, err
	}
	switch found.State {
	case StatePlaced:
		return s.showPlace(ctx, t, found.Number)
	case StateWithdrawn:
		return dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.withdrawn", "number", found.Number)}}, nil
	case StateLeft:
		return dialog.Screen{Body: []dialog.Message{dialog.Say("preschool.left", "number", found.Number)}}, nil
	}
	// The offer first: it has a deadline, and the places may be on the next page.
	body := append(s.offered(found, t.Caller.Locale), dialog.Say("preschool.position", "number", found.Number, "group", found.Group))
	return withOffer(dialog.Screen{Body: append(body, places(found, t.Caller.Locale)...)}, found), nil
}

// offered says until when an offer can be answered, which must be on the first page,
// and of which place it is; nothing where none is.
func (s *Service) offered(p Position, loc locales.Locale) []dialog.Message {
	if p.Offer == nil {
		return nil
	}
	return []dialog.Message{
		dialog.Say("preschool.offered", "date", clock.ShowDate(p.Offer.LastDay())),
		dialog.Say("preschool.choice", "kindergarten", s.title(*p.Offer, loc)),
	}
}

// withOffer leads from a screen to the answer of an open offer.
func withOffer(screen dialog.Screen, p Position) dialog.Screen {
	if p.Offer != nil {
		screen.Options = []dialog.Option{option(dialog.Say("preschool.menu_offer"), answer)}
	}
	return screen
}

// places are the lines of a position: for each kindergarten the place, and who was given places there.
func places(p Position, loc locales.Locale) []dialog.Message {
	lines := make([]dialog.Message, 0, len(p.Places))
	for _, place := range p.Places {
		named := titleAmong(place.Name, place.District, len(p.Places), func(i int) Name { return p.Places[i].Name }, loc)
		line := dialog.Say("preschool.place", "kindergarten", named, "position", place.Position)
		if place.Level > 0 {
			line = dialog.Say("preschool.place_lot", "kindergarten", named, "position", place.Position, "last", place.Position+place.Level)
		}
		lines = append(lines, line)
		if place.Given != nil {
			lines = append(lines, place.Given.say())
		}
	}
	return lines
}

// doMine begins what needs the person: registrations without a phone follow them.
func (s *Service) doMine(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Next{}, err
	}
	if err := s.Settle(ctx, c); err != nil {
		return dialog.Next{}, err
	}
	if t.Get(memBroke) != "" {
		return s.resumed(ctx, t)
	}
	return dialog.Go("preschool.offers"), nil
}

// doPhone has all the person's registrations tell of themselves on this phone.
func (s *Service) doPhone(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	c, citizen, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Next{}, err
	}
	if err := identity.Same(t, citizen.ID); err != nil {
		return dialog.Next{}, dialog.BackTo("preschool.offers", err)
	}
	numbers, err := s.Follow(ctx, c)
	if err != nil {
		return identity.Stronger("preschool.phone", err)
	}
	return dialog.Done("preschool.phone_done", memNumber, strings.Join(numbers, ", ")), nil
}

func (s *Service) showPhoneDone(t *dialog.Turn) dialog.Screen {
	key := "preschool.phone_done"
	if t.Get(memNumber) == "" {
		key = "preschool.phone_none"
	}
	return dialog.Screen{Body: []dialog.Message{dialog.Say(key)}}
}
