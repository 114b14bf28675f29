package registry

import (
	"context"
	"strings"
	"time"
)

// VehicleService is the register of vehicles, Unaa. Source: two public clients of Tunduk.
const VehicleService = "central-server/GOV/70000005/vehicles-service"

// The statuses of an answer: there are vehicles, there is nothing of somebody. Source: a public client.
const (
	vehiclesThere = "200"
	vehiclesNone  = "203"
)

// Vehicles asks the register of vehicles.
type Vehicles struct {
	soap    *SOAP
	service ServiceID
}

// NewVehicles makes the client; an empty service is VehicleService.
func NewVehicles(soap *SOAP, service string) (*Vehicles, error) {
	id, err := ParseService(or(service, VehicleService))
	if err != nil {
		return nil, err
	}
	id.Service, id.Version = "transportByPin", "v1"
	return &Vehicles{soap: soap, service: id}, nil
}

// Vehicle is one vehicle of an owner.
type Vehicle struct {
	Plate string `xml:"govPlate"`
	Brand string `xml:"brand"`
	Model string `xml:"model"`
	Year  string `xml:"year"`
	VIN   string `xml:"vin"`
	From  string `xml:"dateFrom"`
	// Since is the day from which it is theirs, in UTC its midnight; zero: the register does not say.
	Since time.Time `xml:"-"`
}

// Owned lists the vehicles of the owner of a personal number (transportByPin), none of them an empty list.
func (v *Vehicles) Owned(ctx context.Context, call Call, pin string) ([]Vehicle, error) {
	var out struct {
		Status string    `xml:"status"`
		Cars   []Vehicle `xml:"cars"`
	}
	operation := Operation{Service: v.service, Namespace: SafeCityNamespace}
	if err := v.soap.Do(ctx, call, operation, byPIN{pin}, &out); err != nil {
		return nil, err
	}
	switch status := strings.TrimSpace(out.Status); {
	case status == vehiclesNone && len(out.Cars) == 0:
		return []Vehicle{}, nil
	case status != vehiclesThere || len(out.Cars) == 0: // that somebody has none is said, and not concluded from a failure
		return nil, v.misfit()
	}
	for i := range out.Cars {
		car := &out.Cars[i]
		since, err := dayOrNone(car.From)
		if err != nil || car.Plate == "" || car.Brand == "" {
			return nil, v.misfit()
		}
		car.Since = since
	}
	return out.Cars, nil
}

func (v *Vehicles) misfit() error {
	return schemaError(v.service.String(), 200, "a status that fits no vehicles, or a vehicle without plate, brand or day").asProblem()
}
