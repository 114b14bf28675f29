package payment_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/webhook"
)

var ownWallet = payment.Partner{ID: wallet, Every: true}

// TestAPaymentIsTakenBack: while its register is away it can be, once; the citizen is told, the
// bill is paid by another code, and the transaction pays nothing more.
func TestAPaymentIsTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		w.register.down = 2
		if err := w.Settle(ctx, p.ID); err == nil {
			t.Fatal("the register was not away")
		}
		for range 2 { // the second changes nothing
			txn, err := w.TakeBack(ctx, ownWallet, "1")
			if err != nil || txn.State != payment.Cancelled || txn.Refund != p.Amount || txn.Code != p.Code {
				t.Fatalf("taken back: %+v, %v", txn, err)
			}
		}
		if s := w.state(t, aigul, p); s.State != payment.Refunded || w.register.pays != 0 {
			t.Errorf("the citizen sees %+v, the register was paid %d times", s, w.register.pays)
		}
		if sum := w.balance(t, "partner:"+wallet) + w.balance(t, "clearing:fine") + w.balance(t, "refunds:fine"); sum != 0 {
			t.Errorf("the accounts stand at %s", sum)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages WHERE dedup LIKE '%:taken_back'"); n != 1 {
			t.Errorf("the citizen was told %d times", n)
		}
		if got := w.pay(t, wallet, "1", p); got != payment.TakenBack {
			t.Errorf("the same pay again: %s", got)
		}
		testworld.OK(t, w.Settle(ctx, p.ID))
		again := w.awaiting(t, aigul, "t2", "1", "2")
		if got := w.pay(t, wallet, "2", again); got != payment.Approved {
			t.Errorf("the bills by another code: %s", got)
		}
		testworld.OK(t, w.Settle(ctx, again.ID))
		_, err := w.TakeBack(ctx, ownWallet, "2")
		mustBe(t, err, "problem.partner_payment_forwarded")
		if w.register.pays != 2 {
			t.Errorf("the register was paid %d times", w.register.pays)
		}
		w.whole(t)
		storetest.Planted(t, db, []storetest.Plant{{Name: "not taken back", Statements: []string{
			of(p.ID, "payment_lines", "reason = 'already_paid'"),
		}, Named: []string{p.ID, "taken back by its partner: false, by the audit log true"}}}, func(tx *sql.Tx) error { _, err := w.look(tx); return err })
	})
}

// TestOthersAreNotTakenBack: another partner's transaction of the same id is its own, what is of a
// service that the partner has not is absent, what was declined stays declined, and an id that
// nobody knows is sealed.
func TestOthersAreNotTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		p := w.awaiting(t, aigul, "t1", "1")
		if txn, err := w.TakeBack(ctx, ownWallet, "9"); err != nil || txn.Decision != payment.TakenBack {
			t.Errorf("an unknown id: %+v, %v", txn, err)
		}
		if got := w.pay(t, wallet, "9", p); got != payment.TakenBack {
			t.Errorf("the payment that came late: %s", got)
		}
		w.accept(t, "1", p)
		if _, err := w.TakeBack(ctx, payment.Partner{ID: "other-bank", Every: true}, "1"); err != nil {
			t.Errorf("another partner's own: %v", err)
		}
		_, err := w.TakeBack(ctx, payment.Partner{ID: wallet, Services: []string{"toll"}}, "1")
		mustBe(t, err, "problem.partner_payment_absent")
		if got := w.pay(t, wallet, "2", p); got != payment.NotPayable {
			t.Errorf("a second payment: %s", got)
		}
		if txn, err := w.TakeBack(ctx, ownWallet, "2"); err != nil || txn.Decision != payment.NotPayable {
			t.Errorf("what was declined: %+v, %v", txn, err)
		}
		if s := w.state(t, aigul, p); s.State != payment.Accepted {
			t.Errorf("the payment is %s", s.State)
		}
		w.whole(t)
	})
}

// TestWhatMayBeSentIsNotTakenBack: at the last moment before the register's call it is taken back
// and nothing is sent; once that call may have left, it is not, also where its answer was lost.
func TestWhatMayBeSentIsNotTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		p := w.awaiting(t, aigul, "t1", "1")
		w.accept(t, "1", p)
		w.register.pause = func() {
			txn, err := w.TakeBack(ctx, ownWallet, "1")
			if err != nil || txn.State != payment.Cancelled {
				t.Errorf("while the try is under way: %+v, %v", txn, err)
			}
		}
		if err := w.Settle(ctx, p.ID); err == nil || w.register.pays != 0 {
			t.Errorf("%d were sent, %v", w.register.pays, err)
		}
		w.register.pause = nil
		lost := w.awaiting(t, bakyt, "t2", "2", "3")
		w.accept(t, "2", lost)
		w.register.lose = 2
		if err := w.Settle(ctx, lost.ID); err == nil {
			t.Fatal("the answer was not lost")
		}
		_, err := w.TakeBack(ctx, ownWallet, "2")
		mustBe(t, err, "problem.partner_payment_forwarded")
		if s := w.state(t, bakyt, lost); s.State != payment.Accepted {
			t.Errorf("it is %s", s.State)
		}
		testworld.OK(t, w.Settle(ctx, lost.ID))
		w.whole(t)
	})
}

// TestCancelAgainstForward: of a settlement and two cancels at once, either the register was paid
// and both cancels are refused, or nothing was sent and both are done.
func TestCancelAgainstForward(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		for i := range 24 {
			id, before := fmt.Sprint(100+i), w.register.pays
			p := w.awaiting(t, aigul, "t"+id, id)
			w.accept(t, id, p)
			var all sync.WaitGroup
			var refused [2]error
			all.Go(func() { _ = w.Settle(ctx, p.ID) }) // overtaken, or done
			for n := range refused {
				all.Go(func() { _, refused[n] = w.TakeBack(ctx, ownWallet, id) })
			}
			all.Wait()
			testworld.OK(t, w.Settle(ctx, p.ID))
			sent := w.register.pays - before
			want := payment.Refunded
			if sent == 1 {
				want = payment.Settled
			}
			if s := w.state(t, aigul, p); s.State != want || sent > 1 {
				t.Errorf("%s: %d were sent, and it is %s", id, sent, s.State)
			}
			for _, err := range refused {
				if (err == nil) != (sent == 0) || err != nil && problem.From(err).Key != "problem.partner_payment_forwarded" {
					t.Errorf("%s: %d were sent, and a cancel says %v", id, sent, err)
				}
			}
		}
		w.whole(t)
	})
}

// TestTheEventOfACancel: the partner reads that it took the payment back, as its last event.
func TestTheEventOfACancel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		q := w.quote(t, wallet, "key-1", "1")
		if got := w.pay(t, wallet, "1", q.Payment); got != payment.Approved {
			t.Fatal(got)
		}
		_, err := w.TakeBack(ctx, ownWallet, "1")
		testworld.OK(t, err)
		events := &webhook.Events{DB: db, Now: w.Clock.Now}
		testworld.OK(t, events.Number(ctx))
		list, _, err := events.After(ctx, wallet, "", 10)
		testworld.OK(t, err)
		var kinds []string
		for _, e := range list {
			kinds = append(kinds, string(e.Kind))
		}
		if got := strings.Join(kinds, " "); got != "payment.created payment.cancelled" || list[1].TxnID != "1" || list[1].Refund != 1500*money.Som {
			t.Errorf("read %s: %+v", got, list)
		}
		w.whole(t)
	})
}
