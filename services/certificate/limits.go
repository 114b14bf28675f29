package certificate

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
)

// What may be asked for, by whom. A certificate costs a call to the register and an
// SMS. An address may be a whole village's.
var (
	ordersByPerson = limit.Rule{
		Name: "certificate:order", What: "certificates issued", Who: "a person; a phone", Rate: limit.Rate{N: 20, Per: 24 * time.Hour},
		Refusal: manyOrders, In: limit.InLimiter,
	}
	sharesByPerson = limit.Rule{
		Name: "certificate:share", What: "codes for offices asked for", Who: "a person", Rate: limit.Rate{N: 20, Per: 24 * time.Hour},
		Refusal: "problem.certificate_shares_many", In: limit.InLimiter,
	}
	// childrenByPerson bounds what the register of families is asked: a call that lists children asks it once or twice.
	childrenByPerson = limit.Rule{
		Name: "certificate:children", What: "lists of one's children asked of the register", Who: "a person", Rate: limit.Rate{N: 60, Per: time.Hour},
		Refusal: "problem.certificate_children_many", In: limit.InLimiter,
	}
	ordersByAddress = limit.Rule{
		Name: "certificate:order:address", What: "certificates issued", Who: "an address", Rate: limit.Rate{N: 500, Per: 24 * time.Hour},
		Refusal: manyOrders, In: limit.InLimiter,
	}
)

const manyOrders = "problem.certificate_many"

// Limits are the rules of certificates, for the table of all.
func Limits() []limit.Rule {
	return append([]limit.Rule{ordersByPerson, ordersByAddress, failuresByPerson, sharesByPerson, childrenByPerson}, guesses.Rules("certificate numbers and QR codes checked")...)
}

func (s *Service) bound(kind, who string, rule limit.Rule) limit.Bound {
	if who == "" {
		return limit.Bound{}
	}
	return limit.Bound{Key: "certificate:" + kind + ":" + s.Sealer.Index("certificate.limit", who), Rate: rule.Rate}
}

// within counts a use; the refusal names the limit and until when it holds.
func (s *Service) within(ctx context.Context, c caller.Caller, key string, bounds ...limit.Bound) error {
	used, wait, err := limit.Within(ctx, s.Limiter, bounds...)
	if err != nil {
		return fmt.Errorf("count a use: %w", err)
	}
	if used == nil {
		return nil
	}
	return tooMany(c, key, used, wait)
}

// tooMany is a refusal that names the limit and until when it holds.
func tooMany(c caller.Caller, key string, used *limit.Bound, wait time.Duration) error {
	return problem.New(problem.TooMany, key, "n", used.Rate.N).Until(c.Now, wait)
}
