package fine

import (
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/payment"
)

// Module makes the traffic fines from Safe City's register.
func Module(e module.Env) (module.Module, error) {
	city := e.Registries.City
	s, err := New(Deps{
		DB: e.DB, Queue: e.Queue, Register: city, Cashier: city, Follower: city, Payments: e.Payments, Outbox: e.Outbox, Identity: e.Identity, Limiter: e.Limiter,
		Sealer: e.Sealer, Trail: e.Trail, Texts: e.Texts, Random: e.Random, Now: e.Clock, Log: e.Log,
		PhotoURL: strings.TrimRight(e.PublicURL, "/") + "/e/",
	})
	if err != nil {
		return module.Module{}, err
	}
	return module.Module{
		Name: Name, Service: s, Flow: s.Flow(), Billers: []payment.Biller{NewBiller(city, e.DB, e.Sealer, e.Clock)},
		Finders:  []payment.Finder{NewFinder(s, city)},
		Personal: holder{s}, Check: func() module.Check { return NewCheck(e.Audit) }, Ties: []identity.Tie{s}, Unheard: s.sayUnheard,
		Chores: []module.Chore{
			{Name: "look for new fines of linked cars", Do: s.WatchDue},
			{Name: "forget links to photos", Do: s.ForgetPhotoLinks, Every: time.Hour},
			{Name: "forget appeals that ended long ago", Do: s.ForgetAppeals, Every: time.Hour},
		},
		Rehearsal: module.Rehearsal{
			Typed:  map[string][]string{"fine.plate": {"01KG123ABC", "01kg777aaa", "B1234AB", "09KG999ZZZ", "ZZZZ", "A123BC"}, "fine.odd": {"01KG123ABC", "A124BC", "ZZZZ"}, "fine.car_add": {"01KG123ABC", "01KG777AAA", "09KG999ZZZ", "ZZZZ"}, "fine.appeal_car": {"01KG123ABC", "01KG777AAA", "ZZZZ"}, "fine.appeal_text": {"Белги бактын артында калган", "12345"}},
			Texted: []string{"айып", "штраф 01KG777AAA", "айып ???", "даттануу"},
		},
	}, nil
}
