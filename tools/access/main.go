// Command access writes docs/guides/access.md: who may call each operation of the REST
// contracts, and what each role of staff may do, as the contracts and the table of staff
// have it. Run it in the root of the repository: go run ./tools/access.
package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/eshik-kg/eshik/api/citizen"
	"github.com/eshik-kg/eshik/api/console"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/staff"
)

// guide is the published matrix.
const guide = "docs/guides/access.md"

func main() {
	text, err := write()
	if err == nil {
		err = os.WriteFile(guide, []byte(text), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "access:", err)
		os.Exit(1)
	}
}

// column is somebody who calls: what their token proves to an audience. One whose token is
// of another audience, or who has none, proves nothing.
type column struct {
	name   string
	proves []string // security schemes, or scopes after the scheme: "partner payments.pay"
	// officer is who is signed in where an operation is a row of the table of staff; nil: nobody.
	officer *staff.Officer
}

// audience is a contract and who may come.
type audience struct {
	title    string
	document []byte
	columns  []column
}

// audiences are all that have a contract.
func audiences() []audience {
	strangers := []column{{name: "no token"}}
	citizens := audience{title: "Citizens' apps", document: citizen.Document, columns: append(slices.Clone(strangers),
		column{name: "a partner's token"}, column{name: "a phone (1)", proves: []string{"phone"}},
		column{name: "a person, weakly (2)", proves: []string{"phone", "proven"}}, column{name: "a person, strongly (3)", proves: []string{"phone", "proven", "strong"}})}
	payers := audience{title: "Payment partners", document: partner.Document, columns: append(slices.Clone(strangers), column{name: "a citizen's token"})}
	for _, scope := range partners.Operations {
		payers.columns = append(payers.columns, column{name: "`" + scope + "`", proves: []string{"partner", "partner " + scope}})
	}
	return []audience{citizens, payers, officers(strangers)}
}

// officers are who comes to the console: a clerk of each kind of office beside the other
// roles.
func officers(strangers []column) audience {
	staffs := audience{title: "The console of staff", document: console.Document, columns: append(slices.Clone(strangers),
		column{name: "a citizen's token"}, column{name: "a partner's token"})}
	for _, o := range []staff.Officer{
		{Role: staff.Operator}, {Role: staff.Clerk, Office: "centre/41711"}, {Role: staff.Clerk, Office: "kindergarten/K001"},
		{Role: staff.Inspector}, {Role: staff.Administrator},
	} {
		name := string(o.Role)
		if kind, _, _ := strings.Cut(o.Office, "/"); kind != "" {
			name += " of a " + kind
		}
		staffs.columns = append(staffs.columns, column{name: name, proves: []string{"officer"}, officer: &o})
	}
	return staffs
}

const head = `# Who may do what

Written by ` + "`make access`" + ` from the contracts and [the table of staff](../../platform/staff/operations.csv); a test holds it, and another one tries every cell of the first
three tables on a running server (TestEveryCellOfAccess in e2e). **yes**: the request reaches the operation, which still shows each their own alone and looks at what is asked; **401**, **403**:
it does not, whatever is asked. The [levels](../decisions/0025-levels-of-assurance.md) are those of who is proved; a person who is proved weakly is proved strongly by itself where the register of SIM
cards says that they hold the number, and the column is of whom it does not say that.
`

const staffHead = `
## Staff

What each role may have done by ` + "`eshik staff`" + ` and in the console, each for a reason; tried cell by cell in platform/staff (TestMatrix). **do**: alone; **propose**: another person decides; **decide**: approves or rejects what
another person proposed; **both**: proposes, and decides what another person proposed. A clerk acts for their own office, of these kinds only.

`

// write makes the guide.
func write() (string, error) {
	var out strings.Builder
	out.WriteString(head)
	for _, a := range audiences() {
		if err := a.table(&out); err != nil {
			return "", err
		}
	}
	out.WriteString(staffHead)
	out.WriteString("| operation | what | operator | clerk | inspector | administrator | offices |\n|---|---|---|---|---|---|---|\n")
	for _, rule := range staff.Rules() {
		fmt.Fprintf(&out, "| `%s` | %s |", rule.Operation, rule.What)
		for _, role := range staff.Roles() {
			fmt.Fprintf(&out, " %s |", cmp.Or(string(rule.Rights[role]), "–"))
		}
		fmt.Fprintf(&out, " %s |\n", strings.Join(rule.Offices, ", "))
	}
	return out.String(), nil
}

// table writes a contract's operations by path, each with who may call it.
func (a audience) table(out *strings.Builder) error {
	doc, err := openapi3.NewLoader().LoadFromData(a.document)
	if err != nil {
		return fmt.Errorf("read the contract for %s: %w", a.title, err)
	}
	fmt.Fprintf(out, "\n## %s\n\n| operation | request |", a.title)
	for _, c := range a.columns {
		fmt.Fprintf(out, " %s |", c.name)
	}
	out.WriteString("\n|" + strings.Repeat("---|", 2+len(a.columns)) + "\n")
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Value(path).Operations()
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			operation := item[method]
			if operation == nil {
				continue
			}
			fmt.Fprintf(out, "| %s | `%s %s` |", operation.OperationID, method, path)
			for _, c := range a.columns {
				fmt.Fprintf(out, " %s |", c.cell(asked(doc, operation), row(operation)))
			}
			out.WriteByte('\n')
		}
	}
	return nil
}

// asked are the alternatives of what an operation asks for; none: it is for everybody.
func asked(doc *openapi3.T, operation *openapi3.Operation) openapi3.SecurityRequirements {
	if operation.Security != nil {
		return *operation.Security
	}
	return doc.Security
}

// row is the row of the table of staff that an operation is; empty: it is none.
func row(operation *openapi3.Operation) string {
	named, _ := operation.Extensions["x-staff-operation"].(string)
	return named
}

// may reports that an officer does an operation, or asks for it.
func may(o staff.Officer, operation string) bool {
	right, err := staff.May(o, operation, nil)
	return err == nil && (right == staff.Does || right.Proposes())
}

// cell is what whoever the column is of gets; staffs is the row of the table of staff, if it
// is one.
func (c column) cell(alternatives openapi3.SecurityRequirements, staffs string) string {
	meets := func(requirement openapi3.SecurityRequirement) bool {
		for scheme, scopes := range requirement {
			missing := func(scope string) bool { return !slices.Contains(c.proves, scheme+" "+scope) }
			if !slices.Contains(c.proves, scheme) || slices.ContainsFunc(scopes, missing) {
				return false
			}
		}
		return true
	}
	switch {
	case c.officer != nil && staffs != "" && !may(*c.officer, staffs):
		return "403"
	case len(alternatives) == 0, slices.ContainsFunc(alternatives, meets):
		return "yes"
	case len(c.proves) == 0:
		return "401"
	}
	return "403"
}
