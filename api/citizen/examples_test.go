package citizen

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/services/fine"
	"github.com/eshik-kg/eshik/services/preschool"
)

// read are what the services read as the identifiers of each kind.
var read = map[string]func(string) bool{
	"certificate":  func(s string) bool { _, ok := certificate.ParseNumber(s); return ok },
	"registration": func(s string) bool { _, ok := preschool.ParseNumber(s); return ok },
	"phone":        func(s string) bool { _, ok := caller.ParsePhone(s); return ok },
	"code":         payment.ValidCode,
	"plate":        func(s string) bool { plate, err := fine.ParsePlate(s); return err == nil && plate.Sure },
}

// TestExamplesAreTaken (#13): an identifier that the contract shows is one that the service
// takes: whoever tries the example is not told that it is mistyped.
func TestExamplesAreTaken(t *testing.T) {
	t.Parallel()
	components := document(t).Components
	check := func(what, kind string, shown any) {
		t.Helper()
		if text, is := shown.(string); !is || !read[kind](text) {
			t.Errorf("%s shows %v, which is not read as a %s", what, shown, kind)
		}
	}
	for _, in := range []struct{ schema, path, kind string }{
		{"CodeRequest", "phone", "phone"},
		{"TokenRequest", "phone", "phone"},
		{"Profile", "phone", "phone"},
		{"Vehicle", "plate", "plate"},
		{"Payment", "code", "code"},
		{"Receipt", "payment code", "code"},
		{"Certificate", "number", "certificate"},
		{"Verification", "number", "certificate"},
		{"Position", "number", "registration"},
		{"Registrations", "registrations", "registration"},
		{"Offer", "number", "registration"},
	} {
		shown := components.Schemas[in.schema].Value.Example
		for key := range strings.FieldsSeq(in.path) {
			fields, _ := shown.(map[string]any)
			shown = fields[key]
		}
		if list, is := shown.([]any); is {
			shown = list[0]
		}
		check(in.schema, in.kind, shown)
	}
	check("Phone", "phone", components.Schemas["Phone"].Value.Example)
	for parameter, kind := range map[string]string{"Number": "certificate", "RegistrationNumber": "registration", "Plate": "plate"} {
		check(parameter, kind, components.Parameters[parameter].Value.Example)
	}
	operations(t, func(name string, _ *openapi3.Operation) {
		item := document(t).Paths.Find(strings.SplitN(name, " ", 2)[1])
		for _, p := range item.Parameters {
			if p.Value.Name == "number" && strings.Contains(name, "/preschool/") != (p.Ref == "#/components/parameters/RegistrationNumber") {
				t.Errorf("%s shows the number of another service", name)
			}
		}
	})
}
