// Command long prints the files and functions that a reader may not take in at
// once: files over 400 lines, functions over 70 outside tests. It is a reminder
// of a habit and never fails: a file seven lines too long is no fault of a change
// that is otherwise right.
package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The habits, in lines.
const (
	longestFile     = 400
	longestFunction = 70
)

func main() {
	root := flag.String("root", ".", "the folder to look through")
	flag.Parse()
	if err := report(os.Stdout, *root); err != nil {
		fmt.Fprintln(os.Stderr, "long:", err)
		os.Exit(1)
	}
}

// report writes a line for each file and function under root that is longer than
// the habit; generated files, test data and hidden folders are passed over.
func report(out io.Writer, root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := filepath.Base(path); {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (name == "testdata" || name == "var" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		return reportFile(out, path)
	})
}

func reportFile(out io.Writer, path string) error {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	if ast.IsGenerated(tree) {
		return nil
	}
	if lines := set.File(tree.Pos()).LineCount(); lines > longestFile {
		_, _ = fmt.Fprintf(out, "%s: %d lines (habit: %d)\n", path, lines, longestFile)
	}
	if strings.HasSuffix(path, "_test.go") {
		return nil
	}
	for _, declaration := range tree.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		first, last := set.Position(function.Pos()), set.Position(function.End())
		if lines := last.Line - first.Line + 1; lines > longestFunction {
			_, _ = fmt.Fprintf(out, "%s: %s has %d lines (habit: %d)\n", first, function.Name.Name, lines, longestFunction)
		}
	}
	return nil
}
