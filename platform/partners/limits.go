package partners

import (
	"time"

	"github.com/eshik-kg/eshik/platform/limit"
)

// earlierHashes is how often one address has a secret compared with the slow hash of an
// earlier version.
var earlierHashes = limit.Rule{
	Name: "partner.earlier", What: "secrets compared with the hash of an earlier version", Who: "an address and a partner's secret",
	Rate: limit.Rate{N: 1, Per: time.Second}, Refusal: "problem.partner_wait", In: limit.InLimiter,
}

// Limits are the rules of partners, for the table of all. Those of requests are set for
// each partner.
func Limits() []limit.Rule {
	return []limit.Rule{
		wrongSecrets, earlierHashes,
		{
			Name: "partner.minute", What: "requests of a partner, in a minute of the clock", Who: "a partner", Rate: limit.Rate{Per: time.Minute},
			Refusal: "problem.partner_many", In: limit.InLimiter,
		},
		{
			Name: "partner.day", What: "requests of a partner, in a day of Bishkek", Who: "a partner", Rate: limit.Rate{Per: 24 * time.Hour},
			Refusal: "problem.partner_many", In: limit.InLimiter,
		},
	}
}
