// Command docs checks the documents of the repository against what is there:
// every relative link in a Markdown file leads to a file and every heading that
// it names exists; what a document quotes from a file, and all Go that it shows,
// stands there word for word; every setting that the server reads is described in
// the operators' guide, and the guide describes no other; the table of limits there is
// the code's own, which docs --write writes anew.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// operators is the guide that describes every setting.
const operators = "docs/guides/operators.md"

func main() {
	if slices.Contains(os.Args[1:], "--write") {
		if err := writeLimits("."); err != nil {
			fmt.Fprintln(os.Stderr, "docs:", err)
			os.Exit(1)
		}
	}
	faults, err := check(os.DirFS("."))
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
	for _, fault := range faults {
		fmt.Fprintln(os.Stderr, fault)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// check gives every fault of the documents under root.
func check(root fs.FS) ([]string, error) {
	documents, err := find(root, ".", ".md")
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, document := range documents {
		broken, err := links(root, document)
		if err != nil {
			return nil, err
		}
		misquoted, err := quotes(root, document)
		if err != nil {
			return nil, err
		}
		faults = append(append(faults, broken...), misquoted...)
	}
	undescribed, err := settings(root)
	return append(faults, undescribed...), err
}

// find lists the files under folder with this extension.
func find(root fs.FS, folder, extension string) ([]string, error) {
	var found []string
	err := fs.WalkDir(root, folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "var") {
			return fs.SkipDir
		}
		if filepath.Ext(name) == extension {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the %s files: %w", extension, err)
	}
	return found, nil
}

// link is the target of [text](target); code is what only looks like one.
var (
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// links gives the links of a document that lead nowhere.
func links(root fs.FS, document string) ([]string, error) {
	text, err := fs.ReadFile(root, document)
	if err != nil {
		return nil, fmt.Errorf("read a document: %w", err)
	}
	var faults []string
	for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
		if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
			continue // another host's: it may be away for a moment
		}
		path, heading, _ := strings.Cut(match[1], "#")
		target := document
		if path != "" {
			target = filepath.ToSlash(filepath.Join(filepath.Dir(document), path))
		}
		if !leads(root, target, heading) {
			faults = append(faults, fmt.Sprintf("%s: the link to %s leads nowhere", document, match[1]))
		}
	}
	return faults, nil
}

// block is a fenced block of code, after the comment that says where it is from:
//
//	<!-- from ../examples/patent/flow.go -->
var block = regexp.MustCompile("(?ms)(?:^<!-- from (\\S+) -->\n)?^```(\\w*)\n(.*?)^```$")

// quotes compares the blocks of a document with the files that they are from. Go
// must be from one: there the compiler and the tests keep it true.
func quotes(root fs.FS, document string) ([]string, error) {
	text, err := fs.ReadFile(root, document)
	if err != nil {
		return nil, fmt.Errorf("read a document: %w", err)
	}
	var faults []string
	for _, match := range block.FindAllStringSubmatch(string(text), -1) {
		from, language, quoted := match[1], match[2], match[3]
		begin, _, _ := strings.Cut(strings.TrimSpace(quoted), "\n")
		if from == "" {
			if language == "go" {
				faults = append(faults, fmt.Sprintf("%s: Go that is from no file: %s", document, begin))
			}
			continue
		}
		source, err := fs.ReadFile(root, filepath.ToSlash(filepath.Join(filepath.Dir(document), from)))
		if err != nil || !strings.Contains("\n"+string(source), "\n"+quoted) {
			faults = append(faults, fmt.Sprintf("%s: %s does not hold what is quoted: %s", document, from, begin))
		}
	}
	return faults, nil
}

// leads reports that target exists and, if one is named, has the heading.
func leads(root fs.FS, target, heading string) bool {
	if _, err := fs.Stat(root, target); err != nil {
		return false
	}
	if heading == "" || filepath.Ext(target) != ".md" {
		return true
	}
	text, err := fs.ReadFile(root, target)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(strings.Split(string(text), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "#") && anchor(line) == heading
	})
}

// anchor is the fragment that hosts of Markdown give a heading.
func anchor(line string) string {
	text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, text)
}

// setting is the name of an environment variable that the server reads.
var setting = regexp.MustCompile(`\bESHIK_[A-Z][A-Z_]*[A-Z]\b`)

// settings compares what the server's sources read with the operators' guide.
func settings(root fs.FS) ([]string, error) {
	var sources []string
	for _, folder := range []string{"app", "cmd/eshik", "cmd/hsm"} {
		found, err := find(root, folder, ".go")
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	read := map[string]bool{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		text, err := fs.ReadFile(root, source)
		if err != nil {
			return nil, fmt.Errorf("read a source: %w", err)
		}
		for _, name := range setting.FindAllString(string(text), -1) {
			read[name] = true
		}
	}
	guide, err := fs.ReadFile(root, operators)
	if err != nil {
		return nil, fmt.Errorf("read the operators' guide: %w", err)
	}
	described := setting.FindAllString(string(guide), -1)
	var faults []string
	for name := range read {
		if !slices.Contains(described, name) {
			faults = append(faults, fmt.Sprintf("%s: %s is not described", operators, name))
		}
	}
	for _, name := range described {
		if !read[name] {
			faults = append(faults, fmt.Sprintf("%s: the server knows no %s", operators, name))
		}
	}
	slices.Sort(faults)
	return slices.Compact(faults), nil
}
