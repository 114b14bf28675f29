package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// VehicleRegister is the register of vehicles; *registry.Vehicles is one.
type VehicleRegister interface {
	Owned(ctx context.Context, call registry.Call, pin string) ([]registry.Vehicle, error)
}

var errVehiclesAway = problem.New(problem.Unavailable, "problem.certificate_away_vehicles")

// vehicles are those that somebody owns, or none.
func vehicles(r Registers) fetch {
	if r.Vehicles == nil {
		return nil
	}
	return listed(r, func(ctx context.Context, call registry.Call, pin string) ([][]string, error) {
		owned, err := r.Vehicles.Owned(ctx, call, pin)
		var rows [][]string
		for _, v := range owned {
			rows = append(rows, []string{v.Plate, joined(" ", v.Brand, v.Model), v.Year, v.VIN, isoDay(v.Since)})
		}
		return rows, err
	}, errVehiclesAway)
}
