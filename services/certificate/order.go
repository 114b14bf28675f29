package certificate

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
)

// failuresByPerson bounds orders that gave nothing: each costs a call to the register,
// and whoever tries again a minute later is welcome.
var failuresByPerson = limit.Rule{
	Name: "certificate:failed", What: "orders of certificates that gave none, as when the register is away", Who: "a person",
	Rate: limit.Rate{N: 10, Per: time.Minute}, Instead: "503 `problem.registry_down`, with `Retry-After`", In: limit.InLimiter,
}

// orderBounds is what an order that gives a certificate counts against.
func (s *Service) orderBounds(c caller.Caller) []limit.Bound {
	return []limit.Bound{
		s.bound("order:citizen", c.Subject, ordersByPerson), s.bound("order:phone", c.Phone, ordersByPerson),
		s.bound("order:address", c.Network(), ordersByAddress),
	}
}

// mayOrder refuses one certificate too many before it costs anything, and counts
// nothing: that is done with the intent. It fails closed: what cannot be counted is
// not issued.
func (s *Service) mayOrder(ctx context.Context, c caller.Caller) error {
	used, wait, err := limit.Would(ctx, s.Limiter, s.orderBounds(c)...)
	if err != nil {
		return fmt.Errorf("see what was ordered: %w", err)
	}
	if used != nil {
		return tooMany(c, manyOrders, used, wait)
	}
	used, wait, err = limit.Would(ctx, s.Limiter, s.bound("failed", c.Subject, failuresByPerson))
	if err != nil {
		return fmt.Errorf("see what failed: %w", err)
	}
	if used != nil {
		return problem.New(problem.Unavailable, "problem.registry_down").After(wait)
	}
	return nil
}

// failed counts an order that gave nothing, and gives why it did not.
func (s *Service) failed(ctx context.Context, c caller.Caller, why error) error {
	bound := s.bound("failed", c.Subject, failuresByPerson)
	if _, _, err := s.Limiter.Allow(context.WithoutCancel(ctx), bound.Key, bound.Rate); err != nil {
		return fmt.Errorf("count a failure: %w, after: %w", err, why)
	}
	return why
}
