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

// How many registration numbers may be looked up: they can be guessed. An address
// may be a whole village's.
var (
	looksByPhone   = limit.Rate{N: 30, Per: time.Hour}
	looksByAddress = limit.Rate{N: 300, Per: time.Hour}
	// again bounds the same number asked again, which tells nothing new but costs a
	// look all the same.
	again = limit.Rate{N: 3000, Per: time.Hour}
)

// mayLook refuses one number too many; the same one again counts only
// against a wide bound. The refusal names the limit and until when it holds.
func (s *Service) mayLook(ctx context.Context, c caller.Caller, number string) error {
	key := func(kind, who string) string {
		if who == "" {
			return ""
		}
		return "preschool:" + kind + ":" + s.Sealer.Index("preschool.limit", who)
	}
	ok, _, err := s.Limiter.Allow(ctx, key("looked", c.Phone+"\x00"+c.Network()+"\x00"+number), limit.Rate{N: 1, Per: looksByPhone.Per})
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	bounds := []limit.Bound{
		{Key: key("look:phone", c.Phone), Rate: looksByPhone}, {Key: key("look:address", c.Network()), Rate: looksByAddress},
	}
	if !ok {
		bounds = []limit.Bound{{Key: key("again:phone", c.Phone), Rate: again}, {Key: key("again:address", c.Network()), Rate: again}}
	}
	used, wait, err := limit.Within(ctx, s.Limiter, bounds...)
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	if used == nil {
		return nil
	}
	until := clock.Moment(c.Now.Add(wait))
	return problem.New(problem.TooMany, "problem.preschool_looks_many", "n", used.Rate.N, "until", until).After(wait)
}
