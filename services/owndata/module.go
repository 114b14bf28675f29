package owndata

import (
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
)

// Module makes the service.
func Module(e module.Env) (module.Module, error) {
	s, err := New(Deps{
		DB: e.DB, Identity: e.Identity, Audit: e.Audit, Trail: e.Trail, Texts: e.Texts, Sealer: e.Sealer, Limiter: e.Limiter, Holders: e.Holders,
		Random: e.Random, Now: e.Clock,
	})
	if err != nil {
		return module.Module{}, err
	}
	return module.Module{
		Name: name, Service: s, Flow: s.Flow(), Ties: []identity.Tie{s},
		Chores:    []module.Chore{{Name: "erase what people asked for", Do: s.EraseDue, Every: time.Minute}},
		Check:     func() module.Check { return NewCheck(e.Audit) },
		Rehearsal: module.Rehearsal{Texted: []string{"ким көрдү", "кто смотрел"}},
	}, nil
}
