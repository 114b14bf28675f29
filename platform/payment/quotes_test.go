package payment_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func (w *world) user(partner, name, key string) payment.User {
	return payment.User{Partner: payment.Partner{ID: partner, Every: true}, Name: name, Locale: locales.RU, Now: w.Clock.Now(), Key: key}
}

// quote has a bill of 1 500 som quoted.
func (w *world) quote(t testing.TB, partner, key string, refs ...string) payment.PartnerQuote {
	t.Helper()
	for _, ref := range refs {
		w.register.price[ref] = 1500 * money.Som
	}
	q, err := w.Quote(context.Background(), w.user(partner, "u", key), "fine", refs)
	testworld.OK(t, err)
	return q
}

func (w *world) pay(t testing.TB, partner, txn string, p payment.Payment) payment.Decision {
	t.Helper()
	a, err := w.Accept(context.Background(), payment.Partner{ID: partner, Every: true}, txn, p.Code, p.Amount, w.Clock.Now())
	testworld.OK(t, err)
	return a.Decision
}

func mustBe(t testing.TB, err error, key string) {
	t.Helper()
	if err == nil || problem.From(err).Key != key {
		t.Errorf("%v, want %s", err, key)
	}
}

// TestAQuoteIsPaid: a partner's user pays without dialling, and nobody is sent anything.
func TestAQuoteIsPaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		q := w.quote(t, wallet, "key-1", "1", "2")
		if q.Amount != 3000*money.Som || q.State != payment.Awaiting || !q.ExpiresAt.Equal(w.Clock.Now().Add(payment.QuoteLife)) || q.Replayed {
			t.Fatalf("quoted %+v", q)
		}
		if got := w.pay(t, "other-bank", "1", q.Payment); got != payment.UnknownCode {
			t.Errorf("another partner's: %s", got)
		}
		if _, err := w.QuoteByCode(ctx, "other-bank", q.Code); problem.From(err).Code != problem.NotFound {
			t.Errorf("another partner sees it: %v", err)
		}
		if got := w.pay(t, wallet, "1", q.Payment); got != payment.Approved {
			t.Fatalf("paid: %s", got)
		}
		testworld.OK(t, w.Settle(ctx, q.ID))
		now, err := w.QuoteByCode(ctx, wallet, q.Code)
		testworld.OK(t, err)
		if now.State != payment.Settled || now.TxnID != "1" {
			t.Errorf("after it was paid: %+v", now)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages"); n != 0 {
			t.Errorf("somebody was told by %d messages", n)
		}
		_, err = w.CancelQuote(ctx, wallet, q.Code, w.Clock.Now())
		mustBe(t, err, "problem.partner_quote_paid")
		w.whole(t)
	})
}

// whole compares the ledger with the payments and the log.
func (w *world) whole(t testing.TB) {
	t.Helper()
	testworld.OK(t, w.VerifyLedger(context.Background()))
	testworld.OK(t, w.check(t))
}

// TestOneKeyIsOneQuote: 16 equal requests at once are one quote, another body under its key is refused,
// and another partner's keys are its own.
func TestOneKeyIsOneQuote(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.price["1"], w.register.price["2"] = 10*money.Som, 20*money.Som
		var all sync.WaitGroup
		codes, made := map[string]int{}, 0
		var mu sync.Mutex
		for range 16 {
			all.Go(func() {
				q, err := w.Quote(ctx, w.user(wallet, "u", "same"), "fine", []string{"1"})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				codes[q.Code]++
				if !q.Replayed {
					made++
				}
			})
		}
		all.Wait()
		if len(codes) != 1 || made != 1 {
			t.Errorf("codes %v, made %d times", codes, made)
		}
		_, err := w.Quote(ctx, w.user(wallet, "u", "same"), "fine", []string{"2"})
		mustBe(t, err, "problem.partner_key_reused")
		_, err = w.Quote(ctx, w.user(wallet, "somebody else", "same"), "fine", []string{"1"})
		mustBe(t, err, "problem.partner_key_reused")
		other := w.quote(t, "other-bank", "same", "1")
		if codes[other.Code] != 0 || other.Replayed {
			t.Errorf("another partner got %+v", other)
		}
		w.register.paid["1"] = payment.Settlement{}
		if q, err := w.Quote(ctx, w.user(wallet, "u", "same"), "fine", []string{"1"}); err != nil || codes[q.Code] == 0 || !q.Replayed {
			t.Errorf("the same request once it is paid elsewhere: %+v, %v", q, err)
		}
		_, err = w.Quote(ctx, w.user(wallet, "u", "later"), "fine", []string{"1"})
		mustBe(t, err, "problem.fine_paid")
	})
}

