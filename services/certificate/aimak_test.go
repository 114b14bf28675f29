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

// newAimak is the typed client of a sandbox's security server over real HTTP.
func newAimak(t *testing.T) certificate.Register {
	t.Helper()
	world := must[*sandbox.World](t)(sandbox.NewWorld("", time.Now))
	server := httptest.NewServer(world.SecurityServer())
	t.Cleanup(server.Close)
	rest := must[*registry.REST](t)(registry.NewREST(registry.Config{
		BaseURL: server.URL, Client: "central-server/GOV/70000099/eshik",
	}))
	soap := must[*registry.SOAP](t)(registry.NewSOAP(registry.Config{BaseURL: server.URL, Client: "central-server/GOV/70000099/eshik"}))
	return certificate.FromAimak(must[*registry.Aimak](t)(registry.NewAimak(rest, "")),
		must[*registry.Persons](t)(registry.NewPersons(soap, registry.PersonsConfig{})))
}

// TestAimak asks the sandbox's Sanarip Aimak over X-Road.
func TestAimak(t *testing.T) {
	t.Parallel()
	aimak := newAimak(t)
	own := certificate.Question{PIN: pin, By: pin, Issue: "issue"}
	home, ok, err := aimak.Residence(t.Context(), own)
	if err != nil || !ok || !strings.Contains(home.Name, "Айгүл") || home.Born != "1988-03-15" || home.Address == "" {
		t.Fatalf("%+v, %v, %v", home, ok, err)
	}
	members, ok, err := aimak.Family(t.Context(), own)
	if err != nil || !ok || len(members) == 0 {
		t.Fatalf("%+v, %v, %v", members, ok, err)
	}
	names := ""
	for _, m := range members {
		names += m.Name + " " + m.Relation + " " + m.Born + "; "
	}
	if !strings.Contains(names, "Нурай") || !strings.Contains(names, "child 2023-05-09") || strings.Contains(names, "Айгүл ") {
		t.Errorf("the family is %s", names)
	}
	children, err := aimak.Children(t.Context(), own)
	if err != nil || len(children) != 1 || children[0].Name != "Нурай" {
		t.Fatalf("the children: %+v, %v", children, err)
	}
	child := certificate.Question{PIN: children[0].PIN, By: pin, Issue: "issue"}
	if died, blocked, err := aimak.Barred(t.Context(), child); died || blocked || err != nil {
		t.Errorf("the civil register says %v, %v, %v", died, blocked, err)
	}
	if _, ok, err := aimak.Residence(t.Context(), child); !ok || err != nil {
		t.Errorf("the child's home: %v, %v", ok, err)
	}
	if _, ok, err := aimak.Residence(t.Context(), certificate.Question{PIN: "12912199900099", By: pin, Issue: "issue"}); ok || err != nil {
		t.Errorf("an unknown personal number gives %v, %v", ok, err)
	}
}

// TestOverAimak issues a certificate with what the sandbox says, and a problem
// when it says nothing.
func TestOverAimak(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	h.Registers.Residents = newAimak(t)
	issued := request(t, h, "t1", certificate.Family)
	if text := testworld.PDFText(t, must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number))); !strings.Contains(text, "Нурай") {
		t.Errorf("the document says %q", text)
	}
	h.Registers.Residents = h.register
	h.register.err = problem.New(problem.Unavailable, "problem.registry_down")
	_, err := h.Request(t.Context(), aigul("t2"), certificate.Residential)
	testworld.Refused(t, err, "problem.registry_down")
}
