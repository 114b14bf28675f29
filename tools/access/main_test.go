package main

import (
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/eshik-kg/eshik/platform/staff"
)

// TestTheMatrixIsPublished: the guide is what the contracts and the table of staff say, and
// has each of their operations once.
func TestTheMatrixIsPublished(t *testing.T) {
	t.Parallel()
	want, err := write()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../" + guide)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is behind the source: run `make access`", guide)
	}
	var rows []string
	for _, a := range audiences() {
		doc, err := openapi3.NewLoader().LoadFromData(a.document)
		if err != nil {
			t.Fatal(err)
		}
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				rows = append(rows, "| "+operation.OperationID+" | `"+method+" "+path+"` |")
			}
		}
	}
	for _, rule := range staff.Rules() {
		rows = append(rows, "| `"+rule.Operation+"` | ")
	}
	for _, row := range rows {
		if n := strings.Count(want, "\n"+row); n != 1 {
			t.Errorf("%q is there %d times", row, n)
		}
	}
}

// TestCells: what a requirement makes of who comes.
func TestCells(t *testing.T) {
	t.Parallel()
	pay := openapi3.SecurityRequirements{{"partner": {"payments.pay"}}}
	for _, c := range []struct {
		asked  openapi3.SecurityRequirements
		proves []string
		want   string
	}{
		{nil, nil, "yes"},
		{pay, nil, "401"},
		{pay, []string{"partner"}, "403"},
		{pay, []string{"partner", "partner payments.read"}, "403"},
		{pay, []string{"partner", "partner payments.pay"}, "yes"},
		{openapi3.SecurityRequirements{{"strong": nil}, {"phone": nil}}, []string{"phone"}, "yes"},
		{openapi3.SecurityRequirements{{"strong": nil, "phone": nil}}, []string{"phone"}, "403"},
	} {
		if got := (column{proves: c.proves}).cell(c.asked, ""); got != c.want {
			t.Errorf("%v by %v: %s, want %s", c.asked, c.proves, got, c.want)
		}
	}
}

// TestCellsOfStaff: whoever only decides an operation does not ask for it.
func TestCellsOfStaff(t *testing.T) {
	t.Parallel()
	asked := openapi3.SecurityRequirements{{"officer": {}}}
	for role, want := range map[staff.Role]string{staff.Operator: "yes", staff.Inspector: "403", staff.Administrator: "403"} {
		if got := (column{proves: []string{"officer"}, officer: &staff.Officer{Role: role}}).cell(asked, "decide"); got != want {
			t.Errorf("%s: %s, want %s", role, got, want)
		}
	}
}