// TestAQuoteIsTakenBack: it is paid by nobody afterwards, nor once it has lapsed.
func TestAQuoteIsTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		q := w.quote(t, wallet, "key-1", "1")
		_, err := w.CancelQuote(ctx, "other-bank", q.Code, w.Clock.Now())
		mustBe(t, err, "problem.partner_quote_absent")
		for range 2 {
			got, err := w.CancelQuote(ctx, wallet, q.Code, w.Clock.Now())
			if err != nil || got.State != payment.Cancelled {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		if got := w.pay(t, wallet, "1", q.Payment); got != payment.NotPayable {
			t.Errorf("a quote taken back: %s", got)
		}
		late := w.quote(t, wallet, "key-2", "2")
		w.Pass(payment.QuoteLife)
		if got := w.pay(t, wallet, "2", late.Payment); got != payment.NotPayable {
			t.Errorf("a lapsed quote: %s", got)
		}
		citizens := w.awaiting(t, aigul, "t", "3")
		_, err = w.CancelQuote(ctx, wallet, citizens.Code, w.Clock.Now())
		mustBe(t, err, "problem.partner_quote_absent")
		_, err = w.CancelQuote(ctx, "", citizens.Code, w.Clock.Now())
		mustBe(t, err, "problem.partner_quote_absent")
		list, err := w.Quotes(ctx, wallet, "", 1)
		if err != nil || len(list) != 1 || list[0].Code != late.Code {
			t.Fatalf("the newest: %+v, %v", list, err)
		}
		list, err = w.Quotes(ctx, wallet, list[0].ID, 10)
		if err != nil || len(list) != 1 || list[0].Code != q.Code {
			t.Errorf("the next page: %+v, %v", list, err)
		}
		w.whole(t)
	})
}

// TestABillIsSettledOnceOverAllDoors: two partners' quotes and citizens' codes of the same bills are paid
// at once; each bill is settled once and every tyiyn is accounted for.
func TestABillIsSettledOnceOverAllDoors(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		const bills = 5
		type door struct {
			partner, txn string
			p            payment.Payment
		}
		var doors []door
		for i := range bills {
			ref := fmt.Sprint(i + 1)
			for n, partner := range []string{wallet, "other-bank"} {
				doors = append(doors, door{partner, fmt.Sprintf("1%d%d", i, n), w.quote(t, partner, "key-"+ref, ref).Payment})
				doors = append(doors, door{partner, fmt.Sprintf("2%d%d", i, n), w.awaiting(t, fmt.Sprintf("+9965550001%d%d", i, n), ref, ref)})
			}
		}
		all := w.quote(t, wallet, "key-all", "1", "2", "3", "4", "5")
		doors = append(doors, door{wallet, "300", all.Payment})
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := map[string]money.Amount{}
		for _, d := range doors {
			wg.Go(func() {
				a, err := w.Accept(ctx, payment.Partner{ID: d.partner, Every: true}, d.txn, d.p.Code, d.p.Amount, w.Clock.Now())
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				if a.Decision == payment.Approved {
					for _, l := range d.p.Lines {
						taken[l.Ref] += l.Amount
					}
				}
				if err == nil && a.Decision != payment.Approved && a.Decision != payment.NotPayable {
					t.Errorf("%+v: %s", d, a.Decision)
				}
			})
		}
		wg.Wait()
		if len(taken) != bills {
			t.Fatalf("taken %v", taken)
		}
		for ref, sum := range taken {
			if sum != 1500*money.Som {
				t.Errorf("for the bill %s %s was taken", ref, sum)
			}
		}
		w.Pass(time.Minute)
		testworld.OK(t, w.Sweep(ctx))
		if w.register.pays != bills {
			t.Errorf("the register was paid %d times", w.register.pays)
		}
		w.whole(t)
	})
}

