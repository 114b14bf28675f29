package payment_test

import (
	"context"
	"errors"
	"strings"
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
	"github.com/eshik-kg/eshik/platform/webhook"
)

var officer = staff.Act{Actor: "staff:bermet"}

// settled is a payment that its register has, by the wallet's transaction txn.
func (w *world) settled(t *testing.T, txn string, refs ...string) payment.Payment {
	t.Helper()
	p := w.awaiting(t, aigul, "t"+txn, refs...)
	w.accept(t, txn, p)
	testworld.OK(t, w.Settle(t.Context(), p.ID))
	return p
}

// texts counts the messages about a payment whose names end so.
func (w *world) texts(about string) int {
	return w.Number("SELECT COUNT(*) FROM notify_messages WHERE dedup LIKE $1", "%:"+about)
}

// TestASettledPaymentGoesBack: asked for by its partner, sent back by staff, given back and
// confirmed by the partner; the citizen and the partner hear of each step once, each step is in
// the ledger once, and whoever asks again changes nothing.
func TestASettledPaymentGoesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		p := w.settled(t, "1", "1", "2")
		for range 2 {
			txn, err := w.AskRefund(ctx, ownWallet, "1", payment.ByMistake)
			if err != nil || txn.State != payment.Settled || txn.Request.State != payment.RefundAsked || txn.Request.AskedAt.IsZero() {
				t.Fatalf("asked: %+v, %v", txn, err)
			}
		}
		_, err := w.AskRefund(ctx, ownWallet, "1", payment.PaidTwice)
		mustBe(t, err, "problem.partner_refund_reason")
		_, err = w.GaveBack(ctx, ownWallet, "1", p.Amount)
		mustBe(t, err, "problem.partner_refund_none")
		list, err := w.AskedRefunds(ctx)
		if err != nil || len(list) != 1 || list[0].PaymentID != p.ID || list[0].TxnID != "1" || list[0].Partner != wallet || list[0].Amount != p.Amount {
			t.Fatalf("waits: %+v, %v", list, err)
		}
		if waiting, err := w.Waiting(ctx); err != nil || waiting.Asked != 1 || waiting.AskedSince.IsZero() || waiting.Refunds != 0 {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		testworld.OK(t, w.check(t))
		w.Pass(time.Hour)
		sum, err := w.Reverse(ctx, officer, p.ID, "12-3/45")
		if err != nil || sum != p.Amount || w.balance(t, "treasury:fine") != 0 || w.balance(t, "refunds:fine") != -p.Amount {
			t.Fatalf("sent back %s, %v: the treasury has %s, the refunds %s", sum, err, w.balance(t, "treasury:fine"), w.balance(t, "refunds:fine"))
		}
		if _, err := w.Reverse(ctx, officer, p.ID, "12-3/45"); !errors.Is(err, payment.ErrNoRequest) {
			t.Errorf("sent back twice: %v", err)
		}
		if txn, err := w.AskRefund(ctx, ownWallet, "1", payment.ByMistake); err != nil || txn.Request.State != payment.RefundApproved || txn.State != payment.RefundDue || txn.Refund != p.Amount {
			t.Errorf("asked again: %+v, %v", txn, err)
		}
		due, err := w.Refunds(ctx)
		if err != nil || len(due) != 2 || due[0].Reason != payment.OutcomeReversed || due[0].Overdue || !due[0].Since.Equal(w.Clock.Now()) {
			t.Errorf("due: %+v, %v", due, err)
		}
		w.Pass(payment.RefundWithin + time.Minute)
		if due, err = w.Refunds(ctx); err != nil || !due[0].Overdue {
			t.Errorf("not overdue: %+v, %v", due, err)
		}
		_, err = w.GaveBack(ctx, ownWallet, "1", p.Amount-1)
		mustBe(t, err, "problem.partner_refund_amount")
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if txn, err := w.GaveBack(context.Background(), ownWallet, "1", p.Amount); err != nil || txn.State != payment.Refunded {
					t.Errorf("given back: %+v, %v", txn, err)
				}
			})
		}
		all.Wait()
		if _, err := w.Returned(ctx, officer, p.ID, "12-3/46"); !errors.Is(err, payment.ErrNoRefund) {
			t.Errorf("noted by staff, too: %v", err)
		}
		if sum := w.balance(t, "partner:"+wallet) + w.balance(t, "refunds:fine") + w.balance(t, "treasury:fine"); sum != 0 {
			t.Errorf("the accounts stand at %s", sum)
		}
		for about, want := range map[string]int{"payment.refund_asked": 1, "reversed": 1, "returned": 1, "payment.refund_refused": 0, "refund": 0} {
			if got := w.texts(about); got != want {
				t.Errorf("%d messages of %s, not %d", got, about, want)
			}
		}
		if got := w.kinds(t); got != "payment.settled payment.refund_due payment.refunded" {
			t.Errorf("the partner reads %s", got)
		}
		w.whole(t)
	})
}

// kinds are those of the wallet's events, in order.
func (w *world) kinds(t *testing.T) string {
	t.Helper()
	events := &webhook.Events{DB: w.World.DB, Now: w.Clock.Now}
	testworld.OK(t, events.Number(t.Context()))
	list, _, err := events.After(t.Context(), wallet, "", 100)
	testworld.OK(t, err)
	kinds := make([]string, len(list))
	for i, e := range list {
		kinds[i] = string(e.Kind)
	}
	return strings.Join(kinds, " ")
}

