package main

import (
	"strings"
	"testing"
)

func TestTodo(t *testing.T) {
	t.Parallel()
	l := todo{none: "Nothing.", columns: []string{"A", "BILL"}, next: "Do it."}
	for want, rows := range map[string][][]string{
		"Nothing.\n":                          nil,
		"A    BILL\n123  4\n5    б\nDo it.\n": {{"123", "4"}, {"5", "б"}},
	} {
		var out strings.Builder
		if err := l.list(&out, rows); err != nil || out.String() != want {
			t.Errorf("%q, %v; want %q", out.String(), err, want)
		}
	}
}
