package payment_test

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// closes lets the day of a moment end, and closes it.
func (w *world) closes(t *testing.T, day time.Time) payment.LedgerDay {
	t.Helper()
	if wait := clock.Midnight(day).AddDate(0, 0, 1).Add(time.Hour).Sub(w.Clock.Now()); wait > 0 {
		w.Pass(wait)
	}
	testworld.OK(t, w.CloseDays(t.Context()))
	d, err := w.ClosedDay(t.Context(), day)
	testworld.OK(t, err)
	return d
}

// line is an account of a closed day in one line.
func line(t *testing.T, d payment.LedgerDay, account string) string {
	t.Helper()
	for _, a := range d.Accounts {
		if a.Account != account {
			continue
		}
		text := fmt.Sprintf("%d +%d -%d = %d, %d entries, now %d", a.Opening, a.Debit, a.Credit, a.Closing, a.Entries, a.Balance)
		for _, k := range a.Kinds {
			text += fmt.Sprintf("; %s +%d -%d %d", k.Kind, k.Debit, k.Credit, k.Entries)
		}
		return text
	}
	t.Errorf("%s has no account %s", d.Day, account)
	return ""
}

func hashed(statement []byte) string {
	sum := sha256.Sum256(statement)
	return hex.EncodeToString(sum[:])
}

// TestDaysAreClosed: a day is closed once however many do it at once, says what each account opened and closed
// with and what was posted by kinds, has the digests of the statements, and is chained to the day before; what
// comes later is of later days, and the database refuses an entry of a closed one.
func TestDaysAreClosed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		first := w.Clock.Now()
		w.settled(t, "1", "11", "12")
		open := w.awaiting(t, bakyt, "t2", "13")
		w.accept(t, "2", open)
		w.Pass(clock.Midnight(first).AddDate(0, 0, 1).Add(59 * time.Minute).Sub(first))
		testworld.OK(t, w.CloseDays(ctx))
		if _, err := w.ClosedDay(ctx, first); err == nil {
			t.Fatal("it is closed before its last entries are kept")
		}
		testworld.OK(t, w.Settle(ctx, open.ID)) // of the next day
		w.Pass(time.Minute)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := w.CloseDays(ctx); err != nil {
					t.Errorf("closed at once with others: %v", err)
				}
			})
		}
		all.Wait()
		one := w.closes(t, first)
		if got := line(t, one, "partner:"+wallet); got != "0 +450000 -0 = 450000, 2 entries, now 450000; accept +450000 -0 2" {
			t.Errorf("the partner: %s", got)
		}
		if got := line(t, one, "treasury:fine"); got != "0 +0 -300000 = -300000, 2 entries, now -450000; settle +0 -300000 2" {
			t.Errorf("the treasury: %s", got)
		}
		if got := line(t, one, "clearing:fine"); got != "0 +300000 -450000 = -150000, 4 entries, now 0; accept +0 -450000 2; settle +300000 -0 2" {
			t.Errorf("what was not told yet: %s", got)
		}
		two := w.closes(t, first.AddDate(0, 0, 1))
		if got := line(t, two, "treasury:fine"); got != "-300000 +0 -150000 = -450000, 1 entries, now -450000; settle +0 -150000 1" {
			t.Errorf("the next day: %s", got)
		}
		quiet := w.closes(t, first.AddDate(0, 0, 2))
		if got := line(t, quiet, "partner:"+wallet); got != "450000 +0 -0 = 450000, 0 entries, now 450000" {
			t.Errorf("a quiet day: %s", got)
		}
		if one.Previous != "" || two.Previous != one.Digest || quiet.Previous != two.Digest || one.Entries != 4 || len(one.Digest) != 64 {
			t.Errorf("the chain: %+v, %+v, %+v", one, two, quiet)
		}
		for _, d := range []payment.LedgerDay{one, two, quiet} {
			day, err := time.ParseInLocation(time.DateOnly, d.Day, clock.Bishkek)
			testworld.OK(t, err)
			partner, err := w.PartnerStatement(ctx, wallet, day)
			testworld.OK(t, err)
			treasury, err := w.TreasuryStatement(ctx, day)
			testworld.OK(t, err)
			for _, a := range d.Accounts {
				if a.Account == "partner:"+wallet && a.Statement != hashed(partner) || d.Treasury != hashed(treasury) {
					t.Errorf("the statements of %s are others than were written down", d.Day)
				}
			}
		}
		for _, late := range []time.Time{first, first.AddDate(0, 0, -9)} {
			_, err := db.Writer().ExecContext(ctx, "INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('late', 'late', $1, 0, $2)", open.ID, late.UnixMicro())
			if err == nil || !strings.Contains(err.Error(), "the day is closed") {
				t.Errorf("a late entry: %v", err)
			}
		}
		_, err := db.Writer().ExecContext(ctx, "INSERT INTO ledger_postings (entry_id, n, account, amount) SELECT id, 2, 'a', 0 FROM ledger_entries WHERE payment_id = $1", open.ID)
		if err == nil || !strings.Contains(err.Error(), "the day is closed") {
			t.Errorf("a late posting: %v", err)
		}
		if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'payment.day_closed'"); n != 3 {
			t.Errorf("%d records of closed days", n)
		}
		w.whole(t)
		testworld.OK(t, w.checkDays(t))
	})
}