// TestWhatACheckRefusesIsNotPaid: where the register changed the price, or does not want the bill, the
// check closes the code, and the payment right after it is refused as well.
func TestWhatACheckRefusesIsNotPaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		asks := payment.Partner{ID: wallet, Every: true}
		for ref, change := range map[string]func(){
			"1": func() { w.register.price["1"] = 2000 * money.Som },
			"2": func() { delete(w.register.price, "2") },
			"3": func() { w.register.paid["3"] = payment.Settlement{} },
		} {
			p := w.awaiting(t, aigul, ref, ref)
			change()
			w.register.down = 1
			if a, err := w.Check(ctx, asks, p.Code, p.Amount); err != nil || a.Decision != payment.NotNow {
				t.Errorf("a register that is down: %+v, %v", a, err)
			}
			if a, err := w.Check(ctx, asks, p.Code, p.Amount); err != nil || a.Decision != payment.NotPayable {
				t.Errorf("%s, check: %+v, %v", ref, a, err)
			}
			if got := w.pay(t, wallet, ref, p); got != payment.NotPayable {
				t.Errorf("%s, pay after it: %s", ref, got)
			}
			if s := w.state(t, aigul, p); s.State != payment.Refused {
				t.Errorf("%s: %s", ref, s.State)
			}
		}
		w.whole(t)
	})
}

// TestWhatIsMalformedStaysRefused: a transaction that was no request of the protocol pays nothing later.
func TestWhatIsMalformedStaysRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p, asks := w.awaiting(t, aigul, "t", "1"), payment.Partner{ID: wallet, Every: true}
		for range 2 {
			testworld.OK(t, w.Malformed(ctx, asks, "7"))
		}
		if got := w.pay(t, wallet, "7", p); got != payment.Reused {
			t.Errorf("its id again: %s", got)
		}
		if got := w.pay(t, "other-bank", "7", p); got != payment.Approved {
			t.Errorf("another partner's id: %s", got)
		}
		testworld.OK(t, w.Malformed(ctx, payment.Partner{ID: "other-bank", Every: true}, "7"))
		if txn, err := w.Transaction(ctx, "other-bank", "7"); err != nil || txn.Decision != payment.Approved {
			t.Errorf("what was taken: %+v, %v", txn, err)
		}
		w.whole(t)
	})
}

// TestOnlyWhatAPartnerMayIsQuoted: bills of other services are of no service.
func TestOnlyWhatAPartnerMayIsQuoted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		u := w.user(wallet, "u", "key-1")
		u.Partner = payment.Partner{ID: wallet, Services: []string{"preschool"}}
		for _, service := range []string{"fine", "preschool"} {
			_, err := w.Quote(ctx, u, service, []string{"1"})
			mustBe(t, err, "problem.payment_service")
		}
		if found, err := w.FindBills(ctx, u, payment.Search{By: payment.ByPlate, Value: "01KG123ABC"}); err != nil || found.Known {
			t.Errorf("found %+v, %v", found, err)
		}
		w.register.down = 1
		_, err := w.Quote(ctx, w.user(wallet, "u", "key-2"), "fine", []string{"1"})
		mustBe(t, err, "problem.registry_down")
		_, err = w.Quote(ctx, w.user(wallet, "u", "key-3"), "fine", nil)
		mustBe(t, err, "problem.payment_bills")
	})
}
