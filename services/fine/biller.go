package fine

import (
	"context"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// The answers of setPaymentLegal (PROTOCOLS.md §2, Safe City).
const (
	codeOK        = 200
	codeUnknown   = 404
	codeClosed    = 405
	codePaid      = 406
	codeCancelled = 407
	codeTooLarge  = 408
	codeTooSmall  = 409
)

// refusal is what an answer means to a payer and to a settlement.
type refusal struct {
	problem *problem.Error
	outcome payment.Outcome
}

var (
	errGone   = problem.New(problem.NotFound, "problem.fine_gone")
	errClosed = problem.New(problem.Conflict, "problem.fine_closed")
	errPaid   = problem.New(problem.Conflict, "problem.fine_paid")
	errPrice  = problem.New(problem.Conflict, "problem.fine_price")
)

// refusals are the answers that are final.
var refusals = map[int]refusal{
	codeUnknown:   {errGone, payment.OutcomeUnknown},
	codeClosed:    {errClosed, payment.OutcomeCancelled},
	codePaid:      {errPaid, payment.OutcomePaid},
	codeCancelled: {errClosed, payment.OutcomeCancelled},
	codeTooLarge:  {errPrice, payment.OutcomeChanged},
	codeTooSmall:  {errPrice, payment.OutcomeChanged},
}

// unexpected is the error for an answer that nothing says what to do with.
func (a Answer) unexpected() error {
	if _, final := refusals[a.Code]; final || a.Code == codeOK {
		return nil
	}
	return problem.New(problem.Upstream, "problem.registry_answer").
		Because(fmt.Errorf("setPaymentLegal answered %d", a.Code))
}

// Biller makes fines payable: it implements payment.Biller over the register.
type Biller struct{ cashier Cashier }

// NewBiller makes the biller of fines.
func NewBiller(cashier Cashier) *Biller { return &Biller{cashier} }

// Service implements payment.Biller.
func (*Biller) Service() string { return Name }

// Quote implements payment.Biller: the price is the register's own. Problems:
// fine_gone, fine_closed, fine_paid, registry_answer, registry_down.
func (b *Biller) Quote(ctx context.Context, bill payment.Bill) (payment.Quote, error) {
	answer, err := b.cashier.Check(ctx, callFor(bill), bill.Ref)
	if err != nil {
		return payment.Quote{}, fmt.Errorf("ask for a fine's price: %w", err)
	}
	if r, final := refusals[answer.Code]; final {
		return payment.Quote{}, r.problem
	}
	return payment.Quote{Amount: answer.Cost}, answer.unexpected()
}

// errDoubt leaves a settlement open: the register says paid, and whether it was
// by us cannot be seen yet.
var errDoubt = errors.New("the register says paid, and not by whom")

// Settle implements payment.Biller. Paying again is safe: the register takes a
// fine once and says "already paid" after that. Whether it was us then follows
// from its record: our sum at our moment.
func (b *Biller) Settle(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	answer, err := b.cashier.Pay(ctx, callFor(s.Bill), s.Ref, s.Amount, s.At)
	switch {
	case err != nil:
		return "", fmt.Errorf("pay a fine: %w", err)
	case answer.Code == codeOK:
		return payment.OutcomeSettled, nil
	case answer.Code == codePaid:
		return b.whoPaid(ctx, s)
	}
	if r, final := refusals[answer.Code]; final {
		return r.outcome, nil
	}
	return "", answer.unexpected()
}

// whoPaid tells our own payment, whose answer was lost, from somebody else's.
func (b *Biller) whoPaid(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	record, err := b.cashier.Paid(ctx, callFor(s.Bill), s.Ref)
	switch {
	case err != nil:
		return "", fmt.Errorf("ask who paid a fine: %w", err)
	case record.Paid && record.Sum == s.Amount && record.At.Equal(s.At):
		return payment.OutcomeSettled, nil
	case record.Paid || !s.Sent:
		return payment.OutcomePaid, nil
	}
	return "", errDoubt
}

func callFor(b payment.Bill) registry.Call {
	return registry.Call{UserID: pseudonym(b.Payer), Issue: b.PaymentID}
}
