package payment_test

import (
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestAPartnerDidNotGiveBack: a partner says that it gave money back, the citizen that none came, and two
// officers find so, once however many of them at once: the partner owes it again, the entry that said
// otherwise stays, and the citizen is told. The partner's word alone is not taken a second time; officers
// note that it came then, and nothing turns that around.
func TestAPartnerDidNotGiveBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.register.refuse["1"], w.register.refuse["2"] = payment.OutcomePaid, payment.OutcomePaid
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		testworld.OK(t, w.Settle(ctx, p.ID))
		back := p.Amount
		if _, err := w.NotReturned(ctx, officers, p.ID, "12-3/45"); !errors.Is(err, payment.ErrNotReturned) {
			t.Errorf("nothing was given back: %v", err)
		}
		gave := func() error { _, err := w.GaveBack(ctx, ownWallet, "1", back); return err }
		testworld.OK(t, gave())
		w.stands(t, p, payment.Refunded, 0)
		if _, err := w.NotReturned(ctx, officers, p.ID, ""); !errors.Is(err, payment.ErrReference) {
			t.Errorf("without evidence: %v", err)
		}
		if _, err := w.NotReturned(ctx, staff.Act{Actor: "officer", Facts: "1500.00 som of bill 0, by " + wallet}, p.ID, "12-3/45"); !errors.Is(err, staff.ErrFacts) {
			t.Errorf("agreed on one of two bills: %v", err)
		}
		var found atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				sum, err := w.NotReturned(ctx, officers, p.ID, "12-3/45")
				if err == nil && sum == back {
					found.Add(1)
				} else if !errors.Is(err, payment.ErrNotReturned) {
					t.Errorf("found %s: %v", sum, err)
				}
			})
		}
		all.Wait()
		if found.Load() != 1 {
			t.Errorf("found %d times", found.Load())
		}
		w.stands(t, p, payment.RefundDue, back)
		if due, err := w.Refunds(ctx); err != nil || len(due) != 2 {
			t.Errorf("due: %+v, %v", due, err)
		}
		if err := gave(); problem.From(err).Key != "problem.partner_refund_disputed" {
			t.Errorf("the partner says it again: %v", err)
		}
		if sum, err := w.Returned(ctx, officers, p.ID, "12-3/46"); err != nil || sum != back {
			t.Errorf("it came: %s, %v", sum, err)
		}
		w.stands(t, p, payment.Refunded, 0)
		testworld.OK(t, gave())
		for _, late := range []func() error{
			func() error { _, err := w.NotReturned(ctx, officers, p.ID, "12-3/47"); return err },
			func() error { _, err := w.Returned(ctx, officers, p.ID, "12-3/47"); return err },
		} {
			if err := late(); !problem.Is(err, problem.NotFound) {
				t.Errorf("once more: %v", err)
			}
		}
		w.stands(t, p, payment.Refunded, 0)
		if got := w.kinds(t); got != "payment.refund_due payment.refunded payment.refund_due payment.refunded" {
			t.Errorf("the partner reads %s", got)
		}
		for _, about := range []string{"refund", "returned", "not_returned_4", "returned_again_6"} {
			if n := w.texts(about); n != 1 {
				t.Errorf("%d messages of %s", n, about)
			}
		}
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "the finding", Statements: []string{
				"DELETE FROM ledger_postings WHERE entry_id IN (SELECT id FROM ledger_entries WHERE kind = 'not_returned')", "DELETE FROM ledger_entries WHERE kind = 'not_returned'",
			}, Named: []string{p.ID, "not given back"}},
			{Name: "that it came then", Statements: []string{
				"DELETE FROM ledger_postings WHERE entry_id IN (SELECT id FROM ledger_entries WHERE kind = 'returned_again')", "DELETE FROM ledger_entries WHERE kind = 'returned_again'",
			}, Named: []string{p.ID}},
		}, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// TestCorrectedInParts: of a payment whose bills went back one after the other, each is corrected by itself: the
