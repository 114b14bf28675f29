package certificate_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sandbox"
	"github.com/eshik-kg/eshik/services/certificate"
)

const (
	vehicles = certificate.Kind("vehicles")
	birth    = certificate.Kind("birth")
	taxes    = certificate.Kind("taxes")
	property = certificate.Kind("property")
	free     = certificate.Kind("unencumbered")
	student  = certificate.Kind("student")
	pension  = certificate.Kind("pension")
)

// TestWhatRegistersRefuse: each refusal says which register it is of, and what is not there is either
// certified or refused.
func TestWhatRegistersRefuse(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	away, yes := problem.New(problem.Upstream, "problem.registry_answer"), true
	turn := 0
	refused := func(kind certificate.Kind, key string, change func(p *papers)) {
		t.Helper()
		*h.papers = *newPapers()
		change(h.papers)
		turn++
		c := aigul("r" + string(rune('a'+turn)))
		c.Session = c.Key
		_, err := h.Request(t.Context(), c, kind)
		testworld.Refused(t, err, key)
	}
	refused(vehicles, "problem.certificate_away_vehicles", func(p *papers) { p.err = away })
	refused(vehicles, "problem.certificate_away_civil", func(p *papers) { p.civilErr = away })
	refused(pension, "problem.certificate_away_fund", func(p *papers) { p.err = away })
	refused(taxes, "problem.certificate_tax_debt", func(p *papers) { p.debts = []registry.TaxDebt{{Tax: "x", Amount: 100}} })
	refused(free, "problem.certificate_encumbered", func(p *papers) { p.estates[1].Encumbered = &yes })
	refused(student, "problem.certificate_no_student", func(p *papers) { p.learns = nil })
	refused(birth, "problem.certificate_birth_paper", func(p *papers) { p.noAct = true })
	refused(birth, "problem.certificate_unknown_civil", func(p *papers) { p.unknown = true })
	refused(property, "problem.certificate_barred", func(p *papers) { p.person.Blocked = true })
	refused("record", "problem.certificate_elsewhere", func(*papers) {})
}

// TestNone: who has none of what is asked for gets a certificate that says so.
func TestNone(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.papers.cars, h.papers.estates, h.papers.pensions = nil, nil, nil
	for kind, want := range map[certificate.Kind]string{
		vehicles: "Транспортных средств в реестре нет.", property: "Недвижимого имущества в реестре нет.", pension: "Пенсия не назначена.", taxes: "Задолженности нет.",
	} {
		number := request(t, h, "n"+string(kind), kind).Number
		if text := testworld.PDFText(t, must[[]byte](t)(h.PDF(t.Context(), aigul(""), number))); !strings.Contains(text, want) {
			t.Errorf("%s: the document says %q, not %q", kind, text, want)
		}
	}
}

// TestOverTheExchange issues every kind with what the sandbox says over X-Road, and refuses each whose
// register is down, cut or of another shape.
func TestOverTheExchange(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	world := must[*sandbox.World](t)(sandbox.NewWorld("", h.Clock.Now))
	server := httptest.NewServer(world.SecurityServer())
	t.Cleanup(server.Close)
	clients := must[*registry.Clients](t)(registry.NewClients(
		registry.Config{BaseURL: server.URL, Client: "central-server/GOV/70000099/eshik", OpenFor: 1},
		registry.Services{Taxes: sandbox.TaxService, Land: sandbox.LandService, Schools: sandbox.SchoolService}))
	h.Registers = certificate.Registers{
		Residents: certificate.FromAimak(clients.Aimak, clients.Persons), Civil: clients.Persons, Vehicles: clients.Vehicles, Fund: clients.Fund,
		Taxes: clients.Taxes, Land: clients.Land, Schools: clients.Schools,
	}
	for kind, want := range map[certificate.Kind]string{
		birth: "KGZ01 000117", "pin": pin, vehicles: "01KG123ABC, Toyota Camry", pension: "Пенсия не назначена.",
		"account": "Школа-гимназия", taxes: "Задолженности нет.", property: "доля 1/2", free: "квартира",
	} {
		number := request(t, h, "e"+string(kind), kind).Number
		if text := testworld.PDFText(t, must[[]byte](t)(h.PDF(t.Context(), aigul(""), number))); !strings.Contains(text, want) {
			t.Errorf("%s: the document says %q, not %q", kind, text, want)
		}
	}
	for system, kind := range map[string]certificate.Kind{
		sandbox.SystemCivil: birth, sandbox.SystemVehicles: vehicles, sandbox.SystemFund: pension, sandbox.SystemTax: taxes, sandbox.SystemLand: property, sandbox.SystemSchools: student,
	} {
		for name, fault := range map[string]sandbox.Fault{"out": {Outage: true}, "cut": {CutBody: true}, "odd": {WrongSchema: true}} {
			h.OK(world.SetFault(system, fault))
			c := aigul(system + name)
			c.Session = c.Key
			h.Clock.Pass(20 * time.Minute) // another order than the one before
			c.Now = h.Clock.Now()
			_, err := h.Request(t.Context(), c, kind)
			if key := problem.From(err).Key; key != "problem.certificate_away_"+system {
				t.Errorf("%s, %s: %s, %v", system, name, key, err)
			}
		}
		h.OK(world.SetFault(system, sandbox.Fault{}))
	}
}
