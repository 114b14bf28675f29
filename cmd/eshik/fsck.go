package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/platform/audit"
)

type fsckCommand struct{}

// progressEvery is how often fsck says how far it is.
const progressEvery = 5 * time.Second

// Run checks what must always hold.
func (fsckCommand) Run(ctx context.Context, config *app.Config, log *slog.Logger, out io.Writer) error {
	return app.Beside(ctx, config, log, func(a *app.App) error {
		if err := a.Fsck(ctx, progress(out)); err != nil {
			return err
		}
		open, err := a.Payments.Waiting(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(out, waiting(open), "The ledger balances. The audit log is whole, and the states are what it says.\n")
		return err
	})
}

// progress says now and then how far a check is.
func progress(out io.Writer) app.Progress {
	last := time.Now()
	tell := func(format string) func(n int) {
		return func(n int) {
			if now := time.Now(); now.Sub(last) >= progressEvery {
				last = now
				_, _ = fmt.Fprintf(out, format+"\n", n)
			}
		}
	}
	return app.Progress{
		Records: tell("%d records of the audit log …"), Payments: tell("%d payments …"),
		Replayed: func(tail audit.Tail, before int) { _, _ = fmt.Fprint(out, unsealed(tail), older(before)) },
	}
}

// older tells of records that do not say what their step decided.
func older(records int) string {
	if records == 0 {
		return ""
	}
	return fmt.Sprintf("%d records from before the audit log kept digests of what was decided cannot be compared.\n", records)
}

// unsealed tells of the log's tail: what is deleted from it shows only by what it
// told of.
func unsealed(t audit.Tail) string {
	if t.Records == 0 {
		return ""
	}
	line := fmt.Sprintf("%d records of the audit log are not sealed yet, the oldest of %s", t.Records, t.Since.UTC().Format(time.RFC3339))
	if t.Unmarked > 0 {
		line += fmt.Sprintf("; %d were written before unsealed records had a mark: not computable", t.Unmarked)
	}
	return line + ".\n"
}
