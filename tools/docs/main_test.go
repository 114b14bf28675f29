package main

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestCheckFindsWhatIsWrong(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	root := fstest.MapFS{
		"README.md": file("[a](docs/guides/operators.md#set-up) [b](docs/none.md) [c](#no-such) " +
			"[d](https://example.org/x) `[e](code.md)`\n# Set up"),
		"docs/guides/operators.md": file("## Set up\nESHIK_LISTEN, ESHIK_GONE, [home](../../README.md#set-up)"),
		"app/config.go":            file("`env:\"ESHIK_LISTEN\"`"),
		"cmd/eshik/main.go":        file("`env:\"ESHIK_NEW\"`"),
		"cmd/eshik/main_test.go":   file("ESHIK_TEST_POSTGRES"),
		"cmd/hsm/main.go":          file(""),
		"docs/quotes.md": file("<!-- from a/b.go -->\n```go\nfunc b() {}\n```\n<!-- from a/b.go -->\n```go\nunc b() {}\n```\n" +
			"```go\nx := 1\n```\n```sh\nmake\n```\n<!-- from a/none.txt -->\n```text\ny\n```\n"),
		"docs/a/b.go":                 file("package a\n\nfunc b() {}\n"),
		"var/left/over/from/a/run.md": file("[x](nowhere.md)"),
	}
	want := []string{
		"README.md: the link to docs/none.md leads nowhere",
		"README.md: the link to #no-such leads nowhere",
		"docs/quotes.md: a/b.go does not hold what is quoted: unc b() {}",
		"docs/quotes.md: Go that is from no file: x := 1",
		"docs/quotes.md: a/none.txt does not hold what is quoted: y",
		"docs/guides/operators.md: ESHIK_NEW is not described",
		"docs/guides/operators.md: the server knows no ESHIK_GONE",
	}
	got, err := check(root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
