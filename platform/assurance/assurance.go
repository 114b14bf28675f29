// Package assurance says which level of assurance each operation of each service needs.
// The levels are caller.Level; the policy is data with the day from which it holds, so that
// a change of it is a line that was reviewed and not a change of code.
package assurance

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/problem"
)

// What the policy says besides levels.
const (
	// simHours is how long ago a number got its SIM card, in hours.
	simHours = "sim.hours"
	// silentMinutes is how long after its last use a proof is good in other sessions of the
	// phone, silentSecret the same where the person has a secret there.
	silentMinutes = "proof.silent_minutes"
	silentSecret  = "proof.silent_minutes_secret"
	// silentText is how long after its last use a proof by text is good for the next text.
	silentText = "proof.silent_minutes_text"
)

// ErrWeak refuses who proved only weakly who they are, where a channel has no more to say.
var ErrWeak = problem.New(problem.Weak, "problem.level_strong")

// policyFile has what is the platform's own.
//
//go:embed policy.csv
var policyFile []byte

// rule is a line of the policy.
type rule struct {
	from  string // YYYY-MM-DD
	value int
}

// Policy has, by the name of an operation, from which day it needs which level.
type Policy map[string][]rule

// Own is the platform's own policy.
var Own = MustRead(policyFile)

// MustRead reads the policy of a service: lines of a day (Bishkek) from which, a name, a
// value and why, those of a name in the order of their days. The file is a part of the
// program, which does not start with one that cannot be read.
func MustRead(file []byte) Policy {
	rules, err := read(file)
	if err != nil {
		panic(err)
	}
	return rules
}

func read(file []byte) (Policy, error) {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read policy.csv: %w", err)
	}
	rules := Policy{}
	for _, row := range rows[1:] {
		value, err := strconv.Atoi(row[2])
		if _, failed := time.Parse(time.DateOnly, row[0]); err != nil || failed != nil || row[3] == "" {
			return nil, fmt.Errorf("policy.csv: %v is no day, name, number and reason", row)
		}
		rules[row[1]] = append(rules[row[1]], rule{row[0], value})
	}
	return rules, nil
}

// at is the value on the day of a moment: that of the last rule that holds, and before all
// of them that of the first.
func at(rules []rule, now time.Time) (value int, known bool) {
	today := now.In(clock.Bishkek).Format(time.DateOnly)
	for i, r := range rules {
		if i == 0 || r.from <= today {
			value, known = r.value, true
		}
	}
	return value, known
}

// Needs is the level that an operation needs; one that the policy does not name needs the
// highest.
func (p Policy) Needs(operation string, now time.Time) caller.Level {
	level, known := at(p[operation], now)
	if !known {
		return caller.LevelStrong
	}
	return caller.Level(level)
}

// Value is the value of a name at a moment; 0 for one that the policy does not have.
func (p Policy) Value(name string, now time.Time) int {
	value, _ := at(p[name], now)
	return value
}

// Operations are the names of the policy that need a level.
func (p Policy) Operations() (names []string) {
	for name := range p {
		if name != simHours && name != silentMinutes && name != silentSecret && name != silentText {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Admit refuses a caller who proved who they are, and not as strongly as an operation needs:
// ErrWeak. That somebody is proved at all is the operation's own to ask.
func (p Policy) Admit(c caller.Caller, operation string) error {
	if c.Level < p.Needs(operation, c.Now) {
		return ErrWeak
	}
	return nil
}

// SIMSettles is how long after a change of its SIM card a number proves nobody.
func SIMSettles(now time.Time) time.Duration {
	hours, _ := at(Own[simHours], now)
	return time.Duration(hours) * time.Hour
}

// Silence is how long after its last use a proof is good outside of the session that it was
// made in: for whom has no secret on the phone, and for whom has one. Texts have no session
// that ends: text is for how long a proof by text is good for the next one.
func Silence(now time.Time) (bare, secret, text time.Duration) {
	minutes := func(name string) time.Duration {
		n, _ := at(Own[name], now)
		return time.Duration(n) * time.Minute
	}
	return minutes(silentMinutes), minutes(silentSecret), minutes(silentText)
}
