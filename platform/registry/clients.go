package registry

import "errors"

// Clients are the registries that services ask.
type Clients struct {
	City          *SafeCity
	Aimak         *Aimak
	Persons       *Persons
	Kindergartens *Kindergartens
}

// Services are the X-Road names of the registries' services, each with a default.
type Services struct {
	SafeCity, Aimak, Kindergartens string
	Persons                        PersonsConfig
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
	var faults [4]error
	c.City, faults[0] = NewSafeCity(soap, SafeCityConfig{Service: services.SafeCity})
	c.Aimak, faults[1] = NewAimak(rest, services.Aimak)
	c.Persons, faults[2] = NewPersons(soap, services.Persons)
	c.Kindergartens, faults[3] = NewKindergartens(rest, services.Kindergartens)
	return &c, errors.Join(faults[:]...)
}
