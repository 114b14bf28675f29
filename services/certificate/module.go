package certificate

import (
	"regexp"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/registry"
)

// issuer names us in every signed record (the CWT claim iss).
const issuer = "KG-ESHIK"

// verifyPage is the path of the page that verifies certificates.
const verifyPage = "/verify"

// Module makes the certificates from the registers that are connected.
func Module(e module.Env) (module.Module, error) {
	e.Mandates.Offer(name)
	s, err := New(Deps{
		DB: e.DB, Queue: e.Queue, Registers: connected(e.Registries), Identity: e.Identity, Pseudonyms: e.Identity, Mandates: e.Mandates, Sealer: e.Sealer, Signer: e.Keys, Documents: e.Documents, Trail: e.Trail,
		Texts: e.Texts, Limiter: e.Limiter, Issuer: issuer,
		VerifyURL: strings.TrimRight(e.PublicURL, "/") + verifyPage, SMSNumber: e.SMSNumber, Random: e.Random, Now: e.Clock,
	})
	if err != nil {
		return module.Module{}, err
	}
	return module.Module{
		Name: name, Service: s, Flow: s.Flow(), Personal: holder{s}, Check: func() module.Check { return NewCheck(e.Audit, e.Sealer) },
		Ties: []identity.Tie{s}, Chores: []module.Chore{{Name: "forget codes for offices", Do: s.ForgetShares, Every: time.Hour}},
		Rehearsal: module.Rehearsal{
			Typed:  map[string][]string{"certificate.verify": {"{certificate.done}", "ABCD-EFGH-JKM", "K7MN"}},
			Shown:  map[string]*regexp.Regexp{"certificate.done": regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)},
			Texted: []string{"справка", "текшер {certificate.done}"},
		},
	}, nil
}

// connected are the registers behind the clients that there are: a client that is nil is none.
func connected(c *registry.Clients) Registers {
	r := Registers{Residents: FromAimak(c.Aimak, c.Persons), Civil: c.Persons, Vehicles: c.Vehicles, Fund: c.Fund}
	if c.Taxes != nil {
		r.Taxes = c.Taxes
	}
	if c.Land != nil {
		r.Land = c.Land
	}
	if c.Schools != nil {
		r.Schools = c.Schools
	}
	return r
}
