package fine

import (
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/payment"
)

// Module makes the traffic fines from Safe City's register.
func Module(e module.Env) (module.Module, error) {
	city := e.Registries.City
	s, err := New(Deps{
		DB: e.DB, Register: city, Cashier: city, Payments: e.Payments, Identity: e.Identity, Limiter: e.Limiter, Sealer: e.Sealer, Trail: e.Trail,
	})
	if err != nil {
		return module.Module{}, err
	}
	return module.Module{
		Name: Name, Service: s, Flow: s.Flow(), Billers: []payment.Biller{NewBiller(city, e.DB, e.Sealer, e.Clock)},
		Rehearsal: module.Rehearsal{
			Typed:  map[string][]string{"fine.plate": {"01KG123ABC", "01kg777aaa", "B1234AB", "09KG999ZZZ", "ZZZZ", "A123BC"}, "fine.odd": {"01KG123ABC", "A124BC", "ZZZZ"}},
			Texted: []string{"айып", "штраф 01KG777AAA", "айып ???"},
		},
	}, nil
}
