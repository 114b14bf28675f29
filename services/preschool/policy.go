package preschool

import (
	_ "embed" // the policy's data
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/eshik-kg/eshik/platform/clock"
)

//go:embed policy.toml
var policyFile string

// noBenefit is the rank of a child without a benefit: behind all that have one.
const noBenefit = 1000

// What a declined or a missed offer does to the place in the queue.
const (
	keepsPlace = "keeps"
	toTheEnd   = "end"
)

// What an allocation does for a kindergarten where the child let a place go.
const (
	skipsRefused = "skips"
	asksAgain    = "again"
)

// policy is the set of rules that holds from a date on. See policy.toml.
type policy struct {
	From            string         `toml:"from"`
	Intake          string         `toml:"intake"`
	NextIntakeFrom  string         `toml:"next_intake_from"`
	HoldWorkingDays int            `toml:"hold_working_days"`
	Declined        string         `toml:"declined"`
	Missed          string         `toml:"missed"`
	Refused         string         `toml:"refused"`
	OpenEvery       int            `toml:"open_every"`
	Choices         int            `toml:"choices"`
	Youngest        int            `toml:"youngest"`
	Oldest          int            `toml:"oldest"`
	Benefits        map[string]int `toml:"benefits"`
}

// rules are the policies in the order of their dates, and the days off.
type rules struct {
	Policies []policy `toml:"policy"`
	Holidays struct {
		Fixed   []string `toml:"fixed"`
		Dates   []string `toml:"dates"`
		Working []string `toml:"working"`
	} `toml:"holidays"`
}

// parseRules reads and checks the policy's data.
func parseRules(text string) (rules, error) {
	var r rules
	meta, err := toml.Decode(text, &r)
	if err != nil {
		return r, fmt.Errorf("read the preschool policy: %w", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return r, fmt.Errorf("the preschool policy has an unknown entry %s", unknown[0])
	}
	if len(r.Policies) == 0 {
		return r, errors.New("the preschool policy is empty")
	}
	for _, p := range r.Policies {
		if err := p.check(); err != nil {
			return r, fmt.Errorf("the preschool policy from %s: %w", p.From, err)
		}
	}
	slices.SortFunc(r.Policies, func(a, b policy) int { return strings.Compare(a.From, b.From) })
	return r, nil
}

func (p policy) check() error {
	if _, err := time.Parse(time.DateOnly, p.From); err != nil {
		return err
	}
	for _, day := range []string{p.Intake, p.NextIntakeFrom} {
		if _, err := time.Parse("01-02", day); err != nil {
			return err
		}
	}
	for _, effect := range []string{p.Declined, p.Missed} {
		if effect != keepsPlace && effect != toTheEnd {
			return fmt.Errorf("%q is no effect on the place", effect)
		}
	}
	if p.Refused != skipsRefused && p.Refused != asksAgain {
		return fmt.Errorf("%q is nothing that an allocation does", p.Refused)
	}
	if p.OpenEvery < 0 || p.HoldWorkingDays < 1 || p.Choices < 1 || p.Oldest < p.Youngest {
		return errors.New("a number is out of range")
	}
	return nil
}

// at is the policy that holds at a moment; before the first one, the first.
func (r rules) at(now time.Time) policy {
	today := clock.ISODay(now)
	chosen := r.Policies[0]
	for _, p := range r.Policies {
		if p.From <= today {
			chosen = p
		}
	}
	return chosen
}

// cohort is the year on whose intake day the child's age is 0. Children of one
// cohort are in one group at every intake, so that a queue by cohort needs no
// rearranging when the year turns.
func (p policy) cohort(born time.Time) int {
	if born.Format("01-02") > p.Intake {
		return born.Year() + 1
	}
	return born.Year()
}

// intake is the year of the intake that seats are offered for at a moment.
func (p policy) intake(now time.Time) int {
	today := clock.Date(now)
	if today.Format("01-02") >= p.NextIntakeFrom {
		return today.Year()
	}
	return today.Year() - 1
}

// effect is what a closed offer does to the place in the queue.
func (p policy) effect(state OfferState) string {
	switch state {
	case Declined:
		return p.Declined
	case Missed:
		return p.Missed
	}
	return keepsPlace
}

// rank is the place of a benefit category, the lower first.
func (p policy) rank(benefit string) (int, bool) {
	if benefit == "" {
		return noBenefit, true
	}
	rank, known := p.Benefits[benefit]
	return rank, known
}

// held is the moment an offer ends: midnight in Bishkek after the given number
// of working days, of which the first is the day after the notification.
func (r rules) held(notified time.Time, days int) time.Time {
	day := clock.Midnight(notified)
	for days > 0 {
		day = day.AddDate(0, 0, 1)
		if r.working(day) {
			days--
		}
	}
	return day.AddDate(0, 0, 1)
}

// working reports a day on which offices are open.
func (r rules) working(day time.Time) bool {
	date := day.Format(time.DateOnly)
	if slices.Contains(r.Holidays.Working, date) {
		return true
	}
	if weekday := day.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		return false
	}
	return !slices.Contains(r.Holidays.Fixed, day.Format("01-02")) && !slices.Contains(r.Holidays.Dates, date)
}
