// Package transcript reads, writes and compares recorded conversations. A transcript
// is a text file of what a phone saw:
//
//	> *1414#
//	Эшик
//	1 Айып пулдар
//	2 Маалымкаттар
//
//	> [Айып пулдар]
//	Унаанын номерин киргизиңиз
//
// A line that starts with "> " is what was typed, "! " what was texted to begin anew,
// "@ " what somebody else did meanwhile; the lines under it are what came, and a line
// "--" parts the messages of one turn. "[label]" chooses the option that says so,
// whatever its number is. A line "…" stands for any lines, of which this transcript is
// not the place. What is secret or varies is named: see [Masked]. Lines before the first
// turn that start with # are remarks.
package transcript

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/platform/dialog"
)

// The marks of a turn: who did what stands behind it.
const (
	Typed  = '>'
	Texted = '!'
	Others = '@'
)

// Turn is one exchange.
type Turn struct {
	Mark  byte   // Typed, Texted or Others; nought is Typed
	Input string // as it was typed, or as the file names it: "[label]", "{secret}"
	Shown []string
}

// Screen is all that was shown, its messages one after another.
func (t Turn) Screen() string { return strings.Join(t.Shown, "\n--\n") }

// ReadFile reads a transcript; the error names the file and the line.
func ReadFile(path string) ([]Turn, error) {
	text, err := os.ReadFile(path) // #nosec G304 -- the file that was named by who runs it
	if err != nil {
		return nil, fmt.Errorf("read the transcript: %w", err)
	}
	turns, err := Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s, %w", path, err)
	}
	return turns, nil
}

// Parse reads a transcript's text; the error names the line.
func Parse(text string) ([]Turn, error) {
	var turns []Turn
	var lines []string
	flush := func() {
		if shown := strings.Trim(strings.Join(lines, "\n"), "\n"); shown != "" && len(turns) > 0 {
			last := &turns[len(turns)-1]
			last.Shown = append(last.Shown, shown)
		}
		lines = nil
	}
	for n, line := range strings.Split(text, "\n") {
		mark, input, isTurn := begins(line)
		switch {
		case isTurn:
			flush()
			turns = append(turns, Turn{Mark: mark, Input: input})
		case len(turns) == 0 && line != "" && !strings.HasPrefix(line, "#"):
			return nil, fmt.Errorf("line %d: a transcript starts with \"> \" and what is typed", n+1)
		case line == "--":
			flush()
		default:
			lines = append(lines, line)
		}
	}
	flush()
	return turns, nil
}

// begins reads the line that begins a turn.
func begins(line string) (mark byte, input string, ok bool) {
	if line == "" || !strings.ContainsRune(string([]byte{Typed, Texted, Others}), rune(line[0])) {
		return 0, "", false
	}
	if line = line[:1] + strings.TrimPrefix(line[1:], " "); len(line) > 1 {
		input = line[1:]
	}
	return line[0], input, true
}

// WriteFile writes turns so that [ReadFile] reads them. What is typed and shown must
// have been masked: see [Recorded].
func WriteFile(path string, turns []Turn) error {
	parts := make([]string, len(turns))
	for i, t := range turns {
		mark := t.Mark
		if mark == 0 {
			mark = Typed
		}
		parts[i] = strings.TrimRight(string(mark)+" "+t.Input, " ") + "\n"
		if len(t.Shown) > 0 {
			parts[i] += t.Screen() + "\n"
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(parts, "\n")), 0o600); err != nil {
		return fmt.Errorf("write the transcript: %w", err)
	}
	return nil
}

// Recorded is a turn as it is written down: its choice by the label that it had on the
// screen before, and masked.
func Recorded(input, before string, shown ...string) Turn {
	t := Turn{Mark: Typed, Input: Masked(dialog.Masked(input))}
	if label := labelOf(input, before); label != "" {
		t.Input = "[" + Masked(label) + "]"
	}
	for _, text := range shown {
		t.Shown = append(t.Shown, strings.Trim(Masked(text), "\n"))
	}
	return t
}

// named are the things that differ each time, by the names that they have in a
// transcript, in the order in which they are looked for.
var named = []struct {
	name string
	is   *regexp.Regexp
}{
	{"{certificate}", regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)},
	{"{date}", regexp.MustCompile(`\d\d\.\d\d\.\d{4}`)},
	{"{number}", regexp.MustCompile(`\d{9,}`)}, // of a payment or a registration, say
	{"{secret}", regexp.MustCompile(`\d{6}`)},  // a one-time code
}

// digits are numbers, each of which is named as a whole or not at all.
var digits = regexp.MustCompile(`\d+`)

// Masked names what differs each time, also where it is secret: certificates' numbers,
// dates, other numbers of nine digits and more, one-time codes.
func Masked(text string) string {
	for _, n := range named[:2] {
		text = n.is.ReplaceAllLiteralString(text, n.name)
	}
	return digits.ReplaceAllStringFunc(text, func(number string) string {
		for _, n := range named[2:] {
			if n.is.FindString(number) == number {
				return n.name
			}
		}
		return number
	})
}

// Last is the newest thing in what was seen that a transcript names so, such as
// "{certificate}"; empty: nothing was, or the name is none.
func Last(seen, name string) string {
	last := ""
	for _, n := range named {
		for _, found := range n.is.FindAllString(seen, -1) {
			if n.name == name && Masked(found) == name {
				last = found
			}
		}
	}
	return last
}

// options are a screen's: "1 Айып пулдар". 0 and 9 are ways, the same on every screen.
var options = regexp.MustCompile(`(?m)^([1-8]|[1-9]\d) (.+)$`)

// labelOf is what the option with a number says: the last such line, as a text before
// the options may begin with a number too.
func labelOf(number, screen string) (label string) {
	for _, option := range options.FindAllStringSubmatch(screen, -1) {
		if option[1] == number {
			label = option[2]
		}
	}
	return label
}

// Label is what "[label]" chooses; empty: the input is none.
func Label(input string) string {
	if strings.HasPrefix(input, "[") && strings.HasSuffix(input, "]") {
		return input[1 : len(input)-1]
	}
	return ""
}

// Choice is what to type on a screen for a transcript's input: the number of the option
// that a label names, anything else as it stands. The error says that there is no such
// option.
func Choice(input, screen string) (string, error) {
	label := Label(input)
	if label == "" {
		return input, nil
	}
	for _, option := range options.FindAllStringSubmatch(screen, -1) {
		if sameLine(label, option[2]) {
			return option[1], nil
		}
	}
	return "", fmt.Errorf("there is no option %q on\n%s", label, screen)
}

// Elided is a line that stands for any lines.
const Elided = "…"

// Same reports whether what is shown is what was recorded: what is named there may be
// anything of its kind, and "…" stands for any lines.
func Same(recorded, shown string) bool {
	return same(strings.Split(recorded, "\n"), strings.Split(strings.Trim(shown, "\n"), "\n"))
}

func same(want, got []string) bool {
	at := slices.Index(want, Elided)
	if at < 0 {
		return slices.EqualFunc(want, got, sameLine)
	}
	if len(got) < at || !slices.EqualFunc(want[:at], got[:at], sameLine) {
		return false
	}
	for skip := at; skip <= len(got); skip++ {
		if same(want[at+1:], got[skip:]) {
			return true
		}
	}
	return false
}

func sameLine(want, got string) bool {
	if !strings.Contains(want, "{") {
		return want == got
	}
	pattern := regexp.QuoteMeta(want)
	for _, n := range named {
		pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta(n.name), "(?:"+n.is.String()+")")
	}
	return regexp.MustCompile("^" + pattern + "$").MatchString(got)
}
