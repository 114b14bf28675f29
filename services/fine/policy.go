package fine

import (
	_ "embed" // the policy's data
	"time"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/money"
)

//go:embed policy.csv
var policyFile []byte

// policy is what the law says of fines, from which day.
var policy = assurance.MustRead(policyFile)

// heavyTotal is the unpaid total above which a car can be impounded.
func heavyTotal(now time.Time) money.Amount {
	return money.Amount(policy.Value("impound.som", now)) * money.Som
}

// discountEnds is the last moment of a discount that the register gives: what a fine costs is
// its own word, until when it is the law's, counted from the delivery that it reports. Zero:
// there is none, or the delivery is not reported.
func discountEnds(delivered time.Time, amount, due money.Amount, now time.Time) time.Time {
	if delivered.IsZero() || due >= amount {
		return time.Time{}
	}
	ends := lawEnds(delivered, now)
	if !now.Before(ends) { // the register gives it for longer than we know
		return time.Time{}
	}
	return ends
}

// lawEnds is when a discount ends that the register does not give for longer.
// A month from the 31st ends with the month that has none.
func lawEnds(delivered, now time.Time) time.Time {
	ends := delivered.AddDate(0, policy.Value("discount.months", now), 0)
	if over := ends.Day(); over != delivered.Day() {
		ends = ends.AddDate(0, 0, -over)
	}
	return ends
}

// percentOff is what share of a fine the register takes off, rounded down.
func percentOff(amount, due money.Amount) int {
	if amount <= 0 || due >= amount {
		return 0
	}
	return int((amount - due) * 100 / amount)
}
