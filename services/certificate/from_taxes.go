package certificate

import (
	"context"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// TaxRegister is the tax service; *registry.Taxes is one.
type TaxRegister interface {
	Debts(ctx context.Context, call registry.Call, pin string) ([]registry.TaxDebt, bool, error)
}

var (
	errTaxesAway    = problem.New(problem.Unavailable, "problem.certificate_away_tax")
	errTaxesUnknown = problem.New(problem.NotFound, "problem.certificate_unknown_tax")
)

// taxes is that somebody owes no tax. Who owes some is told how much, and gets none.
func taxes(r Registers) fetch {
	if r.Taxes == nil {
		return nil
	}
	return listed(r, func(ctx context.Context, call registry.Call, pin string) ([][]string, error) {
		debts, found, err := r.Taxes.Debts(ctx, call, pin)
		if err == nil && !found {
			err = errTaxesUnknown
		}
		var owed money.Amount
		for _, d := range debts {
			owed += d.Amount
		}
		if err == nil && owed > 0 {
			err = problem.New(problem.Conflict, "problem.certificate_tax_debt", "amount", owed.String())
		}
		return nil, err
	}, errTaxesAway)
}