// checkDays compares the closed days with the ledger and the log.
func (w *world) checkDays(t *testing.T) error {
	t.Helper()
	return w.DB.Snapshot(t.Context(), func(tx *sql.Tx) error {
		_, err := w.Compare(tx, payment.NewCheckDays(w.Audit))
		return err
	})
}

// TestClosedDaysStayAsTheyAre: whatever is changed of a closed day, of its entries or of what is written of it, is
// found, and the day is named.
func TestClosedDaysStayAsTheyAre(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.Clock.Now()
		p := w.settled(t, "1", "11")
		day := w.closes(t, first).Day
		w.settled(t, "2", "12")
		next := w.closes(t, first.AddDate(0, 0, 1)).Day
		plant := func(name, day, said string, statements ...string) storetest.Plant {
			return storetest.Plant{Name: name, Statements: statements, Named: []string{day, said}}
		}
		storetest.Planted(t, db, []storetest.Plant{
			plant("a sum", day, "is not what the ledger says", "UPDATE ledger_postings SET amount = amount * 2 WHERE entry_id IN (SELECT id FROM ledger_entries WHERE payment_id = '"+p.ID+"')"),
			plant("an entry's moment", day, "the treasury's statement", "UPDATE ledger_entries SET happened_at = happened_at + 1 WHERE kind = 'settle' AND payment_id = '"+p.ID+"'"),
			plant("an entry moved to the next day", next, "is not what the ledger says", fmt.Sprintf("UPDATE ledger_entries SET happened_at = happened_at + %d WHERE payment_id = '%s'", (24*time.Hour).Microseconds(), p.ID)),
			plant("an entry of before all", "of before the first closed day", "the ledger entry", fmt.Sprintf("UPDATE ledger_entries SET happened_at = happened_at - %d WHERE payment_id = '%s'", (24*time.Hour).Microseconds(), p.ID)),
			plant("what an account closed with", day, "the account partner:"+wallet, "UPDATE ledger_day_accounts SET closing = closing + 1 WHERE account = 'partner:"+wallet+"' AND day = '"+day+"'"),
			plant("an account taken away", next, "the account partner:"+wallet, "DELETE FROM ledger_day_accounts WHERE day = '"+next+"' AND account = 'partner:"+wallet+"'"),
			plant("a turnover", day, "turnover", "UPDATE ledger_day_kinds SET entries = 7 WHERE day = '"+day+"'"),
			plant("a day's digest", day, "otherwise than the audit record", "UPDATE ledger_days SET digest = treasury WHERE day = '"+day+"'"),
			plant("when it was closed", day, "otherwise than the audit record", "UPDATE ledger_days SET closed_at = closed_at + 1 WHERE day = '"+day+"'"),
			plant("a day taken away", next, "is gone", "DELETE FROM ledger_day_kinds WHERE day = '"+next+"'", "DELETE FROM ledger_day_accounts WHERE day = '"+next+"'", "DELETE FROM ledger_days WHERE day = '"+next+"'"),
			plant("days that are closed no more", "no more", "ended 32h0m0s before the last entry", fmt.Sprintf("INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('late', 'late', '%s', 0, %d)",
				p.ID, clock.Midnight(first).AddDate(0, 0, 2).Add(32*time.Hour).UnixMicro())),
		}, func(tx *sql.Tx) error { _, err := w.Compare(tx, payment.NewCheckDays(w.Audit)); return err })
	})
}

// TestNothingIsClosedBeforeTheFirstEntry: where nothing was posted ever no day is closed, so that a clock that was
// wrong then refuses no entry; a day without payments after that is closed.
func TestNothingIsClosedBeforeTheFirstEntry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		testworld.OK(t, w.CloseDays(t.Context()))
		if n := w.Number("SELECT COUNT(*) FROM ledger_days"); n != 0 {
			t.Errorf("%d days closed", n)
		}
		first := w.Clock.Now()
		w.settled(t, "1", "11")
		w.closes(t, first)
		if d := w.closes(t, first.AddDate(0, 0, 1)); d.Entries != 0 || len(d.Digest) != 64 {
			t.Errorf("%+v", d)
		}
		testworld.OK(t, w.checkDays(t))
	})
}

// TestAClockThatIsAheadClosesNothing: a day is over when the database's clock says so, too; a difference of moments
// is waited for, a greater one is told.
func TestAClockThatIsAheadClosesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := w.Clock.Now()
		w.settled(t, "1", "11")
		w.Clock.Set(clock.Midnight(first).AddDate(0, 0, 1).Add(time.Hour))
		for _, c := range []struct {
			ahead time.Duration
			told  string
		}{{48 * time.Hour, "the clock of this server is 48h0m0s ahead of"}, {time.Second, ""}} {
			w.ahead = c.ahead
			err := w.CloseDays(t.Context())
			if c.told == "" && err != nil || c.told != "" && (err == nil || !strings.Contains(err.Error(), c.told)) {
				t.Errorf("%s ahead: %v", c.ahead, err)
			}
			if n := w.Number("SELECT COUNT(*) FROM ledger_days"); n != 0 {
				t.Errorf("%s ahead: %d days closed", c.ahead, n)
			}
		}
		if open, err := w.OpenSince(t.Context()); err != nil || !open.Equal(clock.Midnight(first)) {
			t.Errorf("open since %s, %v", open, err)
		}
		w.ahead = 0
		w.closes(t, first)
	})
}

