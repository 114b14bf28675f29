package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
)

// barred are bills that cannot be paid now, by their references, and why.
type barred map[string]*problem.Error

// of is the problem of bills that are to be paid together; nil where each can be paid.
// What is true of every one is said as it is. Where it is true of some, "already paid"
// would be a lie about the others: a problem of its own says so, and of which.
func (b barred) of(refs []string) error {
	if len(b) == 0 {
		return nil
	}
	alike := true
	var over, taken []int
	for i, ref := range refs {
		why, first := b[ref], b[refs[0]]
		alike = alike && why != nil && first != nil && why.Key == first.Key
		switch {
		case why == nil:
		case why.Key == errTaken.Key, why.Key == errElsewhere.Key:
			taken = append(taken, i)
		default:
			over = append(over, i)
		}
	}
	switch {
	case alike:
		return b[refs[0]]
	case len(over) > 0:
		return errPartPaid.Of(over...)
	}
	return errPartTaken.Of(taken...)
}

// free refuses bills of which one is paid, or being paid, through us.
func (s *Service) free(ctx context.Context, c caller.Caller, service string, refs []string) error {
	held := barred{}
	for _, ref := range refs {
		why, err := s.held(ctx, c, service, ref)
		if err != nil {
			return err
		}
		if why != nil {
			held[ref] = why
		}
	}
	return held.of(refs)
}

// held is why a bill cannot be paid through us now; nil: it can.
func (s *Service) held(ctx context.Context, c caller.Caller, service, ref string) (*problem.Error, error) {
	q := db.New(s.DB.Reader())
	holder, err := q.ClaimHolder(ctx, db.ClaimHolderParams{Service: service, Ref: ref})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for a bill's claim: %w", err)
	}
	if State(holder.State) == Settled {
		return errPaid, nil
	}
	told, err := s.told(ctx, c, holder.PaymentID)
	if err != nil {
		return nil, err
	}
	if !told {
		return errElsewhere, nil
	}
	return errTaken, nil
}

// Told reports that the caller gets a message when the payment that holds a bill ends:
// it is the caller's own, or the caller paid for the same and waits. False of a bill
// that nobody pays.
func (s *Service) Told(ctx context.Context, c caller.Caller, service, ref string) (bool, error) {
	holder, err := db.New(s.DB.Reader()).ClaimHolder(ctx, db.ClaimHolderParams{Service: service, Ref: ref})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a bill's claim: %w", err)
	}
	return s.told(ctx, c, holder.PaymentID)
}

// told reports that the caller gets a message when a payment ends.
func (s *Service) told(ctx context.Context, c caller.Caller, id string) (bool, error) {
	n, err := db.New(s.DB.Reader()).CountTold(ctx, db.CountToldParams{PaymentID: id, Owner: s.owner(c.Phone)})
	if err != nil {
		return false, fmt.Errorf("look who is told of a payment: %w", err)
	}
	return n > 0, nil
}
