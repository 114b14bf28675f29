package console_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/console"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(console.Document)
	testworld.OK(t, err)
	return doc
}

// TestTheContractHasNoWarnings: Spectral's own rules for OpenAPI, hints too.
func TestTheContractHasNoWarnings(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	spectral := exec.CommandContext(t.Context(), filepath.Join(modules, ".bin", "spectral"), "lint", "-r", "../.spectral.yaml", "--fail-severity=hint", "openapi.yaml")
	if out, err := spectral.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// elsewhere are the rows of the table of staff that are done at a terminal alone, beside the
// server and its settings.
var elsewhere = []string{
	"rotate-certificates", "rotate-certificates-revealed", "rotate-data", "rotate-documents", "rotate-master", "rotate-tokens", "rotate-tokens-revealed", "partners",
}

// TestTheContractHoldsItself: the document is valid, each example by its schema; each
// operation names what can be answered, and is the row of the table that its address has.
func TestTheContractHoldsItself(t *testing.T) {
	t.Parallel()
	doc := document(t)
	testworld.OK(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation()))
	var rows []string
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			row, _ := operation.Extensions["x-staff-operation"].(string)
			if _, known := staff.RuleOf(row); row != "" && !known {
				t.Errorf("%s is no row of the table", row)
			}
			if name, is := strings.CutPrefix(path, "/console/v1/operations/"); is {
				rows = append(rows, name)
				if name != row {
					t.Errorf("%s is the row %q", path, row)
				}
			}
			want := []string{"400", "401", "403", "405", "429", "default"}
			if operation.RequestBody != nil {
				want = append(want, "415")
			}
			for _, status := range want {
				if operation.Responses.Value(status) == nil {
					t.Errorf("%s %s does not name %s", method, path, status)
				}
			}
		}
	}
	for _, rule := range staff.Rules() {
		if slices.Contains(rows, rule.Operation) == slices.Contains(elsewhere, rule.Operation) {
			t.Errorf("%s is neither here nor elsewhere, or both", rule.Operation)
		}
	}
}

// TestEveryProblemNamesItsField: of each problem of status 400 that officers are told the
// contract says which field is its cause, or that none is.
func TestEveryProblemNamesItsField(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guides/errors.md") // which its own test holds to the source
	testworld.OK(t, err)
	contract, err := api.NewContract(console.Document, console.Audience(nil, func(turn string) string { return turn }, time.Now))
	testworld.OK(t, err)
	located := contract.Problems()
	none, _ := document(t).Extensions["x-fault-of-none"].([]any)
	found := regexp.MustCompile("(?m)^\\| (\\d{3}) \\| `(problem\\.staff_[a-z_]+)`").FindAllStringSubmatch(string(guide), -1)
	for _, row := range found {
		said := located[row[2]] != nil || slices.Contains(none, any(row[2]))
		if (row[1] == "400") != said {
			t.Errorf("%s of status %s is of a field: %v", row[2], row[1], said)
		}
	}
	if len(found) < 20 {
		t.Errorf("%d problems were found", len(found))
	}
}
