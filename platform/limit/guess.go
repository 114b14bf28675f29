package limit

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// How much of what can be guessed may be looked up. Who shows who they are by their
// phone counts by it; others by their address, which may be a whole village's. Only
// what found nothing is a guess; the wide bounds are on every look, as what is found
// answers also after the last guess.
var (
	GuessesByPhone   = Rate{N: 30, Per: time.Hour}
	GuessesByAddress = Rate{N: 300, Per: time.Hour}
	LooksByPhone     = Rate{N: 300, Per: time.Hour}
	LooksByAddress   = Rate{N: 3000, Per: time.Hour}
)

// Guesses is the guard of what anybody may look up and could guess: the numbers and
// codes of a service.
type Guesses struct {
	Limiter Limiter
	// Index makes of a phone or an address what tells neither: seal.Sealer.Index.
	Index func(purpose, value string) string
	// Service is whose numbers they are. All its numbers and codes count together.
	Service string
	// Refusal is the key of the problem that refuses one too many; its arguments are
	// n and until.
	Refusal string
}

// Look looks something up by find within the bounds. An error of find that missed
// says is one of a wrong guess counts as one, and nothing else does; a guess that is
// refused leaves no mark, so that asking twice gains nothing. Problem: Refusal.
func (g Guesses) Look(ctx context.Context, c caller.Caller, find func() error, missed func(error) bool) error {
	if err := g.count(ctx, c, "look", LooksByPhone, LooksByAddress); err != nil {
		return err
	}
	err := find()
	if err == nil || !missed(err) {
		return err
	}
	if many := g.count(ctx, c, "guess", GuessesByPhone, GuessesByAddress); many != nil {
		return many
	}
	return err
}

// count counts a use by the caller's phone or else address; the refusal names the
// limit and until when it holds.
func (g Guesses) count(ctx context.Context, c caller.Caller, kind string, byPhone, byAddress Rate) error {
	who, rate := c.Phone, byPhone
	if who == "" {
		who, rate = c.Network(), byAddress
	}
	if who == "" { // no client is without both
		return nil
	}
	ok, wait, err := g.Limiter.Allow(ctx, g.Service+":"+kind+":"+g.Index(g.Service+".limit", who), rate)
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	if ok {
		return nil
	}
	return problem.New(problem.TooMany, g.Refusal, "n", rate.N).Until(c.Now, wait)
}
