package preschool

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
)

// How many registration numbers may be looked up: they can be guessed. Who shows who
// they are by their phone counts by it; others by their address, which may be a whole
// village's. Only what found nothing is a guess; the wide bounds are on every look, as
// a number that is found answers also after the last guess.
var (
	guessesByPhone   = limit.Rate{N: 30, Per: time.Hour}
	guessesByAddress = limit.Rate{N: 300, Per: time.Hour}
	looksByPhone     = limit.Rate{N: 300, Per: time.Hour}
	looksByAddress   = limit.Rate{N: 3000, Per: time.Hour}
)

// mayLook counts a look-up of any number and refuses one too many.
func (s *Service) mayLook(ctx context.Context, c caller.Caller) error {
	return s.within(ctx, c, "look", looksByPhone, looksByAddress)
}

// guessed counts a look-up that found nothing, and gives what to answer: problemNumber,
// or the refusal. A refused one leaves no mark, so that asking twice gains nothing.
func (s *Service) guessed(ctx context.Context, c caller.Caller) error {
	if err := s.within(ctx, c, "guess", guessesByPhone, guessesByAddress); err != nil {
		return err
	}
	return problemNumber
}

// within counts a use by the caller's phone or else address; the refusal names the
// limit and until when it holds.
func (s *Service) within(ctx context.Context, c caller.Caller, kind string, byPhone, byAddress limit.Rate) error {
	who, rate := c.Phone, byPhone
	if who == "" {
		who, rate = c.Network(), byAddress
	}
	if who == "" { // no client is without both
		return nil
	}
	ok, wait, err := s.Limiter.Allow(ctx, "preschool:"+kind+":"+s.Sealer.Index("preschool.limit", who), rate)
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	if ok {
		return nil
	}
	until := clock.Moment(c.Now.Add(wait))
	return problem.New(problem.TooMany, "problem.preschool_looks_many", "n", rate.N, "until", until).After(wait)
}
