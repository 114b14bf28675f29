package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/limit"
)

// TestTheTableOfLimits: the operators' guide prints what the code counts by.
func TestTheTableOfLimits(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../" + operators)
	if err != nil {
		t.Fatal(err)
	}
	want, err := withLimits(string(guide))
	if err != nil {
		t.Fatal(err)
	}
	if string(guide) != want {
		t.Errorf("%s is behind the source: run `make limits`", operators)
	}
	named := map[string]bool{}
	for _, r := range app.Limits() {
		if named[r.Name] || r.Name == "" {
			t.Errorf("two limits are called %q", r.Name)
		}
		named[r.Name] = true
		if r.What == "" || r.Who == "" || r.N < 0 || r.In == "" || r.Refusal == "" && r.Instead == "" {
			t.Errorf("%s does not say all: %+v", r.Name, r)
		}
	}
}

// secretive are the refusals that name no number: it would tell a stranger something.
var secretive = map[string]bool{"problem.identity_guesses_many": true}

// TestRefusalsNameTheLimit: whoever is refused is told the limit and until when, in
// every language, and every problem of 429 is that of a limit in the table.
func TestRefusalsNameTheLimit(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	refusals := map[string]bool{}
	for _, r := range app.Limits() {
		refusals[r.Refusal] = true
		if r.Refusal == "" {
			continue
		}
		for _, l := range []locales.Locale{locales.KY, locales.RU, locales.EN} {
			if text := texts.Text(l, r.Refusal, "n", "17", "until", "23:59"); !strings.Contains(text, "23:59") || !secretive[r.Refusal] && !strings.Contains(text, "17") {
				t.Errorf("%s in %s: %s", r.Refusal, l, text)
			}
		}
	}
	list, err := os.ReadFile("../../docs/guides/errors.md") // which its own test holds to the source
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("\\| 429 \\| `(problem[^`]+)`").FindAllStringSubmatch(string(list), -1)
	for _, match := range found {
		if !refusals[match[1]] {
			t.Errorf("%s refuses for a limit that is not in the table: add its limit.Rule to the Limits of its package", match[1])
		}
	}
	if len(found) < 5 {
		t.Errorf("%d problems of 429 were found", len(found))
	}
}

// TestEveryRateIsInTheTable: whatever is counted by the limiter is counted by the rate of
// a rule, and the rule is in the table.
func TestEveryRateIsInTheTable(t *testing.T) {
	t.Parallel()
	var table []string
	for _, r := range app.Limits() {
		table = append(table, r.Name)
	}
	rules, bare := ratesUnder(t, "../..")
	for _, name := range rules {
		if !slices.ContainsFunc(table, func(n string) bool { return n == name || strings.HasSuffix(n, "/"+name) }) {
			t.Errorf("the limit %q is not in the table: add it to the Limits of its package, and that to app.Limits", name)
		}
	}
	for _, at := range bare {
		t.Errorf("%s: a limit.Rate that is in no limit.Rule, and so in no table", at)
	}
	if len(rules) < 20 {
		t.Errorf("%d rules were found", len(rules))
	}
}

// TestRatesAreFound: the test above can fail.
func TestRatesAreFound(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	source := `package x
var a = limit.Rule{Name: "kept", Rate: limit.Rate{N: 1}}
var b = limit.Rate{N: 2}
func f() { use(limit.Rate{N: 3}) }`
	if err := os.WriteFile(filepath.Join(folder, "x.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if rules, bare := ratesUnder(t, folder); !slices.Equal(rules, []string{"kept"}) || len(bare) != 2 {
		t.Errorf("found %v and %v", rules, bare)
	}
}

// ratesUnder reads the sources under a folder: the names of the rules that are written
// there, which are what has a Name and a Rate, and where a rate is written outside of one.
func ratesUnder(t *testing.T, folder string) (rules, bare []string) {
	t.Helper()
	sources, err := find(os.DirFS(folder), ".", ".go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") || strings.HasSuffix(source, ".gen.go") {
			continue
		}
		text, err := fs.ReadFile(os.DirFS(folder), source)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, source, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		inRule := map[ast.Node]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, code := n.(*ast.FuncDecl); code && strings.HasPrefix(source, "platform/limit/") {
				return false // the package itself handles rates
			}
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if typeName(literal.Type) == "Rate" && !inRule[literal] {
				bare = append(bare, set.Position(literal.Pos()).String())
			}
			members := map[string]ast.Expr{}
			for _, element := range literal.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok {
					members[typeName(pair.Key)] = pair.Value
				}
			}
			if members["Name"] == nil || members["Rate"] == nil {
				return true
			}
			inRule[members["Rate"]] = true
			if name, ok := members["Name"].(*ast.BasicLit); ok {
				rules = append(rules, unquoted(name.Value))
			}
			return true
		})
	}
	return rules, bare
}

// typeName is the last name of a type or a key: Rule of limit.Rule.
func typeName(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.Ident:
		return x.Name
	}
	return ""
}

func unquoted(literal string) string {
	text, _ := strconv.Unquote(literal) // the parser took it for one
	return text
}

// TestTimes: rates are written as people say them.
func TestTimes(t *testing.T) {
	t.Parallel()
	for rate, want := range map[limit.Rate]string{
		{N: 3, Per: 600e9}: "3 in 10 minutes", {N: 10_000, Per: 3600e9}: "10 000 an hour", {N: 10}: "10 at once",
		{N: 100_000, Per: 1200e9}: "100 000 in 20 minutes", {N: 20, Per: 86400e9}: "20 a day",
	} {
		if got := rate.Times(); got != want {
			t.Errorf("%v: %q, want %q", rate, got, want)
		}
	}
}
