package fine

import (
	"context"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// Register is where fines are looked up: Safe City (registry.SafeCity).
type Register interface {
	ByPlate(ctx context.Context, call registry.Call, plate string) (registry.PlateResult, error)
	Violations(ctx context.Context, call registry.Call, pin, plate string) ([]registry.Violation, error)
	Photo(ctx context.Context, call registry.Call, pin, plate, number string) ([]byte, error)
}

// Cashier is where fines are priced and paid: Safe City as well.
type Cashier interface {
	Check(ctx context.Context, call registry.Call, number string, sum money.Amount, at time.Time) (registry.PayResult, error)
	Pay(ctx context.Context, call registry.Call, number string, sum money.Amount, at time.Time) (registry.PayResult, error)
	Info(ctx context.Context, call registry.Call, protocol string) (info registry.PaymentInfo, found bool, err error)
}

// Follower has the register count us among those who follow a car: Safe City as well.
type Follower interface {
	Subscribe(ctx context.Context, call registry.Call, pin, plate, unique string) error
	Unsubscribe(ctx context.Context, call registry.Call, pin, plate, unique string) error
}

// priceOnly is the sum of a check that asks for the cost and offers none.
const priceOnly money.Amount = 0

var (
	errGone   = problem.New(problem.NotFound, "problem.fine_gone")
	errClosed = problem.New(problem.Conflict, "problem.fine_closed")
	errPaid   = problem.New(problem.Conflict, "problem.fine_paid")
	errPrice  = problem.New(problem.Conflict, "problem.fine_price")
)

// refused says what an answer other than CodeOK means to somebody who wants to
// pay, and to a settlement.
func refused(code int) (*problem.Error, payment.Outcome) {
	switch code {
	case registry.CodeNotFound:
		return errGone, payment.OutcomeUnknown
	case registry.CodeAlreadyPaid:
		return errPaid, payment.OutcomePaid
	case registry.CodeSumTooLarge, registry.CodeSumTooSmall:
		return errPrice, payment.OutcomeChanged
	default: // CodeClosed, CodeAlreadyCancelled
		return errClosed, payment.OutcomeCancelled
	}
}

// pseudonym shortens an index to what a header bears.
func pseudonym(index string) string { return "eshik-" + index[:min(len(index), 24)] }
