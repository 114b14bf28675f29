// Command codes writes docs/guides/errors.md: every code that the REST interface
// answers with, as the source and the locale files have them. Run it in the root
// of the repository: go run ./tools/codes.
package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/problem"
)

// guide is the published list.
const guide = "docs/guides/errors.md"

func main() {
	text, err := write(".")
	if err == nil {
		err = os.WriteFile(guide, []byte(text), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "codes:", err)
		os.Exit(1)
	}
}

// code is one row: a problem's key under one status.
type code struct {
	key    string
	status int
}

// kinds are the problem package's codes by the names of their constants.
var kinds = map[string]problem.Code{
	"Invalid": problem.Invalid, "Unauthenticated": problem.Unauthenticated, "Forbidden": problem.Forbidden,
	"Unproven": problem.Unproven, "Weak": problem.Weak, "NotFound": problem.NotFound, "Conflict": problem.Conflict, "Mismatch": problem.Mismatch,
	"TooMany": problem.TooMany, "Internal": problem.Internal, "Upstream": problem.Upstream, "Unavailable": problem.Unavailable,
}

// write makes the guide of the repository under root.
func write(root string) (string, error) {
	texts, err := locales.Load()
	if err != nil {
		return "", err
	}
	codes, err := find(root)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString(head)
	for _, c := range codes {
		var args []any
		for _, name := range texts.Placeholders(c.key) {
			args = append(args, name, "…")
		}
		sentence := texts.Text(locales.EN, c.key, args...)
		fmt.Fprintf(&out, "| %d | `%s` | %s |\n", c.status, c.key, strings.ReplaceAll(sentence, "|", `\|`))
	}
	out.WriteString(middle)
	for _, c := range api.FaultCodes {
		fmt.Fprintf(&out, "| `%s` | %s |\n", c, texts.Text(locales.EN, c.Key(), "n", "…", "choices", "…"))
	}
	return out.String(), nil
}

const head = `# Errors of the REST interface

Written by ` + "`make codes`" + ` from the source; a test holds it. Every error is an RFC 9457 document, ` + "`application/problem+json`" + `:

| member | says |
|---|---|
| ` + "`code`" + ` | for programs: a row of the table below; it keeps its meaning within ` + "`/v1`" + ` |
| ` + "`detail`" + ` | for people, in the language of ` + "`Accept-Language`" + `: what happened, whose fault it is, what to do |
| ` + "`status`, `title`, `type`" + ` | HTTP's status and its name; the type is ` + "`about:blank`" + ` |
| ` + "`level`" + ` | with a 403 that another proof would turn: the level of assurance that is needed |
| ` + "`errors`" + ` | each fault of a request that breaks the contract: where it is, its own code, its own sentence |

## Codes

| status | code | in English |
|---|---|---|
`

const middle = `
## Codes of single faults

A fault has ` + "`in`" + ` (body, query, path or header); in the body a ` + "`pointer`" + ` by RFC 6901 (empty: the body as a whole), elsewhere the
` + "`name`" + ` of the parameter, if the contract has it. A request has at most 20 faults listed. Where a problem of the table above comes from one field, ` + "`errors`" + ` names
the field too, with the problem's own sentence.

| code | in English |
|---|---|
`

// computed are the problems whose key stands in no call of problem.New: those of
// a registry that fails (platform/registry, asProblem).
var computed = []code{
	{"problem.registry_answer", api.Status(problem.Upstream)}, {"problem.registry_down", api.Status(problem.Unavailable)},
	{"problem.registry_ours", api.Status(problem.Unavailable)},
}

// others are the folders whose problems no answer of REST holds: documents and
// what was built, and the conversation, which asks again by itself.
var others = []string{"docs", "var", "node_modules", "dialog", "session", "sandbox", "ussd", "sms"}

// find lists the problems that the source makes, by status and code.
func find(root string) ([]code, error) {
	found := map[code]bool{}
	for _, c := range computed {
		found[c] = true
	}
	for status, key := range api.OwnStatuses() {
		found[code{key, status}] = true
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if name := entry.Name(); path != root && (strings.HasPrefix(name, ".") || slices.Contains(others, name)) {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return inFile(path, found)
	})
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	var codes []code
	for c := range found {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, func(a, b code) int { return cmp.Or(a.status-b.status, strings.Compare(a.key, b.key)) })
	return codes, nil
}

// bounds is how the keys of problems end that are given to who counts, as to
// limit.Guesses, which makes the problem.
const bounds = "_many"

// inFile adds the problems that one file makes: problem.New(problem.Kind, "problem.key", …),
// and "problem.key_many" anywhere.
func inFile(path string, found map[code]bool) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
			if key := strings.Trim(text.Value, "\""); strings.HasPrefix(key, "problem.") && strings.HasSuffix(key, bounds) {
				found[code{key, api.Status(problem.TooMany)}] = true
			}
		}
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 || nameOf(call.Fun) != "New" {
			return true
		}
		literal, ok := call.Args[1].(*ast.BasicLit)
		if !ok {
			return true
		}
		key, err := strconv.Unquote(literal.Value)
		kind, known := kinds[nameOf(call.Args[0])]
		if err == nil && known && strings.HasPrefix(key, "problem.") && key != "problem.partner_secret" {
			found[code{key, api.Status(kind)}] = true
		}
		return true
	})
	return nil
}

// nameOf is the name behind the package's: New of problem.New, and of New itself.
func nameOf(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.Ident:
		return x.Name
	}
	return ""
}
