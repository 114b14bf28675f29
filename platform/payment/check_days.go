package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// CheckDays computes every closed day anew from the ledger and compares it with what is written of it, and
// that, and the entries that are of no payment, with the audit log. Give it the log's records by See before Run.
type CheckDays struct {
	rows      *audit.Rows
	transfers *audit.Rows
	// last is the digest of the day before, and until its end.
	last  string
	until dbtime.Time
	// carried are the accounts as that day closed them.
	carried []db.LedgerDayAccount
	found   []error
}

// NewCheckDays makes a comparison with a log.
func NewCheckDays(log *audit.Log) *CheckDays {
	return &CheckDays{
		rows:      audit.NewRows(log, audit.Kind{What: "closed day", Group: groupDay}),
		transfers: audit.NewRows(log, audit.Kind{What: "ledger transfer", Group: groupTransfer}),
	}
}

// See takes a record of the audit log.
func (c *CheckDays) See(r audit.Recorded) {
	switch r.Action {
	case "payment.day_closed":
		c.rows.See(r)
	case "payment.remittance", "payment.remittance_undone":
		c.transfers.See(r)
	}
}

// Older is none: what closes a day has always said so.
func (c *CheckDays) Older() int { return 0 }

// Run checks every day and returns an error that names each that differs.
func (c *CheckDays) Run(ctx context.Context, tx *sql.Tx) error {
	var days []db.LedgerDay
	err := each(ctx, tx, "SELECT day, until_at, entries, treasury, previous, digest, closed_at FROM ledger_days ORDER BY until_at", nil, func(rows *sql.Rows) error {
		var d db.LedgerDay
		err := rows.Scan(&d.Day, &d.UntilAt, &d.Entries, &d.Treasury, &d.Previous, &d.Digest, &d.ClosedAt)
		days = append(days, d)
		return err
	})
	if err != nil {
		return err
	}
	for _, d := range days {
		if err := c.day(ctx, tx, d); err != nil {
			return err
		}
	}
	c.rows.Gone()
	if err := c.astray(ctx, tx, days); err != nil {
		return err
	}
	if err := c.ofNoPayment(ctx, tx); err != nil {
		return err
	}
	if err := c.stuck(ctx, tx); err != nil {
		return err
	}
	return errors.Join(slices.Concat(c.rows.Wrong(), c.transfers.Wrong(), c.found)...)
}

// closesWithin is how long after the beginning of a day it is closed, and some more.
const closesWithin = 26 * time.Hour

// stuck finds that days are closed no more: of the last entry is told how much later it is than the last closed
// day. It asks no clock, as what is checked may be a copy of long ago.
func (c *CheckDays) stuck(ctx context.Context, tx *sql.Tx) error {
	if c.until.IsZero() {
		return nil
	}
	return each(ctx, tx, "SELECT MAX(happened_at) FROM (SELECT MAX(happened_at) AS happened_at FROM ledger_entries UNION ALL SELECT MAX(happened_at) FROM ledger_transfers) last", nil, func(rows *sql.Rows) error {
		var last dbtime.Time
		err := rows.Scan(&last)
		if late := last.Sub(c.until.Time); !last.IsZero() && late > closesWithin {
			c.found = append(c.found, fmt.Errorf("days are closed no more: the last closed one ended %s before the last entry", late.Round(time.Hour)))
		}
		return err
	})
}

// ofNoPayment compares the entries that are of no payment with the log.
func (c *CheckDays) ofNoPayment(ctx context.Context, tx *sql.Tx) error {
	err := each(ctx, tx, "SELECT id, kind, partner_id, source, destination, amount, reference, happened_at FROM ledger_transfers", nil, func(rows *sql.Rows) error {
		var t db.LedgerTransfer
		err := rows.Scan(&t.ID, &t.Kind, &t.PartnerID, &t.Source, &t.Destination, &t.Amount, &t.Reference, &t.HappenedAt)
		c.transfers.Fits(t.ID, transferOf(t))
		return err
	})
	c.transfers.Gone()
	return err
}

// day compares one with its neighbour, its accounts and the ledger.
func (c *CheckDays) day(ctx context.Context, tx *sql.Tx, d db.LedgerDay) error {
	c.rows.Fits(d.Day, dayOf(d))
	first := d.UntilAt.In(clock.Bishkek).AddDate(0, 0, -1)
	if !c.until.IsZero() && !c.until.Equal(first) {
		c.found = append(c.found, fmt.Errorf("the closed day %s does not follow the one before", d.Day))
	}
	sum := newDaySum(first, c.last, c.carried)
	if err := sum.read(ctx, tx); err != nil {
		return err
	}
	want := sum.end(d.ClosedAt)
	got, err := writtenOf(ctx, tx, d)
	if err != nil {
		return err
	}
	if wrong := got.differs(want); wrong != "" {
		c.found = append(c.found, fmt.Errorf("the closed day %s is not what the ledger says: %s", d.Day, wrong))
	}
	c.last, c.until, c.carried = d.Digest, d.UntilAt, got.accounts
	return nil
}

// writtenOf is what is written of a day.
func writtenOf(ctx context.Context, tx *sql.Tx, d db.LedgerDay) (closedDay, error) {
	accounts, err := db.New(tx).DayAccounts(ctx, d.Day)
	if err != nil {
		return closedDay{}, fmt.Errorf("read a closed day's accounts: %w", err)
	}
	kinds, err := db.New(tx).DayKinds(ctx, d.Day)
	if err != nil {
		return closedDay{}, fmt.Errorf("read a closed day's turnover: %w", err)
	}
	slices.SortFunc(accounts, func(a, b db.LedgerDayAccount) int { return strings.Compare(a.Account, b.Account) })
	slices.SortFunc(kinds, func(a, b db.LedgerDayKind) int {
		return slices.Compare([]string{a.Account, a.Kind}, []string{b.Account, b.Kind})
	})
	return closedDay{day: d, accounts: accounts, kinds: kinds}, nil
}

// differs names what of a day is written otherwise than it is; empty: nothing.
func (c closedDay) differs(want closedDay) string {
	switch {
	case !slices.Equal(c.accounts, want.accounts):
		for _, a := range want.accounts {
			if !slices.Contains(c.accounts, a) {
				return fmt.Sprintf("the account %s opens with %d and closes with %d tyiyn, after %d entries", a.Account, a.Opening, a.Closing, a.Entries)
			}
		}
		return "there are other accounts"
	case !slices.Equal(c.kinds, want.kinds):
		return "the turnover by kinds"
	case c.day.Entries != want.day.Entries:
		return fmt.Sprintf("it has %d entries, not %d", want.day.Entries, c.day.Entries)
	case c.day.Treasury != want.day.Treasury:
		return "the treasury's statement"
	case c.day.Previous != want.day.Previous:
		return "the digest of the day before"
	case c.day.Digest != want.day.Digest:
		return "its digest"
	}
	return ""
}

// astray names entries of before the first day, which are of no closed day and came after it was closed.
func (c *CheckDays) astray(ctx context.Context, tx *sql.Tx, days []db.LedgerDay) error {
	if len(days) == 0 {
		return nil
	}
	first := dbtime.From(days[0].UntilAt.In(clock.Bishkek).AddDate(0, 0, -1))
	return each(ctx, tx, "SELECT id FROM ledger_entries WHERE happened_at < $1 UNION ALL SELECT id FROM ledger_transfers WHERE happened_at < $1", []any{first}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		c.found = append(c.found, fmt.Errorf("the ledger entry %s is of before the first closed day", id))
		return err
	})
}
