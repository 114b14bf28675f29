package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// A talk file is what the phone saw: "> " before what was typed, then the text
// that came, an empty line between turns. Further texts of one turn (SMS) are
// parted by a line with "--". What is secret is named, not written: "> {secret}".

// code is a one-time code in a text.
var code = regexp.MustCompile(`\b\d{6}\b`)

// told is a text as it may be written down.
func told(text string) string { return code.ReplaceAllLiteralString(text, codeName) }

// writeTalk writes the talk as a golden file.
func writeTalk(path string, talk []turn) error {
	var b strings.Builder
	for i, t := range talk {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("> " + dialog.Masked(t.input) + "\n")
		for j, text := range t.shown {
			if j > 0 {
				b.WriteString("--\n")
			}
			b.WriteString(told(text) + "\n")
		}
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write the talk: %w", err)
	}
	return nil
}

// readTalk reads what writeTalk wrote. Lines that start with # before the first
// turn are remarks.
func readTalk(path string) ([]turn, error) {
	kept, err := os.ReadFile(path) // #nosec G304 -- the file that was named on the command line
	if err != nil {
		return nil, fmt.Errorf("read the talk: %w", err)
	}
	var talk []turn
	var text []string
	flush := func() {
		if len(talk) > 0 && len(text) > 0 {
			last := &talk[len(talk)-1]
			last.shown = append(last.shown, strings.TrimRight(strings.Join(text, "\n"), "\n"))
		}
		text = nil
	}
	for n, line := range strings.Split(strings.TrimRight(string(kept), "\n"), "\n") {
		input, typed := strings.CutPrefix(line, "> ")
		switch {
		case typed || line == ">":
			flush()
			talk = append(talk, turn{input: strings.TrimPrefix(input, ">")})
		case line == "--":
			flush()
		case len(talk) == 0 && line != "" && !strings.HasPrefix(line, "#"):
			return nil, fmt.Errorf("%s, line %d: a talk starts with \"> \" and what is typed", path, n+1)
		case len(talk) > 0:
			text = append(text, line)
		}
	}
	flush()
	return talk, nil
}

// inputs is what the talk's phone typed, a line each.
func inputs(talk []turn) io.Reader {
	var b strings.Builder
	for _, t := range talk {
		b.WriteString(t.input + "\n")
	}
	return strings.NewReader(b.String())
}

// compare shows the first turn in which the talks differ.
func compare(want, got []turn, out io.Writer) error {
	for i, w := range want {
		if i >= len(got) {
			return fmt.Errorf("turn %d did not happen: %w", i+1, errDiffers)
		}
		expected, shown := strings.Join(w.shown, "\n--\n"), told(strings.Join(got[i].shown, "\n--\n"))
		if expected != strings.TrimRight(shown, "\n") {
			_, _ = fmt.Fprintf(out, "turn %d, after %q\nrecorded:\n%s\nnow:\n%s\n", i+1, w.input, expected, shown)
			return fmt.Errorf("turn %d: %w", i+1, errDiffers)
		}
	}
	return nil
}
