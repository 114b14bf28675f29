package limit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rule is a limit as it is applied and as the operators' guide prints it: both read it,
// so that the table cannot say something else. Every Rate stands in one, and every one
// in the Limits of its package (a test over the source).
type Rule struct {
	Rate        // Per is zero where they are counted at once, N where it is a setting
	Name string // its own; where the Limiter counts, its keys may begin with it
	What string // is counted
	Who  string // whose uses count together
	// Refusal is the key of the problem that the refused are told: 429, with the moment
	// until which it holds. Where nobody is refused so, Instead says what happens.
	Refusal, Instead string
	In               Counted
	// Open: what cannot be counted is let through. Nothing that guards money, identity
	// or a signature is open.
	Open bool
}

// Counted is where the uses of a rule are counted.
type Counted string

// The places.
const (
	InSQL     Counted = "SQL"     // with what it guards: it holds whatever else is lost
	InLimiter Counted = "Redis"   // in each process by itself while Redis is away
	InProcess Counted = "process" // in each process by itself
)

// Times writes the rate for a table: 3 in 10 minutes, 20 a day, 10 at once.
func (r Rate) Times() string {
	n := figure(r.N)
	if r.N == 0 {
		n = "as is set,"
	}
	switch r.Per {
	case 0:
		return n + " at once"
	case time.Second:
		return n + " a second"
	case time.Minute:
		return n + " a minute"
	case time.Hour:
		return n + " an hour"
	case 24 * time.Hour:
		return n + " a day"
	}
	if r.Per%time.Hour == 0 {
		return fmt.Sprintf("%s in %d hours", n, int(r.Per.Hours()))
	}
	return fmt.Sprintf("%s in %d minutes", n, int(r.Per.Minutes()))
}

// figure writes a number in groups of three.
func figure(n int) string {
	digits := strconv.Itoa(n)
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(' ')
		}
		out.WriteRune(d)
	}
	return out.String()
}

// Table writes rules as a Markdown table, in the order given.
func Table(rules []Rule) string {
	var out strings.Builder
	out.WriteString("| what | for | at most | more is told | counted in | cannot be counted |\n|---|---|---|---|---|---|\n")
	for _, r := range rules {
		told, failing := r.Instead, "refused"
		if r.Refusal != "" {
			told = strings.TrimSuffix("`"+r.Refusal+"`; "+r.Instead, "; ")
		}
		if r.Open {
			failing = "let through"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", r.What, r.Who, r.Times(), told, r.In, failing)
	}
	return out.String()
}
