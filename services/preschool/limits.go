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
)

// mayLook refuses one number too many; the same one again is not counted. The
// refusal names the limit and until when it holds.
func (s *Service) mayLook(ctx context.Context, c caller.Caller, number string) error {
	key := func(kind, who string) string {
		if who == "" {
			return ""
		}
		return "preschool:" + kind + ":" + s.Sealer.Index("preschool.limit", who)
	}
	ok, _, err := s.Limiter.Allow(ctx, key("looked", c.Phone+"\x00"+c.Address+"\x00"+number), limit.Rate{N: 1, Per: looksByPhone.Per})
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	if !ok {
		return nil
	}
	used, wait, err := limit.Within(ctx, s.Limiter,
		limit.Bound{Key: key("look:phone", c.Phone), Rate: looksByPhone}, limit.Bound{Key: key("look:address", c.Address), Rate: looksByAddress})
	if err != nil {
		return fmt.Errorf("count a look-up: %w", err)
	}
	if used == nil {
		return nil
	}
	until := clock.Moment(c.Now.Add(wait))
	return problem.New(problem.TooMany, "problem.preschool_looks_many", "n", used.Rate.N, "until", until).After(wait)
}
