package payment

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// closesAfter is how long after midnight a day is closed. An entry carries a moment of the call of
// store.InTx that posts it, or of just before, which is over within store.TransactionLasts; from the
// closing on the database itself refuses an entry of the day.
const closesAfter = 3 * store.TransactionLasts

// clocksDiffer is how far two clocks that are right may be apart.
const clocksDiffer = time.Minute

// entriesWait bounds how long closing a day waits for entries under way, for each table of the ledger.
const entriesWait = "2s"

// CloseDays closes, one after the other, the days in Bishkek that are over: what every account of the
// ledger opened with, what was posted to it by kinds, what it closed with, and the digests of the
// statements, chained from day to day. What is written stays, in the database and by the audit log.
// Where nothing was ever posted no day is closed. It is safe to call at once from several processes: each
// day is closed once. An error: the clocks do not agree that a day is over, or an entry is under way.
func (s *Service) CloseDays(ctx context.Context) error {
	for closed := ""; ; {
		first, before, err := s.nextDay(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look which day is to be closed: %w", err)
		}
		day := clock.ISODay(first)
		if day == closed {
			return fmt.Errorf("close the day %s: it was closed, and is the next to be closed", day)
		}
		if over, err := s.over(ctx, first.AddDate(0, 0, 1).Add(closesAfter)); err != nil || !over {
			return err
		}
		if err := s.closeDay(ctx, first, before); err != nil {
			return fmt.Errorf("close the day %s: %w", day, err)
		}
		closed = day
	}
}

// over reports that a moment has come, by both clocks: a day that one which is ahead closes takes no entry
// any more, of no process.
func (s *Service) over(ctx context.Context, moment time.Time) (bool, error) {
	now := s.Now()
	if now.Before(moment) {
		return false, nil
	}
	other, err := s.Clock(ctx)
	if err != nil {
		return false, fmt.Errorf("ask the other clock: %w", err)
	}
	if ahead := now.Sub(other); other.Before(moment) && ahead > clocksDiffer {
		whose := "that of the database's server: one of them is wrong"
		if s.DB.Engine() == store.SQLite {
			whose = "what has passed since this process began: set it, or start the process anew if it is right now"
		}
		return false, fmt.Errorf("no day is closed: the clock of this server is %s ahead of %s", ahead.Round(time.Second), whose)
	}
	return !other.Before(moment), nil
}

// nextDay is the day that is closed next, by its beginning, and the one that was closed last. The first
// is that of the first entry; where there is none, the error is sql.ErrNoRows.
func (s *Service) nextDay(ctx context.Context) (first time.Time, before db.LedgerDay, err error) {
	q := db.New(s.DB.Reader())
	before, err = q.LastDay(ctx)
	if err == nil {
		return before.UntilAt.In(clock.Bishkek), before, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return first, before, err
	}
	var earliest dbtime.Time
	for _, ask := range []func(context.Context) (dbtime.Time, error){q.FirstEntry, q.FirstTransfer} {
		at, err := ask(ctx)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return first, before, err
		case earliest.IsZero() || at.Before(earliest.Time):
			earliest = at
		}
	}
	if earliest.IsZero() {
		return first, before, sql.ErrNoRows
	}
	return clock.Midnight(earliest.Time), before, nil
}

// holdLedger waits until what is being posted is kept or rolled back, and has what comes wait until tx ends:
// PostgreSQL would let an entry be kept that began before the day was closed and that its sums do not see.
// SQLite has one writer at a time.
func holdLedger(ctx context.Context, tx *store.Tx) error {
	if tx.Engine == store.SQLite {
		return nil
	}
	for _, statement := range []string{
		"SET LOCAL lock_timeout = '" + entriesWait + "'", "LOCK TABLE ledger_entries, ledger_postings, ledger_transfers IN SHARE MODE",
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("wait for entries under way: %w", err)
		}
	}
	return nil
}

func (s *Service) closeDay(ctx context.Context, first time.Time, before db.LedgerDay) error {
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := holdLedger(ctx, tx); err != nil {
			return err
		}
		q, now := db.New(tx), dbtime.From(s.Now())
		if _, err := q.ClosedDay(ctx, clock.ISODay(first)); !errors.Is(err, sql.ErrNoRows) { // by another process, meanwhile
			return err
		}
		opening, err := q.DayAccounts(ctx, before.Day)
		if err != nil {
			return err
		}
		sum := newDaySum(first, before.Digest, opening)
		if err := sum.read(ctx, tx.Tx); err != nil {
			return err
		}
		closed := sum.end(now)
		n, err := q.InsertDay(ctx, db.InsertDayParams(closed.day))
		if err != nil || n == 0 {
			return err
		}
		for _, a := range closed.accounts {
			if err := q.InsertDayAccount(ctx, db.InsertDayAccountParams(a)); err != nil {
				return err
			}
		}
		for _, k := range closed.kinds {
			if err := q.InsertDayKind(ctx, db.InsertDayKindParams(k)); err != nil {
				return err
			}
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: now.Time, Actor: "system", Action: "payment.day_closed", Object: closed.day.Day, Purpose: "payment", Decided: []*audit.Group{dayOf(closed.day)},
		}})
	})
}

