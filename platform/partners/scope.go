package partners

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The operations that a scope names. The first three may be of one service:
// payments.pay:fine.
const (
	Check    = "payments.check"  // ask whether a code can be paid
	Quote    = "payments.quote"  // find bills, and have them quoted
	Pay      = "payments.pay"    // pay a code
	Read     = "payments.read"   // see one's own payments
	Events   = "events.read"     // read what became of them
	Webhooks = "webhooks.manage" // say where that is sent
)

// Operations are all that a partner can be allowed.
var Operations = []string{Check, Quote, Pay, Read, Events, Webhooks}

// ofService are those that may be of one service.
var ofService = []string{Check, Quote, Pay}

// Scopes are what somebody may do, each an operation or, after a colon, that of one
// service (RFC 6749, section 3.3). They are sorted, each there once.
type Scopes []string

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// ParseScopes reads scopes that are separated by spaces.
func ParseScopes(text string) (Scopes, error) {
	var list Scopes
	for _, one := range strings.Fields(text) {
		operation, service, some := strings.Cut(one, ":")
		if !slices.Contains(Operations, operation) || some && (!slices.Contains(ofService, operation) || !serviceName.MatchString(service)) {
			return nil, fmt.Errorf("%q is no scope: %s, the first three also of one service, as %s:fine", one, strings.Join(Operations, ", "), Pay)
		}
		list = append(list, one)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// String is how scopes are written.
func (s Scopes) String() string { return strings.Join(s, " ") }

// Allow reports whether one of the scopes covers another one.
func (s Scopes) Allow(scope string) bool {
	operation, _, _ := strings.Cut(scope, ":")
	return slices.Contains(s, scope) || slices.Contains(s, operation)
}

// Cover reports whether each of the others is covered.
func (s Scopes) Cover(others Scopes) bool {
	return !slices.ContainsFunc(others, func(o string) bool { return !s.Allow(o) })
}

// And are what both allow.
func (s Scopes) And(others Scopes) Scopes {
	var both Scopes
	for _, scope := range slices.Concat(s, others) {
		if s.Allow(scope) && others.Allow(scope) {
			both = append(both, scope)
		}
	}
	slices.Sort(both)
	return slices.Compact(both)
}

// Services are those that an operation is allowed of; every says that it is of all.
func (s Scopes) Services(operation string) (services []string, every bool) {
	for _, scope := range s {
		if service, some := strings.CutPrefix(scope, operation+":"); some {
			services = append(services, service)
		}
	}
	return services, slices.Contains(s, operation)
}
