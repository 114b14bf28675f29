package payment_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func TestUnknownOutcomeIsSettledOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		w.register.lose = 1
		if err := w.Settle(ctx, p.ID); !errors.Is(err, errLost) {
			t.Fatalf("a lost answer: %v", err)
		}
		if s := w.state(t, aigul, p); s.State != payment.Accepted || s.Lines[0].State != payment.Claimed || s.Lines[1].State != payment.Settled {
			t.Errorf("after a lost answer: %+v", s)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
		w.Pass(time.Hour)
		for range 3 {
			testworld.OK(t, w.Settle(ctx, p.ID))
		}
		if s := w.state(t, aigul, p); s.State != payment.Settled {
			t.Errorf("after another try: %+v", s)
		}
		if w.register.pays != 2 {
			t.Errorf("the register was paid %d times", w.register.pays)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
	})
}

func TestPaidBySomebodyElseGoesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.Work()
		w.register.refuse["2"] = payment.OutcomePaid
		p := w.awaiting(t, aigul, "t1", "1", "2")
		testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 }) // or the receipt replaces it
		w.accept(t, "1", p)
		testworld.Eventually(t, "refund due", func() bool { return w.state(t, aigul, p).State == payment.RefundDue })
		s := w.state(t, aigul, p)
		if s.Lines[0].State != payment.Settled || s.Lines[1].State != payment.RefundDue || s.Lines[1].Reason != payment.OutcomePaid {
			t.Errorf("lines: %+v", s.Lines)
		}
		testworld.Eventually(t, "the code, and how it ended, by SMS", func() bool { return len(w.Phones.Texts()) == 2 })
		all := strings.Join(w.Phones.Texts(), "\n")
		if !strings.Contains(all, "3 000 сомдун 1 500 сому төлөндү, 1 500 сому төлөгөн жерден кайтарылат") {
			t.Errorf("SMS: %s", all)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
		if taken, err := w.Claimed(ctx, "fine", "2"); err != nil || taken {
			t.Errorf("a refunded bill stays claimed: %v, %v", taken, err)
		}
	})
}

func TestRegisterDownDelaysAndLosesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		p := w.awaiting(t, aigul, "t1", "1")
		w.register.down = 1
		if a, err := w.Check(context.Background(), payment.Partner{ID: wallet, Every: true}, p.Code, p.Amount); err != nil || a.Decision != payment.NotNow {
			t.Errorf("check while the register is down: %+v, %v", a, err)
		}
		w.accept(t, "1", p)
		w.register.down = 1
		w.Work()
		testworld.Eventually(t, "settled by the second try", func() bool {
			w.Pass(time.Second)
			testworld.OK(t, w.Sweep(context.Background()))
			return w.state(t, aigul, p).State == payment.Settled
		})
		testworld.OK(t, w.VerifyLedger(context.Background()))
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t1", "1")
		w.register.price["2"] = 6000
		quoted, err := w.Open(ctx, w.Caller(aigul, "t2"), "fine", []string{"2"})
		testworld.OK(t, err)
		var hidden string
		testworld.OK(t, db.Reader().QueryRow("SELECT code FROM payments WHERE id = $1", quoted.ID).Scan(&hidden))
		wrong := p.Code[:9] + string('0'+(p.Code[9]-'0'+1)%10)
		for i, c := range []struct {
			name, account string
			sum           money.Amount
			want          payment.Decision
		}{
			{"letters", "abc", p.Amount, payment.MalformedCode},
			{"check digit", wrong, p.Amount, payment.MalformedCode},
			{"unknown", validCode(t), p.Amount, payment.UnknownCode},
			{"unconfirmed", hidden, p.Amount, payment.UnknownCode},
			{"less", p.Code, p.Amount - 1, payment.SumTooSmall},
			{"more", p.Code, p.Amount + 1, payment.SumTooLarge},
			{"nothing paid", p.Code, 0, payment.SumTooSmall},
		} {
			a, err := w.Accept(ctx, payment.Partner{ID: wallet, Every: true}, strconv.Itoa(i), c.account, c.sum, testworld.Start)
			if err != nil || a.Decision != c.want {
				t.Errorf("%s: %+v, %v; want %s", c.name, a, err, c.want)
			}
		}
		w.register.mu.Lock()
		w.register.price["1"] = 5000 * money.Som
		w.register.mu.Unlock()
		if a, err := w.Check(ctx, payment.Partner{ID: wallet, Every: true}, p.Code, p.Amount); err != nil || a.Decision != payment.NotPayable {
			t.Errorf("a price that changed: %+v, %v", a, err)
		}
		w.Pass(payment.CodeLife)
		if a := w.accept(t, "55", p); a.Decision != payment.NotPayable {
			t.Errorf("a lapsed code: %+v", a)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
		if n := w.Number("SELECT COUNT(*) FROM ledger_entries"); n != 0 {
			t.Errorf("refusals left %d entries", n)
		}
	})
}

func TestOpenRefusesATakenBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t1", "1")
		w.accept(t, "1", p)
		if _, err := w.Open(ctx, w.Caller(bakyt, "t2"), "fine", []string{"1"}); problem.From(err).Key != "problem.payment_elsewhere" {
			t.Errorf("a bill being paid: %v", err)
		}
		for phone, want := range map[string]bool{aigul: true, bakyt: false, "": false} {
			if told, err := w.Told(ctx, w.Caller(phone, ""), "fine", "1"); err != nil || told != want {
				t.Errorf("%q gets the message: %t, %v", phone, told, err)
			}
		}
		if told, err := w.Told(ctx, w.Caller(aigul, ""), "fine", "2"); err != nil || told {
			t.Errorf("of a bill that nobody pays: %t, %v", told, err)
		}
		if _, err := w.Open(ctx, w.Caller("", "t3"), "fine", []string{"1"}); problem.From(err).Key != "problem.payment_phone" {
			t.Errorf("nobody: %v", err)
		}
		if _, err := w.Open(ctx, w.Caller(bakyt, "t4"), "fine", nil); problem.From(err).Key != "problem.payment_bills" {
			t.Errorf("nothing: %v", err)
		}
	})
}

// The ledger's check must be able to fail.
func TestVerifyLedgerFindsDifferences(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"posting changed":  "UPDATE ledger_postings SET amount = amount + 1 WHERE n = 0",
		"posting removed":  "DELETE FROM ledger_postings WHERE n = 0",
		"postings moved":   "UPDATE ledger_postings SET account = 'partner:other' WHERE n = 0",
		"line changed":     "UPDATE payment_lines SET state = 'settled'",
		"transaction gone": "DELETE FROM payment_txns",
		"both sides off":   "UPDATE ledger_postings SET amount = amount * 2",
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, ctx := newWorld(t, db), context.Background()
				w.accept(t, "1", w.awaiting(t, aigul, "t1", "1"))
				testworld.OK(t, w.VerifyLedger(ctx))
				storetest.Lift(t, db, db.Writer())
				_, err := db.Writer().Exec(damage)
				testworld.OK(t, err)
				if w.VerifyLedger(ctx) == nil {
					t.Error("the damage was not found")
				}
			})
		})
	}
}
