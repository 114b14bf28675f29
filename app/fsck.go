package app

import (
	"context"
	"database/sql"
	"errors"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// Progress hears how Fsck goes on.
type Progress struct {
	Records  func(n int)                      // of the audit log were read
	Replayed func(tail audit.Tail, older int) // the log was: its tail, and how many of its records cannot be compared
	Payments func(n int)                      // were compared
}

// Fsck checks what must always hold, on one moment of the database: it may run beside a
// server. Its error has a line for each thing that is wrong.
func (a *App) Fsck(ctx context.Context, progress Progress) error {
	return a.DB.Snapshot(ctx, func(tx *sql.Tx) error { return a.fsck(ctx, tx, progress) })
}

// fsck replays the audit log and compares with it what is kept.
func (a *App) fsck(ctx context.Context, tx *sql.Tx, progress Progress) error {
	payments, checks := payment.NewCheck(a.Audit), a.checks()
	records := 0
	tail, whole := a.Audit.Replay(ctx, tx, func(r audit.Recorded) {
		payments.See(r)
		for _, check := range checks {
			check.See(r)
		}
		records++
		progress.Records(records)
	})
	before := payments.Older()
	for _, check := range checks {
		before += check.Older()
	}
	progress.Replayed(tail, before)
	if whole != nil { // nothing can be compared with a log that is not to be trusted
		payments = payment.NewCheck(a.Audit)
	}
	faults := []error{whole, a.checkpoints.check(ctx, tx), a.reseal.Check(ctx, tx), sign.Check(ctx, tx, a.Sealer), payments.Run(ctx, tx, progress.Payments), webhook.Check(ctx, tx)}
	for _, check := range checks {
		if whole == nil {
			faults = append(faults, check.Run(ctx, tx))
		}
	}
	return errors.Join(faults...)
}

// checks compare what the services keep, and who people are, with the log.
func (a *App) checks() []module.Check {
	var all []module.Check
	for _, m := range a.Modules {
		if m.Check != nil {
			all = append(all, m.Check())
		}
	}
	return append(all, identity.NewCheck(a.Audit, a.Sealer), mandate.NewCheck(a.Audit), partners.NewCompare(a.Audit), webhook.NewCompare(a.Audit), sign.NewCompare(a.Audit), staff.NewCompare(a.Audit, a.Sealer), payment.NewCheckDays(a.Audit))
}
