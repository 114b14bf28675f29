package certificate

import (
	_ "embed" // the policy's data
	"time"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/clock"
)

//go:embed policy.csv
var policyFile []byte

// policy is for whom somebody may ask, from which day.
var policy = assurance.MustRead(policyFile)

// under reports that a child is below the age until which a parent acts for them, on the day
// in Bishkek: from the midnight with which the birthday begins they act for themselves. Who
// was born on a 29th of February has it on the 1st of March.
func under(born, now time.Time) bool {
	return clock.Date(now).Before(born.AddDate(policy.Value("child.years", now), 0, 0))
}
