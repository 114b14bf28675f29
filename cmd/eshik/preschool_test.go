package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplay: 0 is of a file that is as it says, 1 of one that is otherwise, 2 of one that is none.
func TestReplay(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile(filepath.Join("..", "..", "services", "preschool", "allocation", "replay", "testdata", "sample.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	const digest = "42267c679e247a951712720c83fa3d329983cd6aedfed042ae9de61eeeebdb51"
	for name, test := range map[string]struct {
		text string
		args []string
		code int
		said string
	}{
		"as it says":         {string(sample), nil, 0, "5 children asked for places in 2 groups, 3 were given one"},
		"with its SHA-256":   {string(sample), []string{"--sha256", digest}, 0, "SAME  The file has the SHA-256 that you gave"},
		"with another":       {string(sample), []string{"--sha256", "00"}, 1, "OTHER The file has not the SHA-256 that you gave"},
		"with a key":         {string(sample), []string{"--key", "child 4"}, 0, "wish 1, K001, group 3-4: 2 places were given, 2 of them to children who come before yours"},
		"a place given away": {strings.Replace(string(sample), `"place":1`, `"place":0`, 1), nil, 1, "OTHER Computed anew"},
		"cut":                {string(sample[:len(sample)/2]), nil, 2, ""},
		"something else":     {"a letter\n", nil, 2, ""},
	} {
		file := filepath.Join(t.TempDir(), "allocation.jsonl")
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, faults strings.Builder
		if code := run(append([]string{"preschool", "replay", file}, test.args...), strings.NewReader(""), &out, &faults); code != test.code || !strings.Contains(out.String(), test.said) {
			t.Errorf("%s: %d, %s%s", name, code, out.String(), faults.String())
		}
	}
}
