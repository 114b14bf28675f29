package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
)

// guesses is the guard of certificates' numbers and codes, without what it counts by.
var guesses = limit.Guesses{Service: name, Refusal: "problem.certificate_checks_many"}

// look looks up a number or a QR code that anybody may ask about, within the bounds
// on guesses: a number that nobody has and a code that we did not sign are one.
func (s *Service) look(ctx context.Context, c caller.Caller, find func() error) error {
	guard := guesses
	guard.Limiter, guard.Index = s.Limiter, s.Sealer.Index
	return guard.Look(ctx, c, find, func(err error) bool {
		code := problem.From(err).Code
		return code == problem.NotFound || code == problem.Invalid
	})
}