// dayOf is a closed day: all of its row, of which the digest covers the accounts'.
func dayOf(d db.LedgerDay) *audit.Group {
	return audit.Decided(groupDay).Text(d.Day, d.Treasury, d.Previous, d.Digest).Number(d.Entries).Moment(d.UntilAt, d.ClosedAt)
}

// daySum is what a day comes to.
type daySum struct {
	first    time.Time
	day      string
	previous string
	entries  int64
	accounts map[string]*accountSum
	treasury *digested
}

// accountSum is what a day comes to for an account.
type accountSum struct {
	opening, entries int64
	whole            sums
	kinds            map[string]*db.LedgerDayKind
	statement        *digested // nil: it has none of its own
}

// digested is a statement of which only the digest is wanted.
type digested struct {
	*sheet
	hash hash.Hash
}

func newDigested(f form) *digested {
	sum := sha256.New()
	return &digested{sheet: newSheet(sum, f), hash: sum}
}

// digest ends the statement.
func (d *digested) digest() string {
	if err := d.end(); err != nil {
		panic(err) // a hash takes everything
	}
	return hex.EncodeToString(d.hash.Sum(nil))
}

// newDaySum begins a day with what the accounts closed with before.
func newDaySum(first time.Time, previous string, before []db.LedgerDayAccount) *daySum {
	sum := &daySum{first: first, day: clock.ISODay(first), previous: previous, accounts: map[string]*accountSum{}, treasury: newDigested(treasuryForm)}
	for _, a := range before {
		sum.account(a.Account).opening = a.Closing
	}
	return sum
}

func (d *daySum) account(name string) *accountSum {
	a, known := d.accounts[name]
	if !known {
		a = &accountSum{kinds: map[string]*db.LedgerDayKind{}}
		if strings.HasPrefix(name, partnerAccount("")) {
			a.statement = newDigested(partnerForm)
		}
		d.accounts[name] = a
	}
	return a
}

// read adds the day's postings.
func (d *daySum) read(ctx context.Context, tx *sql.Tx) error {
	last := ""
	return eachPosted(ctx, tx, d.first, 0, "", func(p posted) error {
		if p.id != last {
			d.entries, last = d.entries+1, p.id
		}
		d.account(p.account).add(d.day, p)
		if strings.HasPrefix(p.account, treasuryAccount("")) {
			d.treasury.entry(p)
		}
		return nil
	})
}

func (a *accountSum) add(day string, p posted) {
	var one sums
	one.add(p.amount)
	k, known := a.kinds[p.kind]
	if !known {
		k = &db.LedgerDayKind{Account: p.account, Day: day, Kind: p.kind}
		a.kinds[p.kind] = k
	}
	k.Debit, k.Credit, k.Entries = k.Debit+one.debit, k.Credit+one.credit, k.Entries+1
	a.whole.add(p.amount)
	a.entries++
	if a.statement != nil {
		a.statement.entry(p)
	}
}

// closedDay is all that is written of a day.
type closedDay struct {
	day      db.LedgerDay
	accounts []db.LedgerDayAccount // in the order of their names
	kinds    []db.LedgerDayKind    // in that order, and of their own names
}

// end ends the statements and the day.
func (d *daySum) end(now dbtime.Time) closedDay {
	c := closedDay{day: db.LedgerDay{
		Day: d.day, UntilAt: dbtime.From(d.first.AddDate(0, 0, 1)), Entries: d.entries, Treasury: d.treasury.digest(), Previous: d.previous, ClosedAt: now,
	}}
	for _, name := range slices.Sorted(maps.Keys(d.accounts)) {
		a := d.accounts[name]
		row := db.LedgerDayAccount{
			Account: name, Day: d.day, Opening: a.opening, Debit: a.whole.debit, Credit: a.whole.credit,
			Closing: a.opening + a.whole.debit - a.whole.credit, Entries: a.entries,
		}
		if a.statement != nil {
			row.Statement = a.statement.digest()
		}
		c.accounts = append(c.accounts, row)
		for _, kind := range slices.Sorted(maps.Keys(a.kinds)) {
			c.kinds = append(c.kinds, *a.kinds[kind])
		}
	}
	c.day.Digest = c.digest()
	return c
}

// digest is over all of the day but when it was closed, and over the day before: SHA-256, hexadecimal. Names
// of accounts and kinds have no spaces.
func (c closedDay) digest() string {
	sum := sha256.New()
	say := func(values ...any) { _, _ = fmt.Fprintln(sum, values...) } // a hash takes everything
	say("day", c.day.Day, c.day.UntilAt.UnixMicro(), c.day.Entries, c.day.Treasury, c.day.Previous)
	for _, a := range c.accounts {
		say("account", a.Account, a.Opening, a.Debit, a.Credit, a.Closing, a.Entries, a.Statement)
	}
	for _, k := range c.kinds {
		say("kind", k.Account, k.Kind, k.Debit, k.Credit, k.Entries)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
