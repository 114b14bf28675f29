package preschool

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

var problemBenefit = problem.New(problem.Invalid, "problem.preschool_benefit")

// SetBenefit grants a benefit category of the policy to a registration, or
// removes it with an empty one. It moves the child in its queues. actor is the
// operator who saw the document.
func (s *Service) SetBenefit(ctx context.Context, actor, number, benefit string) error {
	now := s.Now()
	rank, known := s.rules.at(now).rank(benefit)
	if !known {
		return problemBenefit
	}
	r, err := s.find(ctx, number)
	if err != nil {
		return err
	}
	c := s.parent(r, now)
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		was, err := locked(ctx, q, r.ID)
		if err != nil {
			return err
		}
		err = q.SetBenefit(ctx, db.SetBenefitParams{ID: r.ID, Benefit: benefit, BenefitRank: int64(rank)})
		if err != nil {
			return fmt.Errorf("write the benefit: %w", err)
		}
		err = q.SetChoicesBenefit(ctx, db.SetChoicesBenefitParams{RegistrationID: r.ID, BenefitRank: int64(rank)})
		if err != nil {
			return fmt.Errorf("move in the queues: %w", err)
		}
		return s.leave(ctx, tx, effect{
			caller: c, actor: actor, step: "benefit", outcome: "done", object: r.Number, subject: r.CitizenID,
			purpose: "benefit set to " + orNone(benefit), was: was,
		})
	})
}

func orNone(benefit string) string {
	if benefit == "" {
		return "none"
	}
	return benefit
}
