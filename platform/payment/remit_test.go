package payment_test

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestAPartnerPaysOver: what a partner paid over is posted once for each document however many officers note it at
// once, is in the statements and the closed day, and can be turned around once; bad input posts nothing.
func TestAPartnerPaysOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		first := w.Clock.Now()
		w.settled(t, "1", "11", "12")
		paid := payment.Remittance{Partner: wallet, Amount: 2000 * money.Som, Reference: "12-3/45"}
		for name, c := range map[string]struct {
			r    payment.Remittance
			want error
		}{
			"nothing":         {payment.Remittance{Partner: wallet, Reference: "1"}, payment.ErrRemittanceSum},
			"less":            {payment.Remittance{Partner: wallet, Amount: -1, Reference: "1"}, payment.ErrRemittanceSum},
			"far too much":    {payment.Remittance{Partner: wallet, Amount: payment.MaxRemittance + 1, Reference: "1"}, payment.ErrRemittanceSum},
			"no document":     {payment.Remittance{Partner: wallet, Amount: 1}, payment.ErrReference},
			"another partner": {payment.Remittance{Partner: wallet + "s", Amount: 1, Reference: "1"}, payment.ErrNoAccount},
		} {
			if _, err := w.RemitFacts(ctx, c.r); !errors.Is(err, c.want) {
				t.Errorf("%s is proposed: %v", name, err)
			}
			if err := w.Remit(ctx, officers, c.r); !errors.Is(err, c.want) {
				t.Errorf("%s is done: %v", name, err)
			}
		}
		if err := w.Remit(ctx, staff.Act{Actor: "staff:b", Facts: "1.00 som of " + wallet + ", document 12-3/45"}, paid); !errors.Is(err, staff.ErrFacts) {
			t.Errorf("agreed on another sum: %v", err)
		}
		agreed, err := w.RemitFacts(ctx, paid)
		testworld.OK(t, err)
		w.once(t, payment.ErrRemitted, func() error { return w.Remit(ctx, staff.Act{Actor: "staff:b", Facts: agreed}, paid) })
		if _, err := w.RemitFacts(ctx, paid); !errors.Is(err, payment.ErrRemitted) {
			t.Errorf("proposed again: %v", err)
		}
		day := w.closes(t, first)
		if got := line(t, day, "partner:"+wallet); got != "0 +300000 -200000 = 100000, 2 entries, now 100000; accept +300000 -0 1; remittance +0 -200000 1" {
			t.Errorf("the partner: %s", got)
		}
		if got := line(t, day, "treasury:bank"); got != "0 +200000 -0 = 200000, 1 entries, now 200000; remittance +200000 -0 1" {
			t.Errorf("the bank: %s", got)
		}
		partner, treasury := w.statements(t, first)
		if !strings.Contains(partner, ",remittance,,,,12-3/45,0,200000\n") || !strings.Contains(treasury, ",remittance,,,,"+wallet+",,12-3/45,200000,0\n") {
			t.Errorf("the statements:\n%s%s", partner, treasury)
		}
		if _, err := w.UndoRemittance(ctx, officers, wallet, "12-3/46"); !errors.Is(err, payment.ErrNoRemittance) {
			t.Errorf("another document: %v", err)
		}
		if _, err := w.UndoRemittance(ctx, officers, wallet, "!"); !errors.Is(err, payment.ErrReference) {
			t.Errorf("no document: %v", err)
		}
		agreed, err = w.UndoRemittanceFacts(ctx, wallet, "12-3/45")
		testworld.OK(t, err)
		if _, err := w.UndoRemittance(ctx, staff.Act{Actor: "staff:b", Facts: agreed + "0"}, wallet, "12-3/45"); !errors.Is(err, staff.ErrFacts) {
			t.Errorf("agreed on another one: %v", err)
		}
		w.once(t, payment.ErrNoRemittance, func() error {
			_, err := w.UndoRemittance(ctx, staff.Act{Actor: "staff:b", Facts: agreed}, wallet, "12-3/45")
			return err
		})
		if err := w.Remit(ctx, officers, paid); !errors.Is(err, payment.ErrRemitted) {
			t.Errorf("the same document once more: %v", err)
		}
		next := w.closes(t, w.Clock.Now())
		if got := line(t, next, "treasury:bank"); got != "200000 +0 -200000 = 0, 1 entries, now 0; remittance_undone +0 -200000 1" {
			t.Errorf("turned around: %s", got)
		}
		w.whole(t)
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "a sum", Statements: []string{"UPDATE ledger_transfers SET amount = 1"}, Named: []string{"ledger transfer", "otherwise than the audit record", day.Day, next.Day}},
			{Name: "one taken away", Statements: []string{"DELETE FROM ledger_transfers WHERE kind = 'remittance_undone'"}, Named: []string{"is gone", next.Day}},
			{Name: "one invented", Statements: []string{"INSERT INTO ledger_transfers (id, kind, partner_id, source, destination, amount, reference, happened_at) VALUES ('x', 'remittance', 'p', 'a', 'b', 1, '1', 1)"},
				Named: []string{"knows nothing of the ledger transfer x", "the ledger entry x is of before"}},
		}, func(tx *sql.Tx) error { _, err := w.Compare(tx, payment.NewCheckDays(w.Audit)); return err })
	})
}

// once has four do the same at once: one succeeds, the others are told so.
func (w *world) once(t *testing.T, otherwise error, do func() error) {
	t.Helper()
	var done atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := do(); err == nil {
				done.Add(1)
			} else if !errors.Is(err, otherwise) {
				t.Errorf("at once: %v", err)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("done %d times", done.Load())
	}
}
