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
		"docs/guides/operators.md":    file("## Set up\nESHIK_LISTEN, ESHIK_GONE, [home](../../README.md#set-up)"),
		"cmd/eshik/main.go":           file("`env:\"ESHIK_LISTEN\"` `env:\"ESHIK_NEW\"`"),
		"cmd/eshik/main_test.go":      file("ESHIK_TEST_POSTGRES"),
		"var/left/over/from/a/run.md": file("[x](nowhere.md)"),
	}
	want := []string{
		"README.md: the link to docs/none.md leads nowhere",
		"README.md: the link to #no-such leads nowhere",
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
