package certificate

import (
	"context"
	"strings"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// LandRegister is the register of rights to immovable property; *registry.Land is one.
type LandRegister interface {
	Estates(ctx context.Context, call registry.Call, pin string) ([]registry.Estate, bool, error)
}

var (
	errLandAway    = problem.New(problem.Unavailable, "problem.certificate_away_land")
	errLandUnknown = problem.New(problem.NotFound, "problem.certificate_unknown_land")
	errEncumbered  = problem.New(problem.Conflict, "problem.certificate_encumbered")
)

// property is what immovable things somebody has a right to, or none.
func property(r Registers) fetch {
	return estates(r, func(e registry.Estate) ([]string, error) {
		return []string{e.Kind, e.AddressKY, e.AddressRU, strings.ReplaceAll(e.Area, ".", ","), e.Share, e.ENI}, nil
	})
}

// unencumbered is that nothing binds what somebody has a right to.
func unencumbered(r Registers) fetch {
	return estates(r, func(e registry.Estate) ([]string, error) {
		if *e.Encumbered {
			return nil, errEncumbered
		}
		return []string{e.Kind, e.AddressKY, e.AddressRU, e.ENI}, nil
	})
}

func estates(r Registers, row func(registry.Estate) ([]string, error)) fetch {
	if r.Land == nil {
		return nil
	}
	return listed(r, func(ctx context.Context, call registry.Call, pin string) ([][]string, error) {
		list, found, err := r.Land.Estates(ctx, call, pin)
		if err == nil && !found {
			err = errLandUnknown
		}
		if err != nil {
			return nil, err
		}
		var rows [][]string
		for _, e := range list {
			values, err := row(e)
			if err != nil {
				return nil, err
			}
			rows = append(rows, values)
		}
		return rows, nil
	}, errLandAway)
}
