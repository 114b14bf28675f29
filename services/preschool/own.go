package preschool

import (
	"context"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Registrations lists the registrations of the caller's phone and of the person
// proven on it, newest first: at most 100 of each, and each once.
func (s *Service) Registrations(ctx context.Context, c caller.Caller) ([]Position, error) {
	q := db.New(s.DB.Reader())
	var numbers []string
	if c.Phone != "" {
		mine, err := q.NumbersOfPhone(ctx, s.phoneIndex(c.Phone))
		if err != nil {
			return nil, fmt.Errorf("list the registrations of the phone: %w", err)
		}
		numbers = mine
	}
	if c.Subject != "" {
		mine, err := q.NumbersOfCitizen(ctx, c.Subject)
		if err != nil {
			return nil, fmt.Errorf("list the registrations of the citizen: %w", err)
		}
		for _, number := range mine {
			if !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	list := make([]Position, 0, len(numbers))
	for _, number := range numbers {
		position, err := s.Position(ctx, c, number)
		if err != nil {
			return nil, err
		}
		list = append(list, position)
	}
	return list, nil
}
