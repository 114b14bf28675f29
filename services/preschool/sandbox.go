package preschool

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eshik-kg/eshik/locales"
)

// sandboxChildren is how many invented children stand in a sandbox's queue.
const sandboxChildren = 400

// fillSandbox fills the queue of a new sandbox, so that positions look real. The
// children are the same at every start: a second import does nothing.
func (s *Service) fillSandbox(ctx context.Context) error {
	districts, err := s.Districts(ctx)
	if err != nil {
		return fmt.Errorf("fill the sandbox's queue: %w", err)
	}
	var all []Kindergarten
	for _, d := range districts {
		some, err := s.Kindergartens(ctx, d.Code)
		if err != nil {
			return fmt.Errorf("fill the sandbox's queue: %w", err)
		}
		all = append(all, some...)
	}
	if _, err := s.ImportWaiting(ctx, inventChildren(all)); err != nil {
		return fmt.Errorf("fill the sandbox's queue: %w", err)
	}
	return nil
}

// inventChildren gives people who do not exist; their personal numbers end in 9 and a
// serial number.
func inventChildren(all []Kindergarten) []Waiting {
	random := rand.New(rand.NewPCG(1414, 996)) // #nosec G404 -- invented people, the same at every start
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := make([]Waiting, sandboxChildren)
	for i := range rows {
		born := day.AddDate(-2-random.IntN(5), 0, -random.IntN(365))
		first := random.IntN(len(all))
		second := (first + 1 + random.IntN(len(all)-1)) % len(all)
		rows[i] = Waiting{
			Minor:  Minor{PIN: fmt.Sprintf("%d%s9%04d", 1+i%2, born.Format("02012006"), i), Name: "Бала", Born: born},
			Locale: locales.KY, Since: day.Add(-time.Duration(random.IntN(700*24)) * time.Hour),
			Choices: []string{all[first].Code, all[second].Code},
		}
		if random.IntN(12) == 0 {
			rows[i].Benefit = "large_family"
		}
	}
	return rows
}
