package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/staff"
)

// Staff is what an operator may have the certificates do.
func Staff() []module.Task {
	return []module.Task{{
		Name: "revoke-certificate", Help: "Revoke a certificate: from now on its number answers that it does not hold.",
		Flags: []module.Flag{{Name: "number", Help: "Number of the certificate."}}, Facts: revocationFacts, Do: staffRevokes,
	}}
}

// revocationFacts is how the certificate stands.
func revocationFacts(ctx context.Context, modules []module.Module, given map[string]string) (string, error) {
	s := module.Of[*Service](modules)
	number, ok := ParseNumber(given["number"])
	if !ok {
		return "", errNumber
	}
	row, in, err := s.issued(ctx, number)
	if err != nil {
		return "", err
	}
	view := viewOf(row, in.Record)
	facts := string(view.Kind) + ", issued " + clock.Second(view.IssuedAt)
	if !view.Valid() {
		facts += ", revoked " + clock.Second(view.RevokedAt)
	}
	return facts, nil
}

// staffRevokes revokes a certificate.
func staffRevokes(ctx context.Context, modules []module.Module, act staff.Act, given map[string]string) (staff.Done, error) {
	s := module.Of[*Service](modules)
	if err := s.Revoke(ctx, act, caller.Caller{Channel: caller.Staff, Now: s.Now()}, given["number"]); err != nil {
		return staff.Done{}, err
	}
	return staff.Done{Said: "Revoked: whoever verifies the number is told that it does not hold."}, nil
}
