package preschool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Families is the register that knows a citizen's children.
type Families interface {
	// Children lists the minor children of the family of a personal number; issue
	// is the reference that the register keeps as the reason of the call.
	Children(ctx context.Context, pin, issue string) ([]Minor, error)
}

// Directory is the register of kindergartens.
type Directory interface {
	Kindergartens(ctx context.Context) ([]Kindergarten, error)
}

// Minor is a child as the register of families reports it.
type Minor struct {
	// PIN is the child's personal number: it is only ever stored sealed.
	PIN  string    `json:"pin"`
	Name string    `json:"name"`
	Born time.Time `json:"born"`
}

// list gives all kindergartens ordered by district and code.
func (s *Service) list(ctx context.Context) ([]Kindergarten, error) {
	all, err := s.Directory.Kindergartens(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the kindergartens: %w", err)
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Kindergarten) int {
		if byDistrict := strings.Compare(a.District.Code, b.District.Code); byDistrict != 0 {
			return byDistrict
		}
		return strings.Compare(a.Code, b.Code)
	})
	return all, nil
}
