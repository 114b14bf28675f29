package payment_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func TestPaidEndToEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		w.register.price["2"] = 1000 * money.Som
		p := w.awaiting(t, aigul, "t1", "1", "2")
		if p.State != payment.Awaiting || p.Amount != 2500*money.Som || !payment.ValidCode(p.Code) {
			t.Fatalf("confirmed: %+v", p)
		}
		check, err := w.Check(context.Background(), payment.Partner{ID: wallet, Every: true}, p.Code, 0)
		testworld.OK(t, err)
		if check.Decision != payment.Approved || check.Due != p.Amount || check.Service != "fine" {
			t.Errorf("check: %+v", check)
		}
		testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 }) // or the receipt replaces it
		if a := w.accept(t, "1", p); a.Decision != payment.Approved || a.Reference == "" {
			t.Errorf("accept: %+v", a)
		}
		testworld.Eventually(t, "settled", func() bool { return w.state(t, aigul, p).State == payment.Settled })
		testworld.Eventually(t, "code and receipt by SMS", func() bool { return len(w.Phones.Texts()) == 2 })
		all := strings.Join(w.Phones.Texts(), "\n")
		if !strings.Contains(all, p.Code) || !strings.Contains(all, "Төлөндү: 2 500 сом") || !strings.Contains(all, aigul) {
			t.Errorf("SMS: %s", all)
		}
		testworld.OK(t, w.VerifyLedger(context.Background()))
		if again, err := w.Check(context.Background(), payment.Partner{ID: wallet, Every: true}, p.Code, p.Amount); err != nil || again.Decision != payment.NotPayable {
			t.Errorf("check of a paid code: %+v, %v", again, err)
		}
	})
}

func TestOpenAndConfirmAreIdempotent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.price["1"] = 5000
		first, err := w.Open(ctx, w.Caller(aigul, "t1"), "fine", []string{"1"})
		testworld.OK(t, err)
		again, err := w.Open(ctx, w.Caller(aigul, "t1"), "fine", []string{"1"})
		testworld.OK(t, err)
		later, err := w.Open(ctx, w.Caller(aigul, "t2"), "fine", []string{"1"})
		testworld.OK(t, err)
		w.register.price["2"] = 6000
		other, err := w.Open(ctx, w.Caller(aigul, "t2"), "fine", []string{"2"})
		testworld.OK(t, err)
		if first.ID != again.ID || first.ID != later.ID || first.ID == other.ID {
			t.Errorf("ids: %s, again %s, another turn %s, another bill %s", first.ID, again.ID, later.ID, other.ID)
		}
		if first.Code != "" {
			t.Error("the code is told before the payment is confirmed")
		}
		one, err := w.Confirm(ctx, w.Caller(aigul, "t3"), first.ID)
		testworld.OK(t, err)
		two, err := w.Confirm(ctx, w.Caller(aigul, "t4"), first.ID)
		testworld.OK(t, err)
		if one.Code == "" || one.Code != two.Code || !one.ExpiresAt.Equal(two.ExpiresAt) {
			t.Errorf("confirmed twice: %+v, %+v", one, two)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages"); n != 1 {
			t.Errorf("%d messages with the code", n)
		}
		if _, err := w.Confirm(ctx, w.Caller(bakyt, "t5"), other.ID); problem.From(err).Key != "problem.payment_absent" {
			t.Errorf("another's payment: %v", err)
		}
		w.Pass(payment.QuoteLife)
		if _, err := w.Confirm(ctx, w.Caller(aigul, "t6"), other.ID); problem.From(err).Key != "problem.payment_expired" {
			t.Errorf("a lapsed quote: %v", err)
		}
	})
}

func TestSixtyFourAcceptsOfOneTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		p := w.awaiting(t, aigul, "t1", "1")
		answers := make([]payment.Answer, 64)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				a, err := w.Accept(context.Background(), payment.Partner{ID: wallet, Every: true}, "0007", p.Code, p.Amount, testworld.Start)
				if err != nil {
					t.Errorf("accept: %v", err)
				}
				answers[i] = a
			})
		}
		wg.Wait()
		for _, a := range answers {
			if a != answers[0] || a.Decision != payment.Approved {
				t.Fatalf("answers differ: %+v and %+v", a, answers[0])
			}
		}
		if n := w.Number("SELECT COUNT(*) FROM ledger_entries"); n != 1 {
			t.Errorf("%d effects", n)
		}
		for _, other := range []struct {
			account string
			sum     money.Amount
		}{{p.Code, p.Amount + 1}, {"1", p.Amount}} {
			a, err := w.Accept(context.Background(), payment.Partner{ID: wallet, Every: true}, "0007", other.account, other.sum, testworld.Start)
			if err != nil || a.Decision != payment.Reused {
				t.Errorf("the same txn_id with other data: %+v, %v", a, err)
			}
		}
		// 7 is not 0007: a txn_id is text.
		if a := w.accept(t, "7", p); a.Decision != payment.NotPayable {
			t.Errorf("a second transaction: %+v", a)
		}
		testworld.OK(t, w.VerifyLedger(context.Background()))
	})
}

func TestOneCodePaidByManyTransactions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for round := range 8 {
			tag := strconv.Itoa(round)
			p := w.awaiting(t, aigul, "t"+tag, "bill"+tag)
			var taken atomic.Int64
			var wg sync.WaitGroup
			for i := range 16 {
				wg.Go(func() {
					a, err := w.Accept(context.Background(), payment.Partner{ID: wallet, Every: true}, tag+strconv.Itoa(i+10), p.Code, p.Amount, testworld.Start)
					if err != nil || a.Decision != payment.Approved && a.Decision != payment.NotPayable {
						t.Errorf("accept: %+v, %v", a, err)
					}
					if a.Decision == payment.Approved {
						taken.Add(1)
					}
				})
			}
			wg.Wait()
			if taken.Load() != 1 || w.Number("SELECT COUNT(*) FROM payment_claims") != round+1 {
				t.Fatalf("taken %d times", taken.Load())
			}
		}
		testworld.OK(t, w.VerifyLedger(context.Background()))
	})
}

func TestTwoCodesForOneBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for round := range 8 {
			tag := strconv.Itoa(round)
			shared := "shared" + tag
			one := w.awaiting(t, aigul, "a"+tag, "only1-"+tag, shared)
			two := w.awaiting(t, bakyt, "b"+tag, shared, "only2-"+tag)
			var got [2]payment.Answer
			var wg sync.WaitGroup
			wg.Go(func() { got[0] = w.accept(t, "1"+tag, one) })
			wg.Go(func() { got[1] = w.accept(t, "2"+tag, two) })
			wg.Wait()
			decided := []payment.Decision{got[0].Decision, got[1].Decision}
			if slices.Sort(decided); !slices.Equal(decided, []payment.Decision{payment.Approved, payment.NotPayable}) {
				t.Fatalf("one must be taken and one refused: %+v", got)
			}
			loser, phone, free := two, bakyt, "only2-"+tag
			if got[1].Decision == payment.Approved {
				loser, phone, free = one, aigul, "only1-"+tag
			}
			if s := w.state(t, phone, loser).State; s != payment.Refused {
				t.Errorf("the refused payment is %s", s)
			}
			if taken, err := w.Claimed(context.Background(), "fine", free); err != nil || taken {
				t.Errorf("the refused payment keeps a claim: %v, %v", taken, err)
			}
		}
		testworld.OK(t, w.VerifyLedger(context.Background()))
	})
}
