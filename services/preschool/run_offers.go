package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/allocation/verify"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Proceed makes the offers of the allocation that is under way, if one is: each in a
// transaction of its own, once, whoever else does it at the same time. It goes on where a
// process that was killed stopped.
func (s *Service) Proceed(ctx context.Context) error { return s.proceed(ctx, math.MaxInt) }

// proceed is Proceed of so many batches of offers at most.
func (s *Service) proceed(ctx context.Context, batches int) error {
	r, err := db.New(s.DB.Reader()).OfferingRun(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look for an allocation under way: %w", err)
	}
	m, err := keptMarket(ctx, db.New(s.DB.Reader()), r)
	if err != nil {
		return err
	}
	if r.Verdict == "" {
		if r.Verdict, err = s.judge(ctx, r, m); err != nil {
			return err
		}
	}
	if r.Verdict != runNoFault {
		return s.endRun(ctx, r, runWrong)
	}
	for done := 0; ; done++ {
		rows, err := db.New(s.DB.Reader()).RunWaits(ctx, r.N)
		if err != nil {
			return fmt.Errorf("list the offers that an allocation is to make: %w", err)
		}
		if len(rows) == 0 {
			return s.endRun(ctx, r, runDone)
		}
		if done == batches {
			return nil
		}
		for _, c := range rows {
			if err := s.offerPlaced(ctx, r, m, c); err != nil {
				return err
			}
		}
	}
}

// judge has other code check what is stored of an allocation, before anybody is offered
// anything, and keeps its verdict.
func (s *Service) judge(ctx context.Context, r db.PreschoolRun, m market) (string, error) {
	verdict := m.verdict()
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).JudgeRun(ctx, db.JudgeRunParams{Verdict: verdict, N: r.N})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep the verdict of an allocation: %w", err)
	}
	return verdict, nil
}

// verdict is what the check says of an outcome; of several faults the first.
func (m market) verdict() string {
	given, err := m.given()
	if err != nil {
		return err.Error()
	}
	at := make([]int, len(m.children))
	for i, c := range m.children {
		at[i] = int(c.Place)
	}
	faults := verify.Outcome(given, at)
	if len(faults) == 0 {
		return runNoFault
	}
	return fmt.Sprintf("%d faults, the first: %s", len(faults), faults[0])
}

// offerPlaced makes the offer of one child, or notes that the child or the seat is gone.
func (s *Service) offerPlaced(ctx context.Context, r db.PreschoolRun, m market, c db.PreschoolRunChild) error {
	err := s.offerOnce(ctx, r, m, c)
	if errors.Is(err, errSettled) {
		return nil
	}
	var refused *problem.Error
	if !errors.As(err, &refused) || !slices.Contains([]problem.Code{problem.Conflict, problem.Invalid, problem.NotFound}, refused.Code) {
		return err // nil, or it is tried again
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).SettleRunChild(ctx, db.SettleRunChildParams{Outcome: outcomeGone, Run: c.Run, Child: c.Child})
		return err
	})
	if err != nil {
		return fmt.Errorf("note that an offer of an allocation could not be made: %w", err)
	}
	return nil
}

// errSettled is of an offer that somebody else made, or found impossible, meanwhile.
var errSettled = errors.New("what becomes of this offer is settled")

func (s *Service) offerOnce(ctx context.Context, r db.PreschoolRun, m market, c db.PreschoolRunChild) error {
	now := s.Now()
	registration, err := s.find(ctx, c.Number)
	if err != nil {
		return err
	}
	group := m.groups[c.Place]
	all, err := s.list(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(k Kindergarten) bool { return k.Code == group.Kindergarten })
	if at < 0 {
		return problemSeats // the kindergarten is gone, and its seats with it
	}
	held := seat{kindergarten: all[at], intake: int(r.Intake), age: int(group.Age)}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		made, err := s.makeOffer(ctx, tx, registration, held, r.Actor, "a place offered by the allocation "+r.ID, now)
		if err != nil {
			return err
		}
		settled, err := db.New(tx).SettleRunChild(ctx, db.SettleRunChildParams{Outcome: outcomeOffered, OfferID: made.ID, Run: c.Run, Child: c.Child})
		if err != nil {
			return fmt.Errorf("note that an offer of an allocation was made: %w", err)
		}
		if settled == 0 {
			return errSettled // and there is no second offer
		}
		return nil
	})
}

// endRun ends an allocation, once.
func (s *Service) endRun(ctx context.Context, r db.PreschoolRun, state string) error {
	r.State, r.EndedAt = state, dbtime.From(s.Now())
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		ended, err := q.EndRun(ctx, db.EndRunParams{State: r.State, EndedAt: r.EndedAt, N: r.N})
		if err != nil || ended == 0 {
			return err
		}
		outcomes, err := q.RunOutcomes(ctx, r.N)
		if err != nil {
			return err
		}
		return s.note(ctx, tx, "system", "allocation_end", r.ID, "the check of what is stored: "+r.Verdict, endGroup(r, outcomes))
	})
	if err != nil {
		return fmt.Errorf("end an allocation: %w", err)
	}
	return nil
}
