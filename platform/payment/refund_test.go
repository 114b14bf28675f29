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

// TestRefundsGoBack: of a payment of which one bill is paid and another is not, the citizen is
// told in one message; what is due back is listed with whose it is to give, until it is noted,
// once, that the partner gave it back.
func TestRefundsGoBack(t *testing.T) {
	t.Parallel()
	officer := staff.Act{Actor: "staff:bermet"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.Work()
		w.register.refuse["2"] = payment.OutcomePaid
		p := w.awaiting(t, aigul, "t1", "1", "2")
		testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 })
		w.accept(t, "1", p)
		testworld.Eventually(t, "the end", func() bool { return w.state(t, aigul, p).State == payment.RefundDue })
		testworld.Eventually(t, "the citizen is told", func() bool { return len(w.Phones.Texts()) == 2 })
		if told := w.Phones.Texts()[1]; !strings.Contains(told, "3 000 сомдун 1 500 сому төлөндү, 1 500 сому төлөгөн жерден кайтарылат") {
			t.Errorf("told %q", told)
		}
		due, err := w.Refunds(ctx)
		testworld.OK(t, err)
		if len(due) != 1 || due[0].PaymentID != p.ID || due[0].Ref != "2" || due[0].Amount != 1500*money.Som || due[0].TxnID != "1" || due[0].Partner == "" || due[0].Reason != payment.OutcomePaid {
			t.Fatalf("due: %+v", due)
		}
		if waiting, err := w.Waiting(ctx); err != nil || waiting.Refunds != 1 || waiting.RefundsSince.IsZero() {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		owed := w.balance(t, "partner:"+due[0].Partner)
		testworld.OK(t, w.check(t))
		if _, err := w.Returned(ctx, officer, p.ID, ""); !errors.Is(err, payment.ErrReference) {
			t.Errorf("without evidence: %v", err)
		}
		if _, err := w.Returned(ctx, officer, "another", "12-3/45"); !errors.Is(err, payment.ErrNoRefund) {
			t.Errorf("another payment: %v", err)
		}
		var noted atomic.Int64
		var both sync.WaitGroup
		for range 4 {
			both.Go(func() {
				sum, err := w.Returned(ctx, officer, p.ID, "12-3/45")
				switch {
				case err == nil && sum == 1500*money.Som:
					noted.Add(1)
				case !errors.Is(err, payment.ErrNoRefund):
					t.Errorf("noted %s: %v", sum, err)
				}
			})
		}
		both.Wait()
		if noted.Load() != 1 || w.balance(t, "refunds:fine") != 0 || w.balance(t, "partner:"+due[0].Partner) != owed-1500*money.Som {
			t.Errorf("noted %d times; refunds stand at %s, the partner at %s", noted.Load(), w.balance(t, "refunds:fine"), w.balance(t, "partner:"+due[0].Partner))
		}
		if due, err := w.Refunds(ctx); err != nil || len(due) != 0 {
			t.Errorf("still due: %+v, %v", due, err)
		}
		testworld.Eventually(t, "the citizen hears of it", func() bool { return len(w.Phones.Texts()) == 3 })
		if told := w.Phones.Texts()[2]; !strings.Contains(told, "3 000 сомдун 1 500 сому төлөндү, 1 500 сому кайтарылды.") {
			t.Errorf("told %q", told)
		}
		if s := w.state(t, aigul, p); s.State != payment.Refunded || s.Lines[0].State != payment.Settled || s.Lines[1].State != payment.Refunded {
			t.Errorf("given back: %+v", s)
		}
		if txn, err := w.Transaction(ctx, due[0].Partner, "1"); err != nil || txn.State != payment.Refunded || txn.Refund != 1500*money.Som {
			t.Errorf("the partner's: %+v, %v", txn, err)
		}
		testworld.OK(t, w.check(t))
		testworld.OK(t, w.VerifyLedger(ctx))
		storetest.Planted(t, db, []storetest.Plant{{Name: "not given back", Statements: []string{
			"DELETE FROM ledger_postings WHERE entry_id IN (SELECT id FROM ledger_entries WHERE kind = 'returned')", "DELETE FROM ledger_entries WHERE kind = 'returned'",
		}, Named: []string{p.ID, "given back"}}}, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// TestRefundBesideADoubt: what is due back is listed and can be noted as given back while
// another bill of the payment is in doubt; what is told at the end is true of both.
func TestRefundBesideADoubt(t *testing.T) {
	t.Parallel()
	officer := staff.Act{Actor: "staff:bermet"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.Work()
		w.register.refuse["2"], w.register.refuse["3"] = payment.OutcomePaid, payment.OutcomeDoubt
		p := w.awaiting(t, aigul, "t1", "1", "2", "3")
		testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 })
		w.accept(t, "1", p)
		testworld.Eventually(t, "the doubt by SMS", func() bool { return len(w.Phones.Texts()) == 2 })
		due, err := w.Refunds(ctx)
		if err != nil || len(due) != 1 || due[0].Ref != "2" || due[0].Since.IsZero() {
			t.Fatalf("due: %+v, %v", due, err)
		}
		if waiting, err := w.Waiting(ctx); err != nil || waiting.Refunds != 1 || waiting.RefundsSince.IsZero() {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		if sum, err := w.Returned(ctx, officer, p.ID, "12-3/45"); err != nil || sum != 1500*money.Som {
			t.Fatalf("returned %s, %v", sum, err)
		}
		if s := w.state(t, aigul, p); s.State != payment.InDoubt || s.Lines[1].State != payment.Refunded {
			t.Errorf("while in doubt: %+v", s)
		}
		if waiting, err := w.Waiting(ctx); err != nil || waiting.Refunds != 0 {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		testworld.OK(t, w.check(t))
		testworld.OK(t, w.Decide(ctx, officer, p.ID, 2, true, "12-3/46"))
		testworld.Eventually(t, "the end by SMS", func() bool { return len(w.Phones.Texts()) == 3 })
		if told := w.Phones.Texts()[2]; !strings.Contains(told, "4 500 сомдун 3 000 сому төлөндү, 1 500 сому кайтарылды.") {
			t.Errorf("told %q", told)
		}
		if s := w.state(t, aigul, p); s.State != payment.Refunded {
			t.Errorf("decided: %+v", s)
		}
		testworld.OK(t, w.check(t))
		testworld.OK(t, w.VerifyLedger(ctx))
	})
}