// TestARefusedRefundStands: the partner sees why, the citizen is told, nothing moves; it can be
// sent back all the same when its proof came.
func TestARefusedRefundStands(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		p := w.settled(t, "1", "1")
		if err := w.RefuseRefund(ctx, officer, p.ID, payment.NotProven); !errors.Is(err, payment.ErrNoRequest) {
			t.Errorf("what nobody asked for is refused: %v", err)
		}
		if _, err := w.Reverse(ctx, officer, p.ID, "12-3/45"); !errors.Is(err, payment.ErrNoRequest) {
			t.Errorf("what nobody asked for is sent back: %v", err)
		}
		_, err := w.AskRefund(ctx, ownWallet, "1", payment.NotPayer)
		testworld.OK(t, err)
		before, err := w.ReverseFacts(ctx, p.ID, "12-3/45")
		testworld.OK(t, err)
		testworld.OK(t, w.RefuseRefund(ctx, officer, p.ID, payment.NotProven))
		txn, err := w.Transaction(ctx, wallet, "1")
		if err != nil || txn.State != payment.Settled || txn.Request.State != payment.RefundRefused || txn.Request.Refusal != payment.NotProven || txn.Request.DecidedAt.IsZero() {
			t.Errorf("refused: %+v, %v", txn, err)
		}
		if err := w.RefuseRefund(ctx, officer, p.ID, payment.NotProven); !errors.Is(err, payment.ErrNoRequest) {
			t.Errorf("refused twice: %v", err)
		}
		if after, err := w.ReverseFacts(ctx, p.ID, "12-3/45"); err != nil || after == before {
			t.Errorf("what an approval rests on is as before: %q, %v", after, err)
		}
		if w.texts("payment.refund_refused") != 1 || w.balance(t, "treasury:fine") != -1500*money.Som {
			t.Errorf("%d told, the treasury has %s", w.texts("payment.refund_refused"), w.balance(t, "treasury:fine"))
		}
		if got := w.kinds(t); got != "payment.settled payment.refund_refused" {
			t.Errorf("the partner reads %s", got)
		}
		w.whole(t)
		_, err = w.Reverse(ctx, officer, p.ID, "12-3/45")
		testworld.OK(t, err)
		w.whole(t)
	})
}

// TestWhatCannotGoBack: another partner's, what is not settled, what was declined, what is of a
// service that the partner has not.
func TestWhatCannotGoBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.settled(t, "1", "1")
		open := w.awaiting(t, bakyt, "t2", "2")
		w.accept(t, "2", open)
		for _, c := range []struct {
			who  payment.Partner
			txn  string
			want string
		}{
			{payment.Partner{ID: "other-bank", Every: true}, "1", "problem.partner_payment_absent"},
			{payment.Partner{ID: wallet, Services: []string{"toll"}}, "1", "problem.partner_payment_absent"},
			{ownWallet, "9", "problem.partner_payment_absent"},
			{ownWallet, "2", "problem.partner_refund_state"},
		} {
			_, err := w.AskRefund(ctx, c.who, c.txn, payment.ByMistake)
			mustBe(t, err, c.want)
		}
		_, err := w.GaveBack(ctx, payment.Partner{ID: "other-bank", Every: true}, "1", 1)
		mustBe(t, err, "problem.partner_payment_absent")
		if n := w.Number("SELECT COUNT(*) FROM payment_refund_requests"); n != 0 {
			t.Errorf("%d requests are kept", n)
		}
		w.whole(t)
	})
}

// TestARefusalIsNotOverruledUnseen: who approves while another officer refuses has seen a request
// that was open, and the partner and the citizen heard of the refusal.
func TestARefusalIsNotOverruledUnseen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.settled(t, "1", "1")
		_, err := w.AskRefund(ctx, ownWallet, "1", payment.ByMistake)
		testworld.OK(t, err)
		seen := officer
		seen.Facts, err = w.ReverseFacts(ctx, p.ID, "12-3/45")
		testworld.OK(t, err)
		testworld.OK(t, w.RefuseRefund(ctx, officer, p.ID, payment.RegisterKeeps))
		if _, err := w.Reverse(ctx, seen, p.ID, "12-3/45"); !errors.Is(err, staff.ErrFacts) {
			t.Errorf("a refusal that nobody saw is overruled: %v", err)
		}
		seen.Facts, err = w.ReverseFacts(ctx, p.ID, "12-3/45")
		testworld.OK(t, err)
		_, err = w.Reverse(ctx, seen, p.ID, "12-3/45")
		testworld.OK(t, err)
		w.whole(t)
	})
}

// TestDecidedAtOnce: of several who send back and refuse one request at the same moment, one does.
func TestDecidedAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.settled(t, "1", "1")
		_, err := w.AskRefund(ctx, ownWallet, "1", payment.ByMistake)
		testworld.OK(t, err)
		var all sync.WaitGroup
		var sent atomic.Int64
		for n := range 8 {
			all.Go(func() {
				var err error
				if n%2 == 0 {
					if _, err = w.Reverse(ctx, officer, p.ID, "12-3/45"); err == nil {
						sent.Add(1)
					}
				} else {
					err = w.RefuseRefund(ctx, officer, p.ID, payment.RegisterKeeps)
				}
				if err != nil && problem.From(err).Key != payment.ErrNoRequest.Key {
					t.Errorf("decided: %v", err)
				}
			})
		}
		all.Wait()
		if n := w.Number("SELECT COUNT(*) FROM ledger_entries WHERE kind = 'reverse'"); n != 1 || sent.Load() != 1 {
			t.Errorf("%d entries, sent back %d times", n, sent.Load())
		}
		w.whole(t)
	})
}
