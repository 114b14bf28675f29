package app

import (
	"slices"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/sms"
)

// Limits are all rules on how often something may be done here, as the operators' guide
// prints them.
func Limits() []limit.Rule {
	all := slices.Concat(identity.Limits(), mandate.Limits(), partners.Limits(), staff.Limits())
	for _, s := range services {
		all = append(all, s.Limits...)
	}
	all = append(all, sms.Limits()...)
	return append(all, limit.Rule{
		Name: "http.address", What: "connections, where no proxy is set", Who: "an address", Rate: limit.Rate{N: maxFromOne},
		Instead: "429, and the connection is closed", In: limit.InProcess,
	}, limit.Rule{
		Name: "http.all", What: "connections", Who: "everybody", Rate: limit.Rate{N: maxConnections},
		Instead: "503, and the connection is closed", In: limit.InProcess,
	})
}
