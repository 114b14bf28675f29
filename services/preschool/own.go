package preschool

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Registrations lists the registrations of the proven citizen c.Subject, newest
// first: at most 100. A phone alone proves nothing.
func (s *Service) Registrations(ctx context.Context, c caller.Caller) ([]Position, error) {
	if c.Subject == "" {
		return nil, problemProve
	}
	numbers, err := db.New(s.DB.Reader()).NumbersOfCitizen(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("list the registrations of the citizen: %w", err)
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
