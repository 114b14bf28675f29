package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
)

// closedDay is which day is shown.
type closedDay struct {
	Day time.Time `required:"" format:"2006-01-02" help:"A day in Bishkek, as 2026-11-28, that is over for an hour."`
}

// print lists its accounts, each with its turnover by kinds below it.
func (c closedDay) print(out io.Writer) func(context.Context, *app.App, staff.Officer) error {
	return func(ctx context.Context, a *app.App, _ staff.Officer) error {
		d, err := a.Payments.ClosedDay(ctx, clock.Noon(c.Day))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "day       %s, closed at %s\nentries   %d\ndigest    %s\nbefore    %s\ntreasury  %s\n\n",
			d.Day, clock.Second(d.ClosedAt), d.Entries, d.Digest, d.Previous, d.Treasury)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, one := range d.Accounts {
			rows = append(rows, []string{one.Account, one.Opening.Decimal(), one.Debit.Decimal(), one.Credit.Decimal(), one.Closing.Decimal(),
				strconv.FormatInt(one.Entries, 10), one.Balance.Decimal(), one.Statement})
			for _, k := range one.Kinds {
				rows = append(rows, kindRow(k))
			}
		}
		return todo{
			none:    "No account has ever been posted to.",
			columns: []string{"ACCOUNT", "OPENED", "DEBIT", "CREDIT", "CLOSED", "ENTRIES", "NOW", "SHA-256 OF THE STATEMENT"},
			next:    "In som. What a partner owes is positive, what is owed to the treasury negative. eshik staff statement prints the statements.",
		}.list(out, rows)
	}
}

// kindRow is the turnover of a kind, below its account.
func kindRow(k payment.Turnover) []string {
	return []string{"  " + k.Kind, "", k.Debit.Decimal(), k.Credit.Decimal(), "", strconv.FormatInt(k.Entries, 10), "", ""}
}
