// Package console is the REST interface of staff, from the contract in openapi.yaml: the
// same operations that `eshik staff` does. It decides nothing: who may do what, for which
// reason and with whom beside them is asked of the desk at each request.
package console

import (
	"context"
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
)

// Document is the contract that this package serves.
//
//go:embed openapi.yaml
var Document []byte

// Desk does what officers ask for; app.App is one.
type Desk interface {
	// Look says who looks at a list, if they may; it is in the audit log then.
	Look(ctx context.Context, shown staff.Session, operation, reason string) (staff.Officer, error)
	// Perform does an operation, or proposes it to a second person.
	Perform(ctx context.Context, shown staff.Session, r staff.Request) (staff.Outcome, error)
	// Approve does what another person proposed; Reject ends it without doing it.
	Approve(ctx context.Context, shown staff.Session, id, reason string) (staff.Done, error)
	Reject(ctx context.Context, shown staff.Session, id, reason string) error
}

// Phones lists the phones in dispute, as an identity.Service does.
type Phones interface {
	Disputes(ctx context.Context) ([]identity.Disputed, error)
}

// Books list what waits of payments, as those of a payment.Service do.
type Books interface {
	Suspense(ctx context.Context) ([]payment.Suspended, error)
	Refunds(ctx context.Context) ([]payment.Refund, error)
	StatementOf(ctx context.Context, partner string, day time.Time) ([]byte, error)
	TreasuryStatement(ctx context.Context, day time.Time) ([]byte, error)
	ClosedDay(ctx context.Context, day time.Time) (payment.LedgerDay, error)
	AskedRefunds(ctx context.Context) ([]payment.AskedRefund, error)
}

// Server answers the contract's operations.
type Server struct {
	Desk     Desk
	Staff    *staff.Service
	Phones   Phones
	Payments Books
}

var _ StrictServerInterface = (*Server)(nil)

// Mount serves the contract under router, every request held to it.
func (s *Server) Mount(router fiber.Router, contract *api.Contract) error {
	if err := needs.All("the console", *s); err != nil {
		return err
	}
	contract.Publish(router, "/console/v1")
	router.Use("/console/v1", contract.Middleware)
	RegisterHandlers(router, NewStrictHandler(s, nil))
	return nil
}

// look gives what an officer may look at, once that is noted.
func look[T any](ctx context.Context, s *Server, operation, reason string, show func(context.Context, staff.Officer) (T, error)) (shown T, err error) {
	o, err := s.Desk.Look(ctx, seated(ctx).shown, operation, reason)
	if err != nil {
		return shown, err
	}
	return show(ctx, o)
}

// perform has an operation done, or proposed.
func (s *Server) perform(ctx context.Context, operation, reason string, given map[string]string) (staff.Outcome, error) {
	return s.Desk.Perform(ctx, seated(ctx).shown, staff.Request{Operation: operation, Reason: reason, Given: given})
}

// act is perform for what makes nothing to be shown.
func (s *Server) act(ctx context.Context, operation, reason string, given map[string]string) (Outcome, error) {
	out, err := s.perform(ctx, operation, reason, given)
	if err != nil {
		return Outcome{}, err
	}
	if p := out.Waits; p != nil {
		return Outcome{Outcome: OutcomeOutcomeProposed, Proposal: &Waits{Id: p.ID, ExpiresAt: p.ExpiresAt}}, nil
	}
	return Outcome{Outcome: OutcomeOutcomeDone}, nil
}