// citizen hears of each correction and of each end, and a partner has its days from the correction on.
func TestCorrectedInParts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.register.refuse["1"], w.register.refuse["2"] = payment.OutcomePaid, payment.OutcomeDoubt
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		testworld.OK(t, w.Settle(ctx, p.ID))
		for n, bill := range []string{"the first", "the second"} {
			if n == 1 {
				testworld.OK(t, w.Decide(ctx, officers, p.ID, 1, false, "12-3/40"))
			}
			_, err := w.Returned(ctx, officers, p.ID, "12-3/41")
			testworld.OK(t, err)
			w.Pass(2 * payment.RefundWithin)
			sum, err := w.NotReturned(ctx, officers, p.ID, "12-3/42")
			if err != nil || sum != 1500*money.Som {
				t.Fatalf("%s did not come: %s, %v", bill, sum, err)
			}
			if told := w.texts("not_returned%"); told != n+1 {
				t.Errorf("%s: told %d times that it did not come", bill, told)
			}
			due, err := w.Refunds(ctx)
			if err != nil || len(due) != 1 || due[0].Overdue || !due[0].Since.Equal(w.Clock.Now()) {
				t.Errorf("%s is due: %+v, %v", bill, due, err)
			}
			if waits, err := w.Waiting(ctx); err != nil || !waits.RefundsSince.Equal(w.Clock.Now()) {
				t.Errorf("%s waits since %s: %v", bill, waits.RefundsSince, err)
			}
			w.Pass(payment.RefundWithin + time.Second)
			if due, err := w.Refunds(ctx); err != nil || len(due) != 1 || !due[0].Overdue {
				t.Errorf("%s is late: %+v, %v", bill, due, err)
			}
		}
		_, err := w.Returned(ctx, officers, p.ID, "12-3/43")
		testworld.OK(t, err)
		if told := w.texts("returned%"); told != 2 {
			t.Errorf("told %d times that it came", told)
		}
		w.stands(t, p, payment.Refunded, 0)
	})
}

// TestAgreedOnIsDone: what two officers agreed on of a refund is what is noted, and nothing else that is due meanwhile.
func TestAgreedOnIsDone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.register.refuse["1"], w.register.refuse["2"] = payment.OutcomePaid, payment.OutcomeDoubt
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		testworld.OK(t, w.Settle(ctx, p.ID))
		agreed, err := w.RefundFacts(ctx, p.ID, "12-3/41")
		testworld.OK(t, err)
		testworld.OK(t, w.Decide(ctx, officers, p.ID, 1, false, "12-3/40"))
		if _, err := w.Returned(ctx, staff.Act{Actor: "staff:bermet", Facts: agreed}, p.ID, "12-3/41"); !errors.Is(err, staff.ErrFacts) {
			t.Errorf("agreed on one of two bills: %v", err)
		}
		w.stands(t, p, payment.RefundDue, p.Amount)
		agreed, err = w.RefundFacts(ctx, p.ID, "12-3/41")
		testworld.OK(t, err)
		if sum, err := w.Returned(ctx, staff.Act{Actor: "staff:bermet", Facts: agreed}, p.ID, "12-3/41"); err != nil || sum != p.Amount {
			t.Errorf("agreed on both: %s, %v", sum, err)
		}
	})
}

// TestWhatWasTakenBackIsNoRefund: what a partner took back before anything was sent was never ours.
func TestWhatWasTakenBackIsNoRefund(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		p := w.awaiting(t, aigul, "t1", "1")
		w.accept(t, "1", p)
		if _, err := w.TakeBack(t.Context(), ownWallet, "1"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.NotReturned(t.Context(), officers, p.ID, "12-3/45"); !errors.Is(err, payment.ErrNotReturned) {
			t.Errorf("%v", err)
		}
		w.whole(t)
	})
}

// stands fails where a payment stands otherwise, another sum is due back of it, or the ledger is not whole.
func (w *world) stands(t *testing.T, p payment.Payment, state payment.State, due money.Amount) {
	t.Helper()
	if got := w.state(t, aigul, p).State; got != state {
		t.Errorf("it is %s, not %s", got, state)
	}
	if got := -w.balance(t, "refunds:fine"); got != due {
		t.Errorf("%s is owed to citizens, not %s", got, due)
	}
	if got := w.balance(t, "partner:"+wallet); got != due {
		t.Errorf("the partner owes %s, not %s", got, due)
	}
	w.whole(t)
}

// TestOnlyWhatIsDisputedNeedsOfficers: a bill that officers saw come back after all keeps the partner from telling of
// another one of the payment no more.
func TestOnlyWhatIsDisputedNeedsOfficers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.register.refuse["1"], w.register.refuse["2"] = payment.OutcomePaid, payment.OutcomeDoubt
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		testworld.OK(t, w.Settle(ctx, p.ID))
		_, err := w.Returned(ctx, officers, p.ID, "12-3/45")
		testworld.OK(t, err)
		_, err = w.NotReturned(ctx, officers, p.ID, "12-3/46")
		testworld.OK(t, err)
		_, err = w.Returned(ctx, officers, p.ID, "12-3/47")
		testworld.OK(t, err)
		testworld.OK(t, w.Decide(ctx, officers, p.ID, 1, false, "12-3/40"))
		_, err = w.GaveBack(ctx, ownWallet, "1", p.Amount)
		testworld.OK(t, err)
		w.stands(t, p, payment.Refunded, 0)
	})
}