// TestADayLongAgoIsClosedOnce: with a clock that stands before 1970 days follow each other as well.
func TestADayLongAgoIsClosedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		first := time.Date(1969, time.December, 29, 6, 0, 0, 0, time.UTC)
		w.Clock.Set(first)
		w.settled(t, "1", "11")
		for days := range 4 {
			w.closes(t, first.AddDate(0, 0, days))
		}
		if n := w.Number("SELECT COUNT(*) FROM ledger_days"); n != 4 {
			t.Errorf("%d days closed", n)
		}
	})
}

// TestAnEntryUnderWayHoldsClosingBack: what is posted and not kept yet when its day is to be closed is waited for, a
// little; kept, it is of the day.
func TestAnEntryUnderWayHoldsClosingBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if db.Engine() == store.SQLite {
			return // one writer at a time
		}
		w, ctx := newWorld(t, db), t.Context()
		first := w.Clock.Now()
		p := w.settled(t, "1", "11")
		tx, err := db.Writer().BeginTx(ctx, nil)
		testworld.OK(t, err)
		defer func() { _ = tx.Rollback() }() // nothing after a commit
		for _, statement := range []string{
			"INSERT INTO ledger_entries (id, kind, payment_id, line, happened_at) VALUES ('late', 'late', '" + p.ID + "', 0, " + fmt.Sprint(first.UnixMicro()) + ")",
			"INSERT INTO ledger_postings (entry_id, n, account, amount) VALUES ('late', 0, 'a', 7), ('late', 1, 'b', -7)",
		} {
			_, err := tx.ExecContext(ctx, statement)
			testworld.OK(t, err)
		}
		w.Clock.Set(clock.Midnight(first).AddDate(0, 0, 1).Add(time.Hour))
		if err := w.CloseDays(ctx); err == nil || !strings.Contains(err.Error(), "wait for entries under way") {
			t.Errorf("closed while an entry is under way: %v", err)
		}
		if _, err := w.ClosedDay(ctx, first); err == nil {
			t.Error("the day is closed without it")
		}
		testworld.OK(t, tx.Commit())
		d := w.closes(t, first)
		if got := line(t, d, "a"); d.Entries != 3 || got != "0 +7 -0 = 7, 1 entries, now 7; late +7 -0 1" {
			t.Errorf("%d entries, %s", d.Entries, got)
		}
	})
}

// TestALateClockSendsNothing: where the ledger would refuse the outcome, as the day is closed by the clocks of
// others, no register is told, and the payment goes on once the clock is right.
func TestALateClockSendsNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		first := w.Clock.Now()
		p := w.awaiting(t, aigul, "t1", "11")
		w.accept(t, "1", p)
		w.closes(t, first)
		right := w.Clock.Now()
		w.Clock.Set(first.Add(time.Minute))
		if err := w.Settle(ctx, p.ID); err == nil || !strings.Contains(err.Error(), "the clock of this server is late") {
			t.Errorf("by a late clock: %v", err)
		}
		if n := w.Number("SELECT COUNT(*) FROM payment_lines WHERE sent"); n != 0 || w.register.pays != 0 {
			t.Errorf("%d lines marked, the register paid %d times", n, w.register.pays)
		}
		w.Clock.Set(right.Add(time.Hour))
		testworld.OK(t, w.Settle(ctx, p.ID))
		if s := w.state(t, aigul, p).State; s != payment.Settled || w.register.pays != 1 {
			t.Errorf("by the right clock: %s, paid %d times", s, w.register.pays)
		}
		w.whole(t)
	})
}

// TestAStatementThatDiffersIsNotGiven: what was posted to a closed day by force is in no statement of it.
func TestAStatementThatDiffersIsNotGiven(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		first := w.Clock.Now()
		w.settled(t, "1", "11")
		w.closes(t, first)
		testworld.OK(t, db.InTx(ctx, func(tx *store.Tx) error {
			storetest.Lift(t, db, tx.Tx)
			_, err := tx.ExecContext(ctx, "UPDATE ledger_postings SET amount = amount * 2")
			return err
		}))
		_, partner := w.PartnerStatement(ctx, wallet, first)
		_, treasury := w.TreasuryStatement(ctx, first)
		for _, err := range []error{partner, treasury} {
			if err == nil || !strings.Contains(err.Error(), "otherwise than when the day") {
				t.Errorf("given: %v", err)
			}
		}
		_, err := w.PartnerStatement(ctx, wallet, first.AddDate(0, 0, -3))
		testworld.OK(t, err)
	})
}
