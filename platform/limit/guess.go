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
	GuessesByPhone = Rule{
		Name: "guess/phone", What: "that nobody has", Who: "a phone", Rate: Rate{N: 30, Per: time.Hour}, In: InLimiter,
	}
	GuessesByAddress = Rule{
		Name: "guess/address", What: "that nobody has", Who: "an address, of who shows no phone", Rate: Rate{N: 300, Per: time.Hour}, In: InLimiter,
	}
	LooksByPhone = Rule{
		Name: "look/phone", What: "that somebody has too", Who: "a phone", Rate: Rate{N: 300, Per: time.Hour}, In: InLimiter,
	}
	LooksByAddress = Rule{
		Name: "look/address", What: "that somebody has too", Who: "an address, of who shows no phone", Rate: Rate{N: 3000, Per: time.Hour}, In: InLimiter,
	}
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

// Rules are the bounds as they are for the numbers of a service, called what.
func (g Guesses) Rules(what string) []Rule {
	rules := []Rule{GuessesByPhone, GuessesByAddress, LooksByPhone, LooksByAddress}
	for i := range rules {
		rules[i].Name = g.Service + "/" + rules[i].Name
		rules[i].What = what + " " + rules[i].What
		rules[i].Refusal = g.Refusal
	}
	return rules
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
func (g Guesses) count(ctx context.Context, c caller.Caller, kind string, byPhone, byAddress Rule) error {
	who, rule := c.Phone, byPhone
	if who == "" {
		who, rule = c.Network(), byAddress
	}
	if who == "" { // no client is without both
		return nil
	}
	ok, wait, err := g.Limiter.Allow(ctx, g.Service+":"+kind+":"+g.Index(g.Service+".limit", who), rule.Rate)
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	if ok {
		return nil
	}
	return problem.New(problem.TooMany, g.Refusal, "n", rule.N).Until(c.Now, wait)
}
