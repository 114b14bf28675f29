package identity

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Answer is what a Provider says of a person.
type Answer int

// The answers.
const (
	CannotTell Answer = iota // it does not answer, or knows nothing of it
	Yes
	No
	TooNew // the number is the person's, but its SIM card may be in other hands
)

// Provider proves a person, who proved weakly who they are, strongly.
type Provider interface {
	// Confirms says whether the phone (E.164) is that of the person with the number at
	// the moment. An error is why it cannot tell, for the log.
	Confirms(ctx context.Context, call registry.Call, phone, pin string, now time.Time) (Answer, error)
}

// SIMRegister is the mobile operators' register of subscribers. registry.SIMs is one.
type SIMRegister interface {
	Holder(ctx context.Context, call registry.Call, phone, pin string) (sim registry.SIM, found bool, err error)
}

// BySIM is the Provider that asks whose the phone's number is. A number that got another
// SIM card a short while ago (assurance.SIMSettles) proves nobody: so numbers are stolen.
type BySIM struct{ Register SIMRegister }

// Confirms implements Provider.
func (p BySIM) Confirms(ctx context.Context, call registry.Call, phone, pin string, now time.Time) (Answer, error) {
	sim, found, err := p.Register.Holder(ctx, call, phone, pin)
	switch {
	case err != nil || !found:
		return CannotTell, err
	case !sim.Held:
		return No, nil
	case sim.ChangedAt.After(now.Add(-assurance.SIMSettles(now))):
		return TooNew, nil
	}
	return Yes, nil
}

// The problems of who is proved weakly. Each says what else proves: see nodeWeak.
var (
	errOtherHolder = problem.New(problem.Weak, "problem.level_sim_other")
	errSIMNew      = problem.New(problem.Weak, "problem.level_sim_new")
	errStrongDown  = problem.New(problem.Weak, "problem.level_sim_down")
	errStrongMany  = problem.New(problem.TooMany, "problem.level_many", "n", stepUps.N)
)

// refusal is what is told where no provider confirmed.
func refusal(answer Answer, now time.Time) *problem.Error {
	switch answer {
	case No:
		return errOtherHolder
	case TooNew:
		return problem.New(problem.Weak, errSIMNew.Key, settles(now)...)
	}
	return errStrongDown
}

// settles fills the sentence of errSIMNew.
func settles(now time.Time) []any {
	return []any{"hours", strconv.Itoa(int(assurance.SIMSettles(now).Hours()))}
}

// StepUp makes the weak proof of the caller's phone a strong one, where a provider confirms
// it, and gives whose it is. Who is proved strongly is asked nothing. Problems: of the kind
// Weak, which say why not; Unproven where nobody is proved at all.
func (s *Service) StepUp(ctx context.Context, c caller.Caller) (Citizen, error) {
	row, proved, err := s.lastProof(ctx, c)
	if err != nil {
		return Citizen{}, err
	}
	if !proved {
		return Citizen{}, errUnproven
	}
	citizen, err := s.provedBy(row)
	if err != nil || citizen.Level >= caller.LevelStrong {
		return citizen, err
	}
	answer, err := s.confirmed(ctx, c, row)
	if err != nil {
		return citizen, err
	}
	if answer != Yes {
		return citizen, errors.Join(refusal(answer, c.Now), s.notStrong(ctx, c, row, answer))
	}
	if err := s.raise(ctx, c, row); err != nil {
		return citizen, err
	}
	raised, proved, err := s.Proof(ctx, c)
	if err == nil && !proved { // an undo came first
		return Citizen{}, errUnproven
	}
	return raised, err
}

// errUnproven is where nobody is proved whose proof could become a strong one.
var errUnproven = problem.New(problem.Unproven, "problem.level_proven")

// confirmed asks the providers until one confirms; otherwise the answer that says most.
func (s *Service) confirmed(ctx context.Context, c caller.Caller, row db.GoodProofsRow) (Answer, error) {
	if len(s.Strong) == 0 {
		return CannotTell, assurance.ErrWeak
	}
	bound := s.stepUpBound(c, row)
	refused, wait, err := limit.Would(ctx, s.Limiter, bound)
	if err != nil {
		return CannotTell, fmt.Errorf("count the questions about a person: %w", err)
	}
	if refused != nil {
		return CannotTell, errStrongMany.Until(c.Now, wait)
	}
	pin, err := s.PIN(ctx, row.CitizenID)
	if err != nil {
		return CannotTell, err
	}
	best, call := CannotTell, registry.Call{UserID: "KG" + pin, Issue: row.ID}
	for _, provider := range s.Strong {
		answer, err := provider.Confirms(ctx, call, c.Phone, pin, c.Now)
		if err != nil {
			s.Log.WarnContext(ctx, "a provider of strong proofs does not answer", "error", err)
		}
		if best = max(best, answer); answer == Yes {
			return Yes, nil
		}
	}
	if _, _, err := limit.Within(ctx, s.Limiter, bound); err != nil {
		return CannotTell, fmt.Errorf("count the questions about a person: %w", err)
	}
	return best, nil
}

func (s *Service) stepUpBound(c caller.Caller, row db.GoodProofsRow) limit.Bound {
	return limit.Bound{Key: stepUps.Name + ":" + s.phoneIndex(c.Phone) + ":" + row.CitizenID, Rate: stepUps.Rate}
}

// raise notes that a proof is a strong one, unless it ended meanwhile.
func (s *Service) raise(ctx context.Context, c caller.Caller, row db.GoodProofsRow) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, index := db.New(tx), s.phoneIndex(c.Phone)
		if err := q.LockCitizen(ctx, row.CitizenID); err != nil { // an undo under way comes first
			return err
		}
		n, err := q.RaiseProof(ctx, db.RaiseProofParams{
			Level: int64(caller.LevelStrong), ID: row.ID, PhoneIndex: index, ExpiresAt: dbtime.From(s.Now()), // not of the request's beginning: see HoldProof
		})
		if err != nil || n == 0 { // another request raised it, or it ended
			return err
		}
		if err := s.Trail.Leave(ctx, tx, s.checked(c, "strong", "done", row.ID, row.CitizenID)); err != nil {
			return err
		}
		return s.provedStrongly(ctx, tx, c, row.CitizenID)
	})
	if err != nil {
		return fmt.Errorf("raise a proof: %w", err)
	}
	return nil
}

// notStrong records that a provider was asked about a person and did not confirm.
func (s *Service) notStrong(ctx context.Context, c caller.Caller, row db.GoodProofsRow, answer Answer) error {
	outcome := "refused"
	if answer == CannotTell {
		outcome = "failed"
	}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		return s.Trail.Leave(ctx, tx, s.checked(c, "strong", outcome, row.ID, row.CitizenID))
	})
	if err != nil {
		return fmt.Errorf("note a proof that stays weak: %w", err)
	}
	return nil
}
