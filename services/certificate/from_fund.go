package certificate

import (
	"context"
	"strings"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
)

// SocialFund is the Social Fund; *registry.Fund is one.
type SocialFund interface {
	Pensions(ctx context.Context, call registry.Call, pin string) ([]registry.Pension, bool, error)
	WorkPeriods(ctx context.Context, call registry.Call, pin string) ([]registry.WorkPeriod, bool, error)
}

var (
	errFundAway    = problem.New(problem.Unavailable, "problem.certificate_away_fund")
	errFundUnknown = problem.New(problem.NotFound, "problem.certificate_unknown_fund")
)

// pension is what somebody is paid by month, or that nothing is.
func pension(r Registers) fetch {
	if r.Fund == nil {
		return nil
	}
	return listed(r, func(ctx context.Context, call registry.Call, pin string) ([][]string, error) {
		pensions, found, err := r.Fund.Pensions(ctx, call, pin)
		if err == nil && !found {
			return nil, errFundUnknown
		}
		var rows [][]string
		for _, p := range pensions {
			rows = append(rows, []string{p.Kind, unbroken(p.Amount), isoDay(p.Since), p.Dossier})
		}
		return rows, err
	}, errFundAway)
}

// account is for what times somebody was paid for, and by whom.
func account(r Registers) fetch {
	if r.Fund == nil {
		return nil
	}
	return listed(r, func(ctx context.Context, call registry.Call, pin string) ([][]string, error) {
		periods, found, err := r.Fund.WorkPeriods(ctx, call, pin)
		if err == nil && !found {
			return nil, errFundUnknown
		}
		var rows [][]string
		for _, p := range periods {
			rows = append(rows, []string{isoDay(p.From), isoDay(p.To), p.Payer, unbroken(p.Salary)})
		}
		return rows, err
	}, errFundAway)
}

// unbroken writes a sum so that no line ends within it.
func unbroken(a money.Amount) string { return strings.ReplaceAll(a.String(), " ", "\u00a0") }
