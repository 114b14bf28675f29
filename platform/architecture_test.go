// Package platform_test holds the rules of ARCHITECTURE.md against the code:
// who may import whom, and that the domain has no clock of its own.
package platform_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/eshik-kg/eshik/"
	root   = ".." // of the repository, from this folder
)

// listed is what `go list -json` says about a package.
type listed struct {
	ImportPath string
	Imports    []string // what its own files name
	Deps       []string // and everything under that
}

// rule says what the packages under some folders must not reach.
type rule struct {
	name    string
	of      []string // folders in the module
	never   []string // folders in the module, directly or through others
	outside []string // import paths of others that its own files must not name
}

var rules = []rule{
	{name: "1. locales imports nothing of ours", of: []string{"locales"}, never: []string{""}},
	{
		name:  "2. platform never imports a service, a channel or api",
		of:    []string{"platform"},
		never: []string{"services", "ussd", "sms", "api", "sandbox", "web", "app", "flowcheck", "cmd"},
	},
	{
		name:    "3. a service imports platform and locales, and no transport",
		of:      []string{"services"},
		never:   []string{"ussd", "sms", "api", "sandbox", "web", "app", "flowcheck", "cmd"},
		outside: []string{"net/http", "github.com/gofiber/", "github.com/redis/"},
	},
	{
		name:  "4. ussd imports platform only",
		of:    []string{"ussd"},
		never: []string{"services", "sms", "api", "sandbox", "web", "app", "flowcheck", "cmd"},
	},
	{
		name:  "4. sms imports platform only",
		of:    []string{"sms"},
		never: []string{"services", "ussd", "api", "sandbox", "web", "app", "flowcheck", "cmd"},
	},
	{
		name:  "5. api imports services and platform",
		of:    []string{"api"},
		never: []string{"ussd", "sms", "sandbox", "app", "flowcheck", "cmd"},
	},
	{
		name:  "the sandbox is an outside world: it knows no service",
		of:    []string{"sandbox"},
		never: []string{"services", "api", "app", "flowcheck", "cmd"},
	},
	{
		name:  "an example is no part of the product",
		of:    []string{"locales", "platform", "services", "ussd", "sms", "api", "sandbox", "web", "app", "flowcheck", "cmd", "docs/guides"},
		never: []string{"docs/examples"},
	},
	{
		name:    "a test's world is no part of the product",
		of:      []string{"locales", "platform", "services", "ussd", "sms", "api", "sandbox", "web", "app", "flowcheck", "cmd"},
		outside: []string{module + "platform/testworld"},
	},
	{
		name:    "C is in the program of the security module alone",
		of:      []string{"locales", "platform", "services", "ussd", "sms", "api", "sandbox", "web", "app", "flowcheck", "cmd/eshik", "cmd/sandbox", "cmd/phone"},
		outside: []string{"github.com/miekg/pkcs11", "C"},
	},
	{name: "a sum and a day stand on nothing", of: []string{"platform/money", "platform/clock"}, never: []string{""}},
	{
		name:  "a register's client knows nothing that pays or stores",
		of:    []string{"platform/registry"},
		never: []string{"platform/payment", "platform/store", "platform/notify", "platform/audit"},
	},
	{
		name:  "a guide is read by a command only, and is nothing but text",
		of:    []string{"locales", "platform", "services", "ussd", "sms", "api", "sandbox", "web", "app", "flowcheck"},
		never: []string{"docs"},
	},
	{
		name:  "6. only app imports everything: nothing but what proves and the commands imports it",
		of:    []string{"locales", "platform", "services", "ussd", "sms", "api", "sandbox", "web"},
		never: []string{"app", "flowcheck", "cmd"},
	},
	{name: "6. app is wired by nobody", of: []string{"app"}, never: []string{"flowcheck", "cmd"}},
	{
		name:    "6. the prover knows services through what their modules say",
		of:      []string{"flowcheck"},
		never:   []string{"cmd"},
		outside: []string{module + "services/", module + "api", module + "web", module + "sandbox"},
	},
	{
		name:    "6. the command is flags and printing: app wires",
		of:      []string{"cmd"},
		outside: []string{module + "services/", module + "ussd", module + "sms", module + "api"},
	},
}

func TestImports(t *testing.T) {
	packages := list(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range packages {
				if under(p.ImportPath, r.of) {
					r.check(t, p)
				}
			}
		})
	}
	t.Run("3. no service imports another", func(t *testing.T) {
		for _, p := range packages {
			own := service(p.ImportPath)
			for _, dep := range p.Deps {
				if other := service(dep); own != "" && other != "" && other != own {
					t.Errorf("%s reaches %s", p.ImportPath, dep)
				}
			}
		}
	})
}

func (r rule) check(t *testing.T, p listed) {
	t.Helper()
	for _, dep := range p.Deps {
		if under(dep, r.never) && !under(dep, r.of) {
			t.Errorf("%s reaches %s", p.ImportPath, dep)
		}
	}
	for _, name := range p.Imports {
		for _, denied := range r.outside {
			if name == denied || strings.HasPrefix(name, denied) {
				t.Errorf("%s imports %s", p.ImportPath, name)
			}
		}
	}
}

// under reports that path lies in one of the module's folders; "" is all of it.
func under(path string, folders []string) bool {
	inside, ours := strings.CutPrefix(path, module)
	return ours && slices.ContainsFunc(folders, func(folder string) bool {
		return folder == "" || inside == folder || strings.HasPrefix(inside, folder+"/")
	})
}

