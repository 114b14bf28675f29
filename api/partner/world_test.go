package partner_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// nobody is a register that knows no person.
type nobody struct{}

// CheckPerson implements identity.PersonRegistry.
func (nobody) CheckPerson(context.Context, registry.Call, string, string) (registry.Person, error) {
	return registry.Person{}, problem.New(problem.Invalid, "problem.registry_person_unknown")
}

// signer signs tokens as the server does.
func signer(t *testing.T, w *testworld.World) *identity.Service {
	t.Helper()
	s, err := identity.New(identity.Deps{
		DB: w.DB, Sealer: w.Sealer, Trail: w.Trail, Limiter: w.Limiter, Registry: nobody{}, Texts: w.Texts,
		Now: w.Now, Random: rand.Reader, Log: w.Log,
	})
	w.OK(err)
	return s
}
