package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// territory is how many digits of a district's SOATE code name its city or region: the
// centre that serves it is called by them.
const territory = 5

// offices are those whose matter kindergartens are: their own, and the centres that serve
// their districts.
func (s *Service) offices(ctx context.Context, codes ...string) ([]string, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	var offices []string
	for _, code := range codes {
		offices = append(offices, "kindergarten/"+code)
		at := slices.IndexFunc(all, func(k Kindergarten) bool { return k.Code == code })
		if at >= 0 && len(all[at].District.Code) >= territory {
			offices = append(offices, "centre/"+all[at].District.Code[:territory])
		}
	}
	return offices, nil
}

// officesOfKindergarten are those of the kindergarten that is named.
func officesOfKindergarten(ctx context.Context, modules []module.Module, given map[string]string) ([]string, error) {
	return module.Of[*Service](modules).offices(ctx, given["kindergarten"])
}

// officesOfPlace are those of the kindergarten that a registration was offered last.
func officesOfPlace(ctx context.Context, modules []module.Module, given map[string]string) ([]string, error) {
	s := module.Of[*Service](modules)
	r, err := s.find(ctx, given["registration"])
	if err != nil {
		return nil, err
	}
	row, err := db.New(s.DB.Reader()).LastOffer(ctx, r.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problemNotPlaced
	}
	if err != nil {
		return nil, fmt.Errorf("find the last offer: %w", err)
	}
	return s.offices(ctx, row.Kindergarten)
}

// officesOfChoices are those of the kindergartens that a registration waits for.
func officesOfChoices(ctx context.Context, modules []module.Module, given map[string]string) ([]string, error) {
	s := module.Of[*Service](modules)
	found, err := s.Position(ctx, caller.Caller{Now: s.Now()}, given["registration"])
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(found.Places))
	for i, p := range found.Places {
		codes[i] = p.Kindergarten
	}
	return s.offices(ctx, codes...)
}
