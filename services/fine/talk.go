package fine

import (
	"context"
	"strings"
	"unicode"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The nodes of the talk.
const (
	nodePlate   = "fine.plate"
	nodeOdd     = "fine.odd"
	nodeList    = "fine.list"
	nodeDetails = "fine.details"
	nodeWarning = "fine.warning"
	nodeOpen    = "fine.open"
	nodeConfirm = "fine.confirm"
	nodePay     = "fine.pay"
	nodeCode    = "fine.code"
	// nodeIdentity is the identification's sub-talk (platform/identity).
	nodeIdentity = "identity.start"
)

// What the talk remembers.
const (
	memoryPlate   = "fine.plate"
	memoryNumbers = "fine.numbers" // of the fines to pay, separated by commas
	memoryPayment = "fine.payment"
)

// Talk is the service's part of the conversation.
func (s *Service) Talk() dialog.Service {
	return dialog.Service{
		Name:  Name,
		Entry: dialog.Option{Label: dialog.Say("fine.entry"), Next: dialog.Go(nodePlate)},
		Nodes: []dialog.Node{
			{ID: nodePlate, Plain: showPlate, Answer: answerPlate},
			{ID: nodeOdd, Plain: showOdd, Answer: answerPlate},
			{ID: nodeList, Show: s.showList},
			{ID: nodeDetails, Show: s.showDetails, Resume: dialog.Call(nodeIdentity, nodeDetails)},
			{ID: nodeWarning, Plain: showWarning},
			{ID: nodeOpen, Do: s.doOpen},
			{ID: nodeConfirm, Show: s.showConfirm},
			{ID: nodePay, Do: s.doPay},
			{ID: nodeCode, Show: s.showCode},
		},
		Commands: commands(),
		Shapes:   []dialog.Shape{{Read: findPlate, Ask: nodePlate}},
		Hint:     hint,
		Texted:   dialog.Say("fine.texted"),
	}
}

func showPlate(*dialog.Talk) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say("fine.ask_plate")}, Ask: dialog.AskNumber}
}

func answerPlate(_ context.Context, _ *dialog.Talk, input string) (dialog.Next, error) {
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
func showOdd(t *dialog.Talk) dialog.Screen {
	screen := say("fine.odd", "plate", t.Get(memoryPlate))
	screen.Ask = dialog.AskNumber
	screen.Options = []dialog.Option{option(dialog.Say("fine.search"), dialog.Go(nodeList))}
	return screen
}

// showList tells an unknown plate from a clean one, and offers the fines to pay.
func (s *Service) showList(ctx context.Context, t *dialog.Talk) (dialog.Screen, error) {
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
func showWarning(*dialog.Talk) dialog.Screen { return say("fine.heavy") }

// showDetails tells a proven owner what each unpaid fine is for.
func (s *Service) showDetails(ctx context.Context, t *dialog.Talk) (dialog.Screen, error) {
	list, err := s.Details(ctx, t.Caller, t.Get(memoryPlate))
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

// doOpen keeps the intent before the confirm screen names its price.
func (s *Service) doOpen(ctx context.Context, t *dialog.Talk) (dialog.Next, error) {
	p, err := s.Open(ctx, t.Caller, strings.Split(t.Get(memoryNumbers), ","))
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Go(nodeConfirm, memoryPayment, p.ID), nil
}

func (s *Service) showConfirm(ctx context.Context, t *dialog.Talk) (dialog.Screen, error) {
	p, err := s.Payments.Get(ctx, t.Caller, t.Get(memoryPayment))
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := say("fine.confirm", "plate", t.Get(memoryPlate), "n", len(p.Lines), "amount", p.Amount.String())
	screen.Options = []dialog.Option{option(dialog.Say("fine.pay"), dialog.Go(nodePay))}
	return screen, nil
}

// doPay confirms; doing it twice is doing it once.
func (s *Service) doPay(ctx context.Context, t *dialog.Talk) (dialog.Next, error) {
	p, err := s.Payments.Confirm(ctx, t.Caller, t.Get(memoryPayment))
	if err != nil {
		return dialog.Next{}, err
	}
	return dialog.Done(nodeCode, memoryPayment, p.ID), nil
}

// showCode says how to pay, or what became of the payment.
func (s *Service) showCode(ctx context.Context, t *dialog.Talk) (dialog.Screen, error) {
	p, err := s.Payments.Get(ctx, t.Caller, t.Get(memoryPayment))
	if err != nil {
		return dialog.Screen{}, err
	}
	switch p.State {
	case payment.Awaiting:
		return say("fine.code", "code", p.Code, "amount", p.Amount.String()), nil
	case payment.Accepted:
		return say("fine.code_accepted", "amount", p.Amount.String()), nil
	case payment.InDoubt:
		return say("fine.code_doubt", "amount", p.Amount.String()), nil
	case payment.Settled:
		return say("fine.code_settled", "amount", p.Amount.String()), nil
	case payment.RefundDue:
		return say("fine.code_refund", "code", p.Code), nil
	default:
		return say("fine.code_refused"), nil
	}
}

func say(key string, args ...any) dialog.Screen {
	return dialog.Screen{Body: []dialog.Message{dialog.Say(key, args...)}}
}

func option(label dialog.Message, next dialog.Next) dialog.Option {
	return dialog.Option{Label: label, Next: next}
}