// service gives the name of the service that a package belongs to.
func service(path string) string {
	inside, ours := strings.CutPrefix(path, module+"services/")
	if !ours {
		return ""
	}
	name, _, _ := strings.Cut(inside, "/")
	return name
}

// list asks the go command for every package of the module, without tests.
func list(t *testing.T) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Deps", "./...")
	command.Dir = root
	var failure bytes.Buffer
	command.Stderr = &failure
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, failure.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("read what go list says: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) < 10 {
		t.Fatalf("go list knows only %d packages: the test looks in the wrong place", len(packages))
	}
	return packages
}

// clockless are the folders whose code takes the time from its caller.
var clockless = []string{"services", "platform/dialog", "platform/payment", "platform/identity"}

// clock are the functions of package time that look at a clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

func TestTheDomainHasNoClock(t *testing.T) {
	for _, folder := range clockless {
		for _, file := range sources(t, folder) {
			if strings.HasSuffix(file.path, "_test.go") {
				continue
			}
			ast.Inspect(file.tree, func(n ast.Node) bool {
				selector, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := selector.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, selector.Sel.Name) {
					t.Errorf("%s: time.%s; take the time from caller.Caller or a `now` given to the constructor",
						file.set.Position(n.Pos()), selector.Sel.Name)
				}
				return true
			})
		}
	}
}

// source is a file that a person wrote.
type source struct {
	path string
	set  *token.FileSet
	tree *ast.File
}

// sources parses the Go files under a folder of the repository, generated ones
// left out.
func sources(t *testing.T, folder string) []source {
	t.Helper()
	var found []source
	walk := func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if name := entry.Name(); name == "testdata" || name == "var" || strings.HasPrefix(name, ".") && name != ".." && name != "." {
				return filepath.SkipDir
			}
			return nil
		case filepath.Ext(path) != ".go":
			return nil
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(tree) {
			found = append(found, source{path: path, set: set, tree: tree})
		}
		return nil
	}
	if err := filepath.WalkDir(filepath.Join(root, folder), walk); err != nil {
		t.Fatalf("read the sources: %v", err)
	}
	return found
}

// named are the files that may name a service beside its own folder and the file of the
// REST interface that is called as it is: the list of services, the page that verifies
// certificates, that of the links to photos of fines, and two that are measured.
var named = []string{"app/app.go", "api/public/verify.go", "api/public/photo.go", "tools/bench/step.go", "tools/bench/allocation.go"}

// anotherThing are files in which a service's name is the word for something else: what a
// gateway proves itself by, and a placeholder of a text.
var anotherThing = map[string]string{"ussd/auth.go": `"certificate"`, "web/verify.go": `"certificate"`}

// isItsREST reports the file of a REST interface that is called as the service.
func isItsREST(path, name string) bool {
	return path == "api/citizen/"+name+".go" || path == "api/console/"+name+".go"
}

// isRegister reports a name alone in the sandbox: there it is a simulated register's, which
// may be called as the service that asks it.
func isRegister(path, literal, name string) bool {
	return strings.HasPrefix(path, "sandbox/") && literal == strconv.Quote(name)
}

// TestAServiceIsNamedOnce: whoever adds a service writes its folder, its texts, its
// operations and one line. No other file imports one, or has its name, or a node, a text or a problem of it.
func TestAServiceIsNamedOnce(t *testing.T) {
	owners := map[string]bool{"patent": true} // the example, which flowcheck's test adds as a module
	for _, p := range list(t) {
		if name := service(p.ImportPath); name != "" {
			owners[name] = true
		}
	}
	for _, folder := range []string{"api", "cmd", "platform", "sms", "ussd", "web", "sandbox", "tools", "app", "flowcheck"} {
		for _, file := range sources(t, folder) {
			path := strings.TrimPrefix(filepath.ToSlash(file.path), root+"/")
			if strings.HasSuffix(path, "_test.go") || slices.Contains(named, path) {
				continue
			}
			ast.Inspect(file.tree, func(n ast.Node) bool {
				if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
					name := owner(text.Value, owners)
					if name != "" && !isItsREST(path, name) && anotherThing[path] != text.Value && !isRegister(path, text.Value, name) {
						t.Errorf("%s: %s names the service %s: say it in its Module", file.set.Position(n.Pos()), text.Value, name)
					}
				}
				return true
			})
		}
	}
}

// owner is the service that a literal names: by its import path, by its name alone, or by
// the id of a node, a text or a problem of it.
func owner(literal string, services map[string]bool) string {
	text := strings.Trim(literal, "\"`")
	if name := service(text); name != "" {
		return name
	}
	if key, ok := strings.CutPrefix(text, "problem."); ok {
		text = strings.Replace(key, "_", ".", 1)
	}
	name, rest, more := strings.Cut(text, ".")
	if services[name] && (!more || rest != "" && !strings.ContainsAny(rest, " :/")) {
		return name
	}
	return ""
}

func TestOwner(t *testing.T) {
	services := map[string]bool{"fine": true}
	for literal, want := range map[string]string{
		`"github.com/eshik-kg/eshik/services/fine"`: "fine", `"fine.list"`: "fine", "`fine.list`": "fine",
		`"fine"`: "fine", `"problem.fine_plate"`: "fine", `"problem.finer_plate"`: "", `"problem.fine plate"`: "", `"fine."`: "", `"fine. It"`: "", `"finer.list"`: "", `"github.com/eshik-kg/eshik/platform/fine"`: "",
	} {
		if got := owner(literal, services); got != want {
			t.Errorf("%s names %q, not %q", literal, got, want)
		}
	}
}
