package registry

import "errors"

// Clients are the registries that services ask.
type Clients struct {
	City          *SafeCity
	Aimak         *Aimak
	Persons       *Persons
	Kindergartens *Kindergartens
	SIMs          *SIMs // nil where the register has no service of ours
	Vehicles      *Vehicles
	Fund          *Fund
	// Nil where their registers have no service of ours.
	Taxes   *Taxes
	Land    *Land
	Schools *Schools
}

// Services are the X-Road names of the registries' services, each with a default.
type Services struct {
	SafeCity, Aimak, Kindergartens, Vehicles, Fund string
	// These have no default: empty, the register is not asked.
	SIM, Taxes, Land, Schools string
	Persons                   PersonsConfig
}

// NewClients makes a client of every registry behind one security server.
func NewClients(config Config, services Services) (*Clients, error) {
	rest, err := NewREST(config)
	if err != nil {
		return nil, err
	}
	soap, err := NewSOAP(config)
	if err != nil {
		return nil, err
	}
	var c Clients
	var faults []error
	c.City, err = NewSafeCity(soap, SafeCityConfig{Service: services.SafeCity})
	faults = append(faults, err)
	c.Aimak, err = NewAimak(rest, services.Aimak)
	faults = append(faults, err)
	c.Persons, err = NewPersons(soap, services.Persons)
	faults = append(faults, err)
	c.Kindergartens, err = NewKindergartens(rest, services.Kindergartens)
	faults = append(faults, err)
	c.Vehicles, err = NewVehicles(soap, services.Vehicles)
	faults = append(faults, err)
	c.Fund, err = NewFund(rest, services.Fund)
	faults = append(faults, err, c.connect(rest, services))
	return &c, errors.Join(faults...)
}

// connect makes the clients of the registers that have no default.
func (c *Clients) connect(rest *REST, services Services) error {
	var faults []error
	var err error
	if services.SIM != "" {
		c.SIMs, err = NewSIMs(rest, services.SIM)
		faults = append(faults, err)
	}
	if services.Taxes != "" {
		c.Taxes, err = NewTaxes(rest, services.Taxes)
		faults = append(faults, err)
	}
	if services.Land != "" {
		c.Land, err = NewLand(rest, services.Land)
		faults = append(faults, err)
	}
	if services.Schools != "" {
		c.Schools, err = NewSchools(rest, services.Schools)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
