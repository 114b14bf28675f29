package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/allocation/verify"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Proceed makes the offers of the allocation that is under way, if one is: each in a
// transaction of its own, once, whoever else does it at the same time. It goes on where a
// process that was killed stopped, and past an offer that fails, which the next round tries
// again for a day. After a round in which one failed the next one waits a minute, as each
// reads the whole allocation.
func (s *Service) Proceed(ctx context.Context) error {
	// Never less than nothing: a clock that was ahead and was set right must not stop the offers.
	if since := s.Now().Sub(time.UnixMicro(s.offersFailedAt.Load())); since >= 0 && since < offersAgainAfter {
		return nil
	}
	err := s.proceed(ctx, math.MaxInt)
	if err != nil {
		s.offersFailedAt.Store(s.Now().UnixMicro())
	}
	return err
}

// offersAgainAfter is how long a process leaves an allocation alone of which an offer failed.
const offersAgainAfter = time.Minute

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
	return s.offerAll(ctx, r, m, batches)
}

// offersFailFor is how long an offer that cannot be made, for a reason that may pass, is tried
// again. After that the allocation ends without it: the next one must not wait for ever.
const offersFailFor = 24 * time.Hour

// offerAll goes once over the offers that are to be made, and on past those that fail; once all
// are settled the allocation ends. Its error says how many failed, and why the first ones did.
func (s *Service) offerAll(ctx context.Context, r db.PreschoolRun, m market, batches int) error {
	var failed failures
	after := int64(-1)
	for done := 0; ; done++ {
		rows, err := db.New(s.DB.Reader()).RunWaits(ctx, db.RunWaitsParams{Run: r.N, Child: after})
		switch {
		case err != nil:
			return fmt.Errorf("list the offers that an allocation is to make: %w", err)
		case len(rows) == 0 && failed.n == 0:
			return s.endRun(ctx, r, runDone)
		case len(rows) == 0 || done == batches:
			return failed.err()
		}
		all, err := s.list(ctx)
		if err != nil {
			return errors.Join(err, failed.err())
		}
		for _, c := range rows {
			after = c.Child
			err := s.offerPlaced(ctx, r, m, all, c)
			if ctx.Err() != nil {
				return errors.Join(err, failed.err()) // we are ending, which is no fault of the offers
			}
			failed.add(err)
		}
	}
}

// failures are the offers of one round that could not be made.
type failures struct {
	n     int
	first []error
}

// failuresSaid is how many of them are said one by one.
const failuresSaid = 5

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	if f.n++; len(f.first) < failuresSaid {
		f.first = append(f.first, err)
	}
}

func (f *failures) err() error {
	if f.n == 0 {
		return nil
	}
	return fmt.Errorf("%d offers of an allocation could not be made and are tried again, the first: %w", f.n, errors.Join(f.first...))
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

// offerPlaced makes the offer of one child, or notes that the child or the seat is gone. An
// error is of an offer that is tried again.
func (s *Service) offerPlaced(ctx context.Context, r db.PreschoolRun, m market, all []Kindergarten, c db.PreschoolRunChild) error {
	err := s.offerOnce(ctx, r, m, all, c)
	switch {
	case err == nil || errors.Is(err, errSettled):
		return nil
	case ctx.Err() != nil:
		return err
	}
	var refused *problem.Error
	if errors.As(err, &refused) && slices.Contains([]problem.Code{problem.Conflict, problem.Invalid, problem.NotFound}, refused.Code) {
		return s.lose(ctx, c, outcomeGone, "it can be made no more: "+refused.Key)
	}
	if !c.FailingSinceAt.IsZero() && s.Now().Sub(c.FailingSinceAt.Time) >= offersFailFor {
		return s.lose(ctx, c, outcomeFailed, "it could not be made since "+clock.Moment(c.FailingSinceAt.Time))
	}
	err = fmt.Errorf("the offer %d of the allocation %s: %w", c.Child, r.ID, err)
	return errors.Join(err, s.failing(ctx, c))
}

// failing notes since when an offer cannot be made.
func (s *Service) failing(ctx context.Context, c db.PreschoolRunChild) error {
	if !c.FailingSinceAt.IsZero() {
		return nil
	}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).NoteFailing(ctx, db.NoteFailingParams{FailingSinceAt: dbtime.From(s.Now()), Run: c.Run, Child: c.Child})
	})
	if err != nil {
		return fmt.Errorf("note since when an offer of an allocation fails: %w", err)
	}
	return nil
}

// lose notes that an offer will not be made, and says so in the audit log: the child had a
// place and has none.
func (s *Service) lose(ctx context.Context, c db.PreschoolRunChild, outcome, why string) error {
	c.Outcome = outcome
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		settled, err := db.New(tx).SettleRunChild(ctx, db.SettleRunChildParams{Outcome: c.Outcome, Run: c.Run, Child: c.Child})
		if err != nil || settled == 0 {
			return err
		}
		return s.note(ctx, tx, "system", "allocation_lost", lostID(c), "an offer of the allocation is not made: "+why, lostGroup(c))
	})
	if err != nil {
		return fmt.Errorf("note that an offer of an allocation is not made: %w", err)
	}
	return nil
}

var (
	// errSettled is of an offer that somebody else made, or found impossible, meanwhile.
	errSettled = errors.New("what becomes of this offer is settled")
	// errUnlisted is of a register that lacks a kindergarten which it had: one answer that is cut
	// short takes no child's place away.
	errUnlisted = errors.New("the register of kindergartens does not list this one")
)

func (s *Service) offerOnce(ctx context.Context, r db.PreschoolRun, m market, all []Kindergarten, c db.PreschoolRunChild) error {
	now := s.Now()
	registration, err := s.find(ctx, c.Number)
	if err != nil {
		return err
	}
	group := m.groups[c.Place]
	at := slices.IndexFunc(all, func(k Kindergarten) bool { return k.Code == group.Kindergarten })
	if at < 0 {
		return fmt.Errorf("%s: %w", group.Kindergarten, errUnlisted)
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
