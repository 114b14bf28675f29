package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/sign"
)

type fsckCommand struct{}

// progressEvery is how often fsck says how far it is.
const progressEvery = 5 * time.Second

// Run checks what must always hold, on one moment of the database: it may run
// beside a server.
func (fsckCommand) Run(ctx context.Context, config *Config, log *slog.Logger, out io.Writer) error {
	return withTools(ctx, config, log, func(a *app) error {
		if err := a.db.Snapshot(ctx, func(tx *sql.Tx) error { return a.fsck(ctx, tx, out) }); err != nil {
			return err
		}
		open, err := a.payments.Waiting(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(out, waiting(open), "The ledger balances. The audit log is whole, and the states are what it says.\n")
		return err
	})
}

// fsck replays the audit log and compares with it what is kept.
func (a *app) fsck(ctx context.Context, tx *sql.Tx, out io.Writer) error {
	payments, checks := payment.NewCheck(a.audit), a.checks()
	last, records := a.now(), 0
	tell := func(format string, n int) {
		if now := a.now(); now.Sub(last) >= progressEvery {
			last = now
			_, _ = fmt.Fprintf(out, format+"\n", n)
		}
	}
	tail, whole := a.audit.Replay(ctx, tx, func(r audit.Recorded) {
		payments.See(r)
		for _, check := range checks {
			check.See(r)
		}
		records++
		tell("%d records of the audit log …", records)
	})
	before := payments.Older()
	for _, check := range checks {
		before += check.Older()
	}
	_, _ = fmt.Fprint(out, unsealed(tail), older(before))
	if whole != nil { // nothing can be compared with a log that is not to be trusted
		payments = payment.NewCheck(a.audit)
	}
	faults := []error{whole, sign.Check(ctx, tx, a.sealer), payments.Run(ctx, tx, func(n int) { tell("%d payments …", n) })}
	for _, check := range checks {
		if whole == nil {
			faults = append(faults, check.Run(ctx, tx))
		}
	}
	return errors.Join(faults...)
}

// checks compare what the services keep, and who people are, with the log.
func (a *app) checks() []module.Check {
	var all []module.Check
	for _, m := range a.modules {
		if m.Check != nil {
			all = append(all, m.Check())
		}
	}
	return append(all, identity.NewCheck(a.audit, a.sealer))
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
