package staff

import (
	"context"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
)

// Authorize gives who wants an operation done and what they may do about it: the account
// behind a session's token, by the table, for a reason. A refusal is in the audit log.
//
// offices says whose matter it is, and is asked only for a clerk who may do it for somebody.
// To a clerk what is nowhere is as what is another office's: Forbidden, Elsewhere.
func (s *Service) Authorize(ctx context.Context, shown Session, operation, reason string, offices func() ([]string, error)) (Officer, Right, error) {
	o, err := s.Authenticate(ctx, shown)
	if err == nil {
		err = checkReason(reason)
	}
	if err != nil {
		return o, None, err
	}
	right, err := May(o, operation, nil)
	if err == nil && o.Role == Clerk {
		concerned, unknown := offices()
		switch {
		case problem.Is(unknown, problem.NotFound):
			rule, _ := RuleOf(operation) // May found it
			right, err = None, Forbidden{Officer: o, Rule: rule, Elsewhere: true}
		case unknown != nil:
			return o, None, unknown
		default:
			right, err = May(o, operation, concerned)
		}
	}
	return o, right, s.refused(ctx, o, operation, reason, err)
}

// Admit says whether an officer may have an operation done, or ask for it, whatever they
// give with it: a door asks before it looks at that. A refusal is in the audit log.
func (s *Service) Admit(ctx context.Context, o Officer, operation string) error {
	if o.Owes {
		return ErrOwes
	}
	right, err := May(o, operation, nil)
	if err == nil && right == Decides {
		return ErrOnlyDecides
	}
	return s.refused(ctx, o, operation, "asking for it", err)
}

// refused notes that an officer was refused by the table, if err says so, and gives err.
func (s *Service) refused(ctx context.Context, o Officer, operation, reason string, err error) error {
	var no Forbidden
	if !errors.As(err, &no) {
		return err
	}
	kept := s.DB.InTx(ctx, func(tx *store.Tx) error { return s.leave(ctx, tx, o.Actor(), "refused", operation, reason) })
	if kept != nil {
		return fmt.Errorf("note a refusal: %w", kept)
	}
	return err
}

// ToDecide gives whoever is signed in a proposal to decide or take back, for a reason.
func (s *Service) ToDecide(ctx context.Context, shown Session, id, reason string) (Officer, Proposal, error) {
	o, err := s.Authenticate(ctx, shown)
	if err == nil {
		err = checkReason(reason)
	}
	if err != nil {
		return o, Proposal{}, err
	}
	p, err := s.Proposal(ctx, o, id)
	return o, p, err
}

// See writes down, before anything is shown, that an officer looks at something, and why.
func (s *Service) See(ctx context.Context, o Officer, operation, reason string) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error { return s.leave(ctx, tx, o.Actor(), operation, o.ID, reason) })
	if err != nil {
		return fmt.Errorf("note what is looked at: %w", err)
	}
	return nil
}
