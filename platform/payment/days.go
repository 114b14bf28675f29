package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// LedgerDay is a day of the ledger that is closed.
type LedgerDay struct {
	Day      string // in Bishkek: 2026-11-27
	Entries  int64
	Treasury string // SHA-256 of the treasury's statement, hexadecimal
	Previous string // the digest of the day before; empty: it is the first
	Digest   string // over all of this
	ClosedAt time.Time
	Accounts []DayAccount // in the order of their names
}

// DayAccount is an account on such a day. Opening, closing and balance are debits less credits: what a
// partner owes is positive, what is owed to the treasury negative.
type DayAccount struct {
	Account          string
	Opening, Closing money.Amount
	Turnover
	Kinds     []Turnover   // in the order of their names
	Statement string       // SHA-256 of a partner's statement, hexadecimal; empty: it has none of its own
	Balance   money.Amount // now: what it closed with last, and what came since
}

// Turnover is what was posted to an account; its kind is empty for all.
type Turnover struct {
	Kind          string
	Debit, Credit money.Amount
	Entries       int64
}

// ClosedDay is how the accounts stood on a closed day in Bishkek, and how they stand now. Problem:
// payment_day_open.
func (s *Service) ClosedDay(ctx context.Context, day time.Time) (LedgerDay, error) {
	q := db.New(s.DB.Reader())
	row, err := q.ClosedDay(ctx, clock.ISODay(day))
	if errors.Is(err, sql.ErrNoRows) {
		return LedgerDay{}, ErrDayOpen
	}
	if err != nil {
		return LedgerDay{}, fmt.Errorf("read a closed day: %w", err)
	}
	accounts, err := q.DayAccounts(ctx, row.Day)
	if err != nil {
		return LedgerDay{}, fmt.Errorf("read a closed day's accounts: %w", err)
	}
	kinds, err := q.DayKinds(ctx, row.Day)
	if err != nil {
		return LedgerDay{}, fmt.Errorf("read a closed day's turnover: %w", err)
	}
	balances, err := s.balances(ctx)
	if err != nil {
		return LedgerDay{}, err
	}
	d := LedgerDay{Day: row.Day, Entries: row.Entries, Treasury: row.Treasury, Previous: row.Previous, Digest: row.Digest, ClosedAt: row.ClosedAt.Time}
	for _, a := range accounts {
		d.Accounts = append(d.Accounts, accountOf(a, kinds, balances[a.Account]))
	}
	slices.SortFunc(d.Accounts, func(a, b DayAccount) int { return strings.Compare(a.Account, b.Account) })
	return d, nil
}

func accountOf(a db.LedgerDayAccount, kinds []db.LedgerDayKind, balance int64) DayAccount {
	one := DayAccount{
		Account: a.Account, Opening: money.Amount(a.Opening), Closing: money.Amount(a.Closing), Statement: a.Statement, Balance: money.Amount(balance),
		Turnover: Turnover{Debit: money.Amount(a.Debit), Credit: money.Amount(a.Credit), Entries: a.Entries},
	}
	for _, k := range kinds {
		if k.Account == a.Account {
			one.Kinds = append(one.Kinds, Turnover{Kind: k.Kind, Debit: money.Amount(k.Debit), Credit: money.Amount(k.Credit), Entries: k.Entries})
		}
	}
	slices.SortFunc(one.Kinds, func(a, b Turnover) int { return strings.Compare(a.Kind, b.Kind) })
	return one
}

// postedSince reads what was posted from a moment on.
const postedSince = "SELECT p.account, p.amount FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id WHERE e.happened_at >= $1 " +
	"UNION ALL SELECT source, amount FROM ledger_transfers WHERE happened_at >= $1 " +
	"UNION ALL SELECT destination, -amount FROM ledger_transfers WHERE happened_at >= $1"

// balances fold each account's: what it closed with on the last closed day, and what was posted since.
func (s *Service) balances(ctx context.Context) (map[string]int64, error) {
	all := map[string]int64{}
	err := s.DB.Snapshot(ctx, func(tx *sql.Tx) error {
		q := db.New(tx)
		last, err := q.LastDay(ctx)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		accounts, err := q.DayAccounts(ctx, last.Day)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			all[a.Account] = a.Closing
		}
		return each(ctx, tx, postedSince, []any{last.UntilAt}, func(rows *sql.Rows) error {
			var account string
			var amount int64
			err := rows.Scan(&account, &amount)
			all[account] += amount
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("fold the balances: %w", err)
	}
	return all, nil
}

// OpenSince is the beginning of the first day that is not closed; the zero time: nothing was ever posted.
func (s *Service) OpenSince(ctx context.Context) (time.Time, error) {
	first, _, err := s.nextDay(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("look which day is open: %w", err)
	}
	return first, nil
}

// closed refuses a day that is not closed yet, which ends after all that are.
func closed(ctx context.Context, tx *sql.Tx, first time.Time) error {
	last, err := db.New(tx).LastDay(ctx)
	if errors.Is(err, sql.ErrNoRows) || err == nil && dbtime.From(first.AddDate(0, 0, 1)).After(last.UntilAt.Time) {
		return ErrDayOpen
	}
	if err != nil {
		return fmt.Errorf("look whether a day is closed: %w", err)
	}
	return nil
}
