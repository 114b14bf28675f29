package payment_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// balance is an account's, in tyiyn: debits are positive.
func (w *world) balance(t testing.TB, account string) money.Amount {
	t.Helper()
	var n int64
	testworld.OK(t, w.DB.Reader().QueryRow("SELECT COALESCE(SUM(amount), 0) FROM ledger_postings WHERE account = $1", account).Scan(&n))
	return money.Amount(n)
}

// M2: money of which nobody knows whose payment the register holds is set aside,
// the citizen is told, and an operator decides, once.
func TestM2DoubtIsDecidedByAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settled bool
		state   payment.State
		account string
		says    string
		taken   bool
	}{
		"ours":     {true, payment.Settled, "treasury:fine", "Төлөндү: 3 000 сом", true},
		"not ours": {false, payment.RefundDue, "refunds:fine", "3 000 сомдун 1 500 сому төлөндү, 1 500 сому төлөгөн жерден кайтарылат", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, ctx := newWorld(t, db), context.Background()
				w.Work()
				w.register.refuse["2"] = payment.OutcomeDoubt
				p := w.awaiting(t, aigul, "t1", "1", "2")
				testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 }) // or the next message replaces it
				w.accept(t, "1", p)
				testworld.Eventually(t, "in doubt", func() bool { return w.state(t, aigul, p).State == payment.InDoubt })
				if w.balance(t, "suspense:fine") != -1500*money.Som || w.balance(t, "clearing:fine") != 0 {
					t.Error("the money in doubt is not in suspense")
				}
				testworld.OK(t, w.VerifyLedger(ctx))
				if taken, err := w.Claimed(ctx, "fine", "2"); err != nil || !taken {
					t.Errorf("a bill in doubt can be paid again: %v, %v", taken, err)
				}
				testworld.Eventually(t, "the citizen is told", func() bool { return len(w.Phones.Texts()) == 2 })
				if all := strings.Join(w.Phones.Texts(), "\n"); !strings.Contains(all, "3 000 сомдун 1 500 сому төлөндү, 1 500 сому текшерилүүдө.") {
					t.Errorf("SMS: %s", all)
				}
				list, err := w.Suspense(ctx)
				testworld.OK(t, err)
				if len(list) != 1 || list[0].PaymentID != p.ID || list[0].N != 1 || list[0].Ref != "2" || list[0].Amount != 1500*money.Som || list[0].Code != p.Code {
					t.Fatalf("doubts: %+v", list)
				}
				if waiting, err := w.Waiting(ctx); err != nil || waiting.Suspended != 1 || waiting.OldestSuspended != p.ID {
					t.Errorf("waiting: %+v, %v", waiting, err)
				}
				w.Pass(time.Hour)
				testworld.OK(t, w.Sweep(ctx)) // no sweep touches what a person has to decide
				if s := w.state(t, aigul, p); s.State != payment.InDoubt {
					t.Errorf("swept: %s", s.State)
				}
				testworld.OK(t, w.Decide(ctx, staff.Act{Actor: "staff:Бермет"}, p.ID, 1, c.settled, "12-3/45"))
				if s := w.state(t, aigul, p); s.State != c.state || s.Lines[1].State != c.state {
					t.Errorf("decided: %+v", s)
				}
				if w.balance(t, "suspense:fine") != 0 || w.balance(t, c.account) == 0 {
					t.Error("the money is not where it was decided to be")
				}
				testworld.Eventually(t, "the citizen hears how it ended", func() bool { return strings.Contains(strings.Join(w.Phones.Texts(), "\n"), c.says) })
				if taken, err := w.Claimed(ctx, "fine", "2"); err != nil || taken != c.taken {
					t.Errorf("claimed afterwards: %v, %v", taken, err)
				}
				if err := w.Decide(ctx, staff.Act{Actor: "staff:Бермет"}, p.ID, 1, !c.settled, "12-3/45"); !errors.Is(err, payment.ErrNotSuspended) {
					t.Errorf("decided twice: %v", err)
				}
				if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE actor = 'staff:Бермет' AND purpose = 'payment 12-3/45'"); n != 1 {
					t.Errorf("%d audit records of the decision", n)
				}
				testworld.OK(t, w.VerifyLedger(ctx))
			})
		})
	}
}

// What cannot be decided, and not without evidence.
func TestM2DecideRefuses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.refuse["2"] = payment.OutcomeDoubt
		p := w.awaiting(t, aigul, "t1", "1", "2")
		w.accept(t, "1", p)
		testworld.OK(t, w.Settle(ctx, p.ID))
		for name, c := range map[string]struct {
			id, evidence string
			n            int64
			want         error
		}{
			"a line that is settled": {p.ID, "1", 0, payment.ErrNotSuspended},
			"no such line":           {p.ID, "1", 7, payment.ErrNotSuspended},
			"no such payment":        {"x", "1", 1, payment.ErrNotSuspended},
			"no evidence":            {p.ID, "", 1, payment.ErrReference},
			"a novel for evidence":   {p.ID, strings.Repeat("1", 41), 1, payment.ErrReference},
			"words for evidence":     {p.ID, "she said so", 1, payment.ErrReference},
		} {
			err := w.Decide(ctx, staff.Act{Actor: "staff:b"}, c.id, c.n, true, c.evidence)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s := w.state(t, aigul, p); s.State != payment.InDoubt {
			t.Errorf("refused decisions made it %s", s.State)
		}
	})
}

// While a part is in doubt the citizen reads in one message how the whole sum stands (F6).
func TestDoubtTellsTheWholeSum(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		w.register.refuse["1"], w.register.refuse["2"] = payment.OutcomeDoubt, payment.OutcomePaid
		p := w.awaiting(t, aigul, "t1", "1", "2", "3", "4")
		testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 }) // or the next message replaces it
		w.accept(t, "1", p)
		want := "6 000 сомдун 3 000 сому төлөндү, 1 500 сому кайтарылат, 1 500 сому текшерилүүдө."
		testworld.Eventually(t, want, func() bool { return w.said(p, want) == 1 })
	})
}

// A line in doubt waits for the others of its payment, whichever way they end.
func TestM2DoubtBesideOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.refuse["1"] = payment.OutcomeDoubt
		w.register.refuse["2"] = payment.OutcomePaid
		w.register.lose = 1
		p := w.awaiting(t, aigul, "t1", "1", "2", "3")
		w.accept(t, "1", p)
		if err := w.Settle(ctx, p.ID); !errors.Is(err, errLost) {
			t.Fatalf("a lost answer: %v", err)
		}
		if s := w.state(t, aigul, p); s.State != payment.Accepted || s.Lines[0].State != payment.InDoubt {
			t.Errorf("one line open: %+v", s)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
		testworld.OK(t, w.Decide(ctx, staff.Act{Actor: "staff:b"}, p.ID, 0, true, "1")) // while the third is open
		testworld.OK(t, w.VerifyLedger(ctx))
		testworld.OK(t, w.Settle(ctx, p.ID))
		s := w.state(t, aigul, p)
		var states []payment.State
		for _, l := range s.Lines {
			states = append(states, l.State)
		}
		if s.State != payment.RefundDue || !slices.Equal(states, []payment.State{payment.Settled, payment.RefundDue, payment.Settled}) {
			t.Errorf("at the end: %s %v", s.State, states)
		}
		testworld.OK(t, w.VerifyLedger(ctx))
	})
}
