package fine

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The nodes of the conversation.
const (
	nodePlate   = "fine.plate"
	nodeOdd     = "fine.odd"
	nodeList    = "fine.list"
	nodeDetails = "fine.details"
	nodeWarning = "fine.warning"
)

// memoryPlate is what the conversation remembers.
const memoryPlate = "fine.plate"

// Flow is the service's part of the conversation.
func (s *Service) Flow() dialog.Flow {
	return dialog.Flow{
		Name:  Name,
		Entry: dialog.Option{Label: dialog.Say("fine.entry"), Next: dialog.Go(nodePlate)},
		Nodes: slices.Concat([]dialog.Node{
			{ID: nodePlate, Plain: showPlate, Answer: answerPlate},
			{ID: nodeOdd, Plain: showOdd, Answer: answerPlate},
			{ID: nodeList, Show: s.showList},
			{ID: nodeDetails, Show: s.showDetails, Resume: dialog.Call(identity.NodeStart, nodeDetails)},
			{ID: nodeWarning, Plain: showWarning},
		}, s.carNodes(), s.oneNodes(), s.photoNodes(), s.appealNodes(), s.appealsNodes(), s.Payments.Checkout(Name, nodeList, about)),
		Commands: commands(),
		Shapes:   []dialog.Shape{{Read: findPlate, Ask: nodePlate}},
		Hint:     hint,
		Texted:   dialog.Say("fine.texted"),
	}
}

func showPlate(*dialog.Turn) dialog.Screen {
	return dialog.Screen{
		Body: []dialog.Message{dialog.Say("fine.ask_plate")}, Ask: dialog.AskNumber,
		Options: []dialog.Option{option(dialog.Say("fine.own_cars"), ownCars)},
	}
}

func answerPlate(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) {
	if numbers := dialog.Numbers(input, payment.CodeDigits); len(numbers) == 1 && !strings.ContainsFunc(input, unicode.IsLetter) {
		if like, is := hint(numbers[0]); is { // no plate has so many digits
			return dialog.Next{}, problem.New(problem.Invalid, like.Key)
		}
	}
	plate, err := ParsePlate(input)
	if err != nil {
		return dialog.Next{}, err
	}
	if !plate.Sure {
		return dialog.Go(nodeOdd, memoryPlate, plate.Text), nil
	}
	return dialog.Go(nodeList, memoryPlate, plate.Text), nil
}

// showOdd asks whether a plate of no published format is meant as it was typed: the
// register is asked about no slip of the finger.
func showOdd(t *dialog.Turn) dialog.Screen {
	screen := say("fine.odd", "plate", t.Get(memoryPlate))
	screen.Ask = dialog.AskNumber
	screen.Options = []dialog.Option{option(dialog.Say("fine.search"), dialog.Go(nodeList))}
	return screen
}

// showList tells an unknown plate from a clean one, and offers the fines to pay.
func (s *Service) showList(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	list, err := s.Lookup(ctx, t.Caller, t.Get(memoryPlate))
	if err != nil {
		return dialog.Screen{}, err
	}
	plate := list.Plate.Text
	t.SetRegion(s.regions.OfPlate(plate))
	switch {
	case !list.Known && !list.Plate.Sure:
		return say("fine.unknown_odd", "plate", plate), nil
	case !list.Known:
		return say("fine.unknown", "plate", plate), nil
	case len(list.Bills) == 0:
		return say("fine.clean", "plate", plate), nil
	}
	return s.offer(ctx, t, list), nil
}

// showWarning says what an unpaid total above 3 000 som can lead to.
func showWarning(*dialog.Turn) dialog.Screen { return say("fine.heavy") }

// showDetails tells a proven owner what each unpaid fine is for; where it was, by a strong proof.
func (s *Service) showDetails(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	owner, err := s.owner(ctx, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	list, err := s.priced(ctx, t.Caller, owner, t.Get(memoryPlate))
	if notOwner := problem.From(err); err != nil && notOwner.Key == "problem.registry_not_owner" {
		// It is whom the phone was proved for last, who need not be who holds it now.
		return identity.Named(say(notOwner.Key), owner, nodeDetails), nil
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := dialog.Screen{About: owner.ID}
	for _, v := range list {
		if v.Due == 0 {
			continue
		}
		screen.Body = append(screen.Body, violated(v, "fine.violation", "date", clock.Day(v.At)), sum(v))
	}
	if screen.Body == nil {
		screen.Body = say("fine.clean", "plate", t.Get(memoryPlate)).Body
	}
	screen.Options = []dialog.Option{option(dialog.Say("fine.appeal_option"), oneOf)}
	if Assurance.Admit(owner.As(t.Caller), "evidence") != nil {
		screen.Options = append(screen.Options, option(dialog.Say("fine.where_option"), dialog.Call(identity.NodeStrong, nodeDetails)))
	}
	return identity.About(screen, owner.ID), nil
}

// violated says what a fine is for and when, and where if that may be said and the register has it.
func violated(v Violation, key, name, when string) dialog.Message {
	if v.Place == "" {
		return dialog.Say("fine.violation_day", "violation", v.Title, "date", clock.Day(v.At))
	}
	return dialog.Say(key, "violation", v.Title, name, when, "place", v.Place)
}

// sum says what a fine costs now, and until when it costs less.
func sum(v Violation) dialog.Message {
	switch {
	case v.Due < v.Amount && v.Until.IsZero():
		return dialog.Say("fine.amount_less", "amount", v.Due.String(), "percent", v.Percent())
	case v.Due < v.Amount:
		return dialog.Say("fine.amount_until", "amount", v.Due.String(), "percent", v.Percent(), "date", clock.Day(v.Until), "total", v.Amount.String())
	case v.Delivered.IsZero():
		return dialog.Say("fine.amount_undelivered", "amount", v.Due.String())
	}
	return dialog.Say("fine.amount", "amount", v.Due.String())
}

// about says which fines are paid.
func about(t *dialog.Turn, p payment.Payment) dialog.Message {
	return dialog.Say("fine.list", "plate", t.Get(memoryPlate), "n", len(p.Lines))
}

func say(key string, args ...any) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say(key, args...)}}
}

func option(label dialog.Message, next dialog.Next) dialog.Option {
	return dialog.Option{Label: label, Next: next}
}
