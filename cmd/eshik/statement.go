package main

import (
	"context"
	"io"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/staff"
)

// statementOf is whose statement is printed, and of which day.
type statementOf struct {
	Day      time.Time `required:"" format:"2006-01-02" help:"A day in Bishkek, as 2026-11-28, that is over for an hour."`
	Partner  string    `xor:"whose" required:"" help:"The partner whose account it is."`
	Treasury bool      `xor:"whose" required:"" help:"The treasury's, of all services."`
}

// print writes the statement as it is.
func (s statementOf) print(out io.Writer) func(context.Context, *app.App, staff.Officer) error {
	return func(ctx context.Context, a *app.App, _ staff.Officer) (err error) {
		var made []byte
		if day := clock.Noon(s.Day); s.Treasury {
			made, err = a.Payments.TreasuryStatement(ctx, day)
		} else {
			made, err = a.Payments.StatementOf(ctx, s.Partner, day)
		}
		if err == nil {
			_, err = out.Write(made)
		}
		return err
	}
}
