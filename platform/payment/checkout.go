package payment

import (
	"context"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/problem"
)

// The steps of a checkout; a service's name and a dot stand before each.
const (
	stepOpen    = ".open"
	stepConfirm = ".confirm"
	stepPay     = ".pay"
	stepCode    = ".code"
)

// What a conversation remembers of a checkout, the service's name before each: the bills'
// references, separated by commas, and then the payment's id.
const (
	memoryBills   = ".numbers"
	memoryPayment = ".payment"
)

// Pay leads into a service's Checkout for its bills, by their references, which have no
// commas.
func Pay(service string, refs ...string) dialog.Next {
	return dialog.Go(service+stepOpen, service+memoryBills, strings.Join(refs, ","))
}

// Checkout is the part of a service's conversation in which bills are paid: the sum, the
// citizen's word, and the code to pay by. The service has these nodes among its own, and
// leads to them by Pay; the steps count as its own. list is the service's node where
// bills are chosen: where they cannot be paid any more, what is left is shown there anew.
// about says in a line what is paid for; it stands above the sum.
func (s *Service) Checkout(service, list string, about func(t *dialog.Turn, p Payment) dialog.Message) []dialog.Node {
	c := checkout{s, service, list, about}
	return []dialog.Node{
		{ID: service + stepOpen, Do: c.open},
		{ID: service + stepConfirm, Show: c.confirm},
		{ID: service + stepPay, Do: c.pay},
		{ID: service + stepCode, Show: c.code},
	}
}

type checkout struct {
	payments *Service
	service  string
	list     string
	about    func(t *dialog.Turn, p Payment) dialog.Message
}

// open keeps the intent before the confirm screen names its price.
func (c checkout) open(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	p, err := c.payments.Open(ctx, t.Caller, c.service, strings.Split(t.Get(c.service+memoryBills), ","))
	if err != nil {
		return dialog.Next{}, c.refused(err)
	}
	return dialog.Go(c.service+stepConfirm, c.service+memoryPayment, p.ID), nil
}

// refused leads back to the list from bills that are not as they were when it was shown.
func (c checkout) refused(err error) error {
	switch problem.From(err).Code {
	case problem.NotFound, problem.Conflict:
		return dialog.BackTo(c.list, err)
	}
	return err
}

func (c checkout) confirm(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	p, err := c.payments.Get(ctx, t.Caller, t.Get(c.service+memoryPayment))
	if err != nil {
		return dialog.Screen{}, err
	}
	screen := says(c.about(t, p), dialog.Say("payment.due", "amount", p.Amount.String()))
	screen.Options = []dialog.Option{{Label: dialog.Say("payment.pay"), Next: dialog.Go(c.service + stepPay)}}
	return screen, nil
}

// pay confirms; doing it twice is doing it once.
func (c checkout) pay(ctx context.Context, t *dialog.Turn) (dialog.Next, error) {
	p, err := c.payments.Confirm(ctx, t.Caller, t.Get(c.service+memoryPayment))
	if err != nil {
		return dialog.Next{}, c.refused(err)
	}
	return dialog.Done(c.service+stepCode, c.service+memoryPayment, p.ID), nil
}

// code says how to pay, or what became of the payment.
func (c checkout) code(ctx context.Context, t *dialog.Turn) (dialog.Screen, error) {
	p, err := c.payments.Get(ctx, t.Caller, t.Get(c.service+memoryPayment))
	if err != nil {
		return dialog.Screen{}, err
	}
	return says(became(p)), nil
}

// became is how a payment is paid, or how its whole sum stands.
func became(p Payment) dialog.Message {
	var sum standing
	for _, l := range p.Lines {
		sum.add(l.Standing(p), l.Amount)
		sum.reversed = sum.reversed || l.Reason == OutcomeReversed
	}
	args := []any{"total", p.Amount.String(), "paid", sum.paid.String(), "back", sum.back.String(), "amount", sum.doubt.String(), "code", p.Code}
	switch p.State {
	case Awaiting:
		return dialog.Say("payment.code", "code", p.Code, "amount", p.Amount.String())
	case Accepted:
		return dialog.Say("payment.code_accepted", "amount", p.Amount.String())
	case Settled:
		return dialog.Say("payment.code_settled", "amount", p.Amount.String())
	case InDoubt:
		switch {
		case sum.back > 0:
			return dialog.Say("payment.code_doubt_back", args...)
		case sum.paid > 0:
			return dialog.Say("payment.code_doubt_part", args...)
		}
		return dialog.Say("payment.code_doubt", "amount", p.Amount.String())
	case RefundDue:
		if sum.paid > 0 {
			return dialog.Say("payment.code_refund_part", args...)
		}
		if sum.reversed {
			return dialog.Say("payment.code_reversed", "amount", sum.back.String(), "code", p.Code)
		}
		return dialog.Say("payment.code_refund", "code", p.Code)
	case Refunded:
		if sum.paid > 0 {
			return dialog.Say("payment.code_refunded_part", "total", p.Amount.String(), "paid", sum.paid.String(), "back", sum.gone.String(), "code", p.Code)
		}
		return dialog.Say("payment.code_refunded", "amount", sum.gone.String(), "code", p.Code)
	}
	return dialog.Say("payment.code_refused")
}

func says(body ...dialog.Message) dialog.Screen { return dialog.Screen{Body: body} }
