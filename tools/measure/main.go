// Command measure prints the figures by which a change of the house's structure is
// judged, for the checkout that --root names: run it on the commit before and after.
//
//	go run ./tools/measure --root .
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	root := flag.String("root", ".", "the checkout to measure")
	flag.Parse()
	f, err := measure(*root)
	if err == nil {
		f.registry, err = dependencies(*root, "./platform/registry")
	}
	if err == nil {
		err = f.print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// figures are what is counted. Generated files are in none of them, tests only in their
// own lines.
type figures struct {
	source, tests int            // lines
	files         []int          // lines of each source file
	functions     []int          // lines of each function
	interfaces    []int          // methods of each interface
	naming        map[string]int // source files outside a service's folder that name it
	registry      int            // packages under platform/registry, the standard library's too
}

// measure reads every Go file under root.
func measure(root string) (figures, error) {
	f := figures{naming: map[string]int{}}
	services, err := os.ReadDir(filepath.Join(root, "services"))
	if err != nil {
		return f, fmt.Errorf("find the services: %w", err)
	}
	for _, s := range services {
		f.naming[s.Name()] = 0
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (name == "testdata" || name == "var" || name == "node_modules" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		inside, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return f.file(path, filepath.ToSlash(inside))
	})
	return f, err
}

// file counts one file; inside is its path in the checkout.
func (f *figures) file(path, inside string) error {
	text, err := os.ReadFile(path) // #nosec G304 -- a source file of the checkout
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return err
	}
	if ast.IsGenerated(tree) {
		return nil
	}
	lines := bytes.Count(text, []byte("\n"))
	if strings.HasSuffix(path, "_test.go") {
		f.tests += lines
		return nil
	}
	f.source += lines
	f.files = append(f.files, lines)
	for name := range f.naming {
		if !strings.HasPrefix(inside, "services/"+name+"/") && names(tree, name) {
			f.naming[name]++
		}
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			f.functions = append(f.functions, set.Position(n.End()).Line-set.Position(n.Pos()).Line+1)
		case *ast.InterfaceType:
			f.interfaces = append(f.interfaces, n.Methods.NumFields())
		}
		return true
	})
	return nil
}

// names reports a file that imports a service, or has the id of a node or a text of it.
func names(tree *ast.File, service string) bool {
	literal := regexp.MustCompile(`^["` + "`" + `](?:[^"]*/services/` + service + `(?:/.*)?|` + service + `\.[a-z_]+)["` + "`" + `]$`)
	found := false
	ast.Inspect(tree, func(n ast.Node) bool {
		if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && literal.MatchString(text.Value) {
			found = true
		}
		return !found
	})
	return found
}

// dependencies counts the packages that a package needs.
func dependencies(root, of string) (int, error) {
	command := exec.Command("go", "list", "-deps", of)
	command.Dir = root
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("go list: %w", err)
	}
	return bytes.Count(output, []byte("\n")) - 1, nil
}

func (f figures) print(out io.Writer) error {
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	row := func(name, format string, values ...any) {
		_, _ = fmt.Fprintf(table, name+"\t"+format+"\n", values...) // a table takes everything; Flush tells
	}
	row("lines of source", "%d", f.source)
	row("lines of tests", "%d", f.tests)
	row("lines of a file", "%s", spread(f.files))
	row("lines of a function", "%s", spread(f.functions))
	row("methods of an interface", "%s", spread(f.interfaces))
	for _, name := range slices.Sorted(maps.Keys(f.naming)) {
		row("files that name "+name, "%d", f.naming[name])
	}
	row("packages under registry", "%d", f.registry)
	return table.Flush()
}

// spread says how many there are, and their median, 95th percentile and largest.
func spread(values []int) string {
	if len(values) == 0 {
		return "0"
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(part float64) int { return sorted[int(part*float64(len(sorted)-1))] }
	return fmt.Sprintf("%d of them: median %d, 95th percentile %d, largest %d", len(sorted), at(.5), at(.95), sorted[len(sorted)-1])
}
