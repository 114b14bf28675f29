package payment_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// check compares the payments with the audit log.
func (w *world) check(t testing.TB) error {
	t.Helper()
	c := payment.NewCheck(w.Audit)
	return w.DB.Snapshot(context.Background(), func(tx *sql.Tx) error {
		if _, err := w.Audit.Replay(context.Background(), tx, c.See); err != nil {
			return err
		}
		return c.Run(context.Background(), tx, func(int) {})
	})
}

// M5 h: a doubt, and how a person ended it, are what the audit log says.
func TestM5DoubtsAreTheLogs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.refuse["2"] = payment.OutcomeDoubt
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		testworld.OK(t, w.Settle(ctx, p.ID))
		testworld.OK(t, w.check(t))
		testworld.OK(t, w.Decide(ctx, staff.Act{Actor: "staff:b"}, p.ID, 1, true, "1"))
		testworld.OK(t, w.check(t))
		storetest.Lift(t, db, db.Writer())
		for _, statement := range []string{
			"DELETE FROM ledger_postings WHERE entry_id IN (SELECT id FROM ledger_entries WHERE kind = 'doubt')",
			"DELETE FROM ledger_entries WHERE kind = 'doubt'",
			"UPDATE ledger_postings SET account = 'clearing:fine' WHERE account = 'suspense:fine'",
			"UPDATE ledger_entries SET kind = 'settle' WHERE kind = 'doubt_settle'",
			"UPDATE payment_lines SET doubted_at = NULL",
		} {
			_, err := db.Writer().Exec(statement)
			testworld.OK(t, err)
		}
		testworld.OK(t, w.VerifyLedger(ctx)) // every sum fits
		if err := w.check(t); err == nil || !strings.Contains(err.Error(), "no line of the payment "+p.ID+" was in doubt") {
			t.Errorf("the check says %v", err)
		}
	})
}
