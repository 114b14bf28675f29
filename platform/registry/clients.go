package registry

import "errors"

// Clients are the registries that services ask.
type Clients struct {
	City          *SafeCity
	Aimak         *Aimak
	Persons       *Persons
	Kindergartens *Kindergartens
	SIMs          *SIMs // nil where the register has no service of ours
}

// Services are the X-Road names of the registries' services, each with a default.
type Services struct {
	SafeCity, Aimak, Kindergartens string
	// SIM has no default: empty, the register is not asked.
	SIM     string
	Persons PersonsConfig
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
	if services.SIM != "" {
		c.SIMs, err = NewSIMs(rest, services.SIM)
		faults = append(faults, err)
	}
	return &c, errors.Join(faults...)
}
