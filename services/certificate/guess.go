package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
)

// look looks up a number or a QR code that anybody may ask about, within the bounds
// on guesses: a number that nobody has and a code that we did not sign are one.
func (s *Service) look(ctx context.Context, c caller.Caller, find func() error) error {
	guard := limit.Guesses{Limiter: s.Limiter, Index: s.Sealer.Index, Service: name, Refusal: "problem.certificate_checks_many"}
	return guard.Look(ctx, c, find, func(err error) bool {
		code := problem.From(err).Code
		return code == problem.NotFound || code == problem.Invalid
	})
}
