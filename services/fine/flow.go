package fine

import (
	"context"
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
		Nodes: append([]dialog.Node{
			{ID: nodePlate, Plain: showPlate, Answer: answerPlate},
			{ID: nodeOdd, Plain: showOdd, Answer: answerPlate},
			{ID: nodeList, Show: s.showList},
			{ID: nodeDetails, Show: s.showDetails, Resume: dialog.Call(identity.NodeStart, nodeDetails)},
			{ID: nodeWarning, Plain: showWarning},
		}, s.Payments.Checkout(Name, nodeList, about)...),
		Commands: commands(),
		Shapes:   []dialog.Shape{{Read: findPlate, Ask: nodePlate}},
		Hint:     hint,
		Texted:   dialog.Say("fine.texted"),
	}
}

func showPlate(*dialog.Turn) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("fine.ask_plate")}, Ask: dialog.AskNumber}
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

// showDetails tells a proven owner what each unpaid fine is for.
func (s *Service) showDetails(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	list, err := s.Details(ctx, t.Caller, t.Get(memoryPlate))
	if notOwner := problem.From(err); err != nil && notOwner.Key == "problem.registry_not_owner" {
		return s.showNotOwner(ctx, t, notOwner)
	}
	if err != nil {
		return dialog.Screen{}, err
	}
	var screen dialog.Screen
	for _, v := range list {
		if v.Paid {
			continue
		}
		screen.Body = append(screen.Body,
			dialog.Say("fine.violation", "violation", v.Title, "date", clock.Day(v.At), "place", v.Place),
			dialog.Say("fine.amount", "amount", v.Amount.String()))
	}
	if screen.Body == nil {
		return say("fine.clean", "plate", t.Get(memoryPlate)), nil
	}
	return screen, nil
}

// showNotOwner says that the car is not theirs whom the phone was proved for last, who
// need not be who holds it now.
func (s *Service) showNotOwner(ctx context.Context, t *dialog.Turn, p *problem.Error) (dialog.Screen, error) {
	citizen, _, err := s.Identity.Proof(ctx, t.Caller)
	return identity.Named(say(p.Key), citizen, nodeDetails), err
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
