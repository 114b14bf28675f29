package staff

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
)

// Right is what a role may do about an operation: a cell of the table.
type Right string

// The rights. Where a role proposes, another person decides.
const (
	None     Right = ""        // nothing
	Does     Right = "do"      // does it alone
	Proposes Right = "propose" // asks for it
	Decides  Right = "decide"  // approves or rejects what another person asks for
	Both     Right = "both"    // asks for it, and decides what another person asks for
)

// Proposes reports that the right is to ask for an operation.
func (r Right) Proposes() bool { return r == Proposes || r == Both }

// Decides reports that the right is to decide what another person asks for.
func (r Right) Decides() bool { return r == Decides || r == Both }

// Rule is a row of the table: who may do an operation, and how.
type Rule struct {
	Operation string
	What      string // in words: "clear a phone in dispute"
	Rights    map[Role]Right
	Offices   []string      // the kinds of offices whose clerks may
	Expires   time.Duration // how long a proposal waits
}

//go:embed operations.csv
var operationsCSV string

// rules are the table of operations and roles.
var rules = sync.OnceValue(func() []Rule {
	rows, err := csv.NewReader(strings.NewReader(operationsCSV)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("operations.csv: %v", err)) // it is part of the program
	}
	list := make([]Rule, len(rows)-1)
	for i, row := range rows[1:] {
		r := Rule{Operation: row[0], What: row[1], Rights: map[Role]Right{}, Offices: strings.Fields(row[6])}
		for n, role := range Roles() {
			r.Rights[role] = Right(row[2+n])
		}
		hours, _ := strconv.Atoi(row[7]) // empty where nothing is proposed; a test reads the rest
		r.Expires = time.Duration(hours) * time.Hour
		list[i] = r
	}
	return list
})

// Rules are the whole table, in its order.
func Rules() []Rule { return slices.Clone(rules()) }

// RuleOf is the row of an operation; not ok: there is none, and nobody may do it.
func RuleOf(operation string) (Rule, bool) {
	list := rules()
	at := slices.IndexFunc(list, func(r Rule) bool { return r.Operation == operation })
	if at < 0 {
		return Rule{}, false
	}
	return list[at], true
}

// Forbidden says that the role of an account, or its office, may not do something.
type Forbidden struct {
	Officer Officer
	Rule    Rule
	// Office says that the role may, and clerks of such an office may not; Elsewhere that
	// they may, and it is none of this office's, or nowhere: never told apart.
	Office, Elsewhere bool
}

// Unwrap gives the problem that the officer is told where no more is said.
func (f Forbidden) Unwrap() error {
	if f.Elsewhere {
		return errElsewhere
	}
	return errRole
}

var (
	errRole      = problem.New(problem.Forbidden, "problem.staff_role")
	errElsewhere = problem.New(problem.NotFound, "problem.staff_elsewhere")
)

// Error implements error.
func (f Forbidden) Error() string {
	switch {
	case f.Elsewhere:
		return fmt.Sprintf("%s works for %s, where there is no such thing", f.Officer.Login, f.Officer.Office)
	case f.Office:
		return fmt.Sprintf("%s works for %s, and who may %s works for: %s", f.Officer.Login, f.Officer.Office, f.Rule.What, strings.Join(f.Rule.Offices, ", "))
	}
	var may []string
	for _, role := range Roles() {
		if f.Rule.Rights[role] != None {
			may = append(may, string(role))
		}
	}
	return fmt.Sprintf("%s is signed in as %s, who may not %s; who may: %s", f.Officer.Login, f.Officer.Role, f.Rule.What, strings.Join(may, ", "))
}

// May gives what an officer may do about an operation. offices are those whose matter it
// is, empty where it is no office's: a clerk acts for their own only. The error is a
// Forbidden.
func May(o Officer, operation string, offices []string) (Right, error) {
	rule, ok := RuleOf(operation)
	if !ok {
		return None, fmt.Errorf("the operation %q has no row in the table: nobody may", operation)
	}
	right := rule.Rights[o.Role]
	if right == None {
		return None, Forbidden{Officer: o, Rule: rule}
	}
	if o.Role != Clerk {
		return right, nil
	}
	kind, _, _ := strings.Cut(o.Office, "/")
	if !slices.Contains(rule.Offices, kind) {
		return None, Forbidden{Officer: o, Rule: rule, Office: true}
	}
	if len(offices) > 0 && !slices.Contains(offices, o.Office) {
		return None, Forbidden{Officer: o, Rule: rule, Elsewhere: true}
	}
	return right, nil
}
