package main

import (
	"encoding/csv"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// standard is where the levels of the standard's requirements are; checklist is our page.
const (
	standard  = "testdata/asvs-5.0.0.csv"
	checklist = "docs/guides/asvs.md"
)

// asvsRow is a line of the checklist: id, level, in short, state, why.
var asvsRow = regexp.MustCompile(`(?m)^\| (\d+\.\d+\.\d+) \| (\d) \| ([^|]+) \| ([^|]+) \| (.*) \|$`)

// TestTheChecklistIsWhole: every requirement of levels 1 and 2 is answered once, under
// its own level, and no other.
func TestTheChecklistIsWhole(t *testing.T) {
	t.Parallel()
	file, err := os.Open(standard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 346 { // 5.0.0 has 345, and a heading
		t.Fatalf("the standard has %d lines here", len(rows))
	}
	asked := map[string]string{}
	for _, row := range rows[1:] {
		if row[1] != "3" {
			asked[row[0]] = row[1]
		}
	}
	text, err := os.ReadFile("../../" + checklist)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range asvsRow.FindAllStringSubmatch(string(text), -1) {
		if asked[row[1]] != row[2] {
			t.Errorf("%s is answered twice, under another level, or not asked", row[1])
		}
		delete(asked, row[1])
		if state := strings.Trim(row[4], "*"); state != "met" && state != "not met" && state != "not applicable" || row[5] == "" {
			t.Errorf("%s: %q, %q", row[1], row[4], row[5])
		}
	}
	for id := range asked {
		t.Errorf("%s is not answered", id)
	}
}

// shown is a link to a test: [TestName](file).
var shown = regexp.MustCompile(`\[(Test\w+)\]\(([^)]+)\)`)

// TestNamedTestsExist: a test that a document names stands in the file that it links to.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	documents, err := find(root, ".", ".md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, document := range documents {
		text, err := fs.ReadFile(root, document)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range shown.FindAllStringSubmatch(string(text), -1) {
			named++
			source, err := fs.ReadFile(root, path.Join(path.Dir(document), match[2]))
			if err != nil || !strings.Contains(string(source), "\nfunc "+match[1]+"(t *testing.T)") {
				t.Errorf("%s: there is no %s in %s", document, match[1], match[2])
			}
		}
	}
	if named < 100 {
		t.Errorf("%d tests are named: the check does not see them", named)
	}
}
