package payment_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// told counts the messages about a code that say that it is closed.
func (w *world) told(p payment.Payment) int {
	n := 0
	for _, text := range w.Phones.Texts() {
		if strings.Contains(text, p.Code+" жабылды") {
			n++
		}
	}
	return n
}

// TestPaidOtherwise: when a bill is paid by one code, the others that hold it close,
// and whoever has them is told once; a code without it, and one that took money
// before, stay as they are.
func TestPaidOtherwise(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		paid := w.awaiting(t, aigul, "t1", "1001")
		same := w.awaiting(t, bakyt, "t2", "1001")
		more := w.awaiting(t, bakyt, "t3", "1001", "1002")
		apart := w.awaiting(t, bakyt, "t4", "1002")
		if a := w.accept(t, "1", paid); a.Decision != payment.Approved {
			t.Fatalf("accepted: %+v", a)
		}
		testworld.OK(t, w.Settle(t.Context(), paid.ID))
		w.Work()
		for what, c := range map[string]struct {
			p     payment.Payment
			owner string
			want  payment.State
			check payment.Decision
			told  int
		}{
			"the paid one":    {paid, aigul, payment.Settled, payment.NotPayable, 0},
			"another's":       {same, bakyt, payment.Refused, payment.NotPayable, 1},
			"with one more":   {more, bakyt, payment.Refused, payment.NotPayable, 1},
			"of another bill": {apart, bakyt, payment.Awaiting, payment.Approved, 0},
		} {
			if got := w.state(t, c.owner, c.p); got.State != c.want {
				t.Errorf("%s is %s", what, got.State)
			}
			answer, err := w.Check(t.Context(), payment.Partner{ID: wallet, Every: true}, c.p.Code, c.p.Amount)
			if err != nil || answer.Decision != c.check {
				t.Errorf("the wallet's check of %s: %+v, %v", what, answer, err)
			}
			testworld.Eventually(t, what+" is told of", func() bool { return w.told(c.p) == c.told })
		}
		if a := w.accept(t, "2", same); a.Decision != payment.NotPayable {
			t.Errorf("a closed code was paid: %+v", a)
		}
		testworld.OK(t, w.VerifyLedger(t.Context()))
		if n := w.Number("SELECT count(*) FROM audit_records WHERE action = 'payment.paid_otherwise'"); n != 2 {
			t.Errorf("the audit log has %d codes closed", n)
		}
	})
}

// TestConfirmingAPaidBill: a price that was asked before another paid is not made a
// code of.
func TestConfirmingAPaidBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		paid := w.awaiting(t, aigul, "t1", "1001")
		quoted, err := w.Open(t.Context(), w.Caller(bakyt, "t2"), "fine", []string{"1001"})
		testworld.OK(t, err)
		w.accept(t, "1", paid)
		_, err = w.Confirm(t.Context(), w.Caller(bakyt, "t3"), quoted.ID)
		if key := problem.From(err).Key; key != "problem.payment_elsewhere" {
			t.Errorf("while it is being paid: %v", err)
		}
		testworld.OK(t, w.Settle(t.Context(), paid.ID))
		_, err = w.Confirm(t.Context(), w.Caller(bakyt, "t4"), quoted.ID)
		if key := problem.From(err).Key; key != "problem.payment_paid" {
			t.Errorf("once it is paid: %v", err)
		}
	})
}

// TestTwoWalletsOneBill: two wallets pay two codes of one bill at once, while it is
// settled: one takes the money, the other's holder is told once, and nothing is lost.
func TestTwoWalletsOneBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		codes := []payment.Payment{w.awaiting(t, aigul, "t1", "1001"), w.awaiting(t, bakyt, "t2", "1001")}
		taken := make([]int, len(codes))
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				p := codes[i%2]
				a, err := w.Accept(context.Background(), payment.Partner{ID: wallet, Every: true}, fmt.Sprint(i), p.Code, p.Amount, w.Clock.Now())
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Errorf("accept: %v", err)
				case a.Decision == payment.Approved:
					taken[i%2]++
				case a.Decision != payment.NotPayable:
					t.Errorf("answered %+v", a)
				}
			})
		}
		all.Wait()
		if taken[0]+taken[1] != 1 {
			t.Fatalf("money was taken %d and %d times", taken[0], taken[1])
		}
		winner, loser := codes[0], codes[1]
		owner, other := aigul, bakyt
		if taken[1] == 1 {
			winner, loser, owner, other = codes[1], codes[0], bakyt, aigul
		}
		testworld.Eventually(t, "settled", func() bool { return w.state(t, owner, winner).State == payment.Settled })
		testworld.Eventually(t, "the other is told", func() bool { return w.told(loser) == 1 })
		if got := w.state(t, other, loser); got.State != payment.Refused || w.told(winner) != 0 {
			t.Errorf("the other is %s, the first is told %d times", got.State, w.told(winner))
		}
		testworld.OK(t, w.VerifyLedger(t.Context()))
	})
}

// TestCodesOfPaidBillsOfBefore: codes that were left payable beside a paid bill are
// found and closed, once by however many processes.
func TestCodesOfPaidBillsOfBefore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		paid := w.awaiting(t, aigul, "t1", "1001")
		left := w.awaiting(t, bakyt, "t2", "1001")
		w.accept(t, "1", paid)
		testworld.OK(t, w.CloseOvertaken(t.Context())) // being paid is not paid: the money may go back
		if got := w.state(t, bakyt, left); got.State != payment.Awaiting {
			t.Fatalf("while the other is being settled it is %s", got.State)
		}
		testworld.OK(t, w.Settle(t.Context(), paid.ID))
		_, err := db.Writer().Exec("UPDATE payments SET state = 'awaiting', finished_at = NULL WHERE id = $1", left.ID)
		testworld.OK(t, err)
		testworld.OK(t, w.CloseOvertaken(t.Context()))
		if got := w.state(t, bakyt, left); got.State != payment.Awaiting {
			t.Errorf("looked again within the minute")
		}
		w.Pass(2 * time.Minute)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := w.CloseOvertaken(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := w.state(t, bakyt, left); got.State != payment.Refused {
			t.Errorf("it is %s", got.State)
		}
		testworld.OK(t, w.VerifyLedger(t.Context()))
	})
}

// What is told of a closed code is so of every one of its bills: "already paid" where each is,
// a new code where one can be paid, and neither of a bill that another code is paying.
func TestWhatIsToldOfAClosedCode(t *testing.T) {
	t.Parallel()
	const paid, taken, rest = "буга чейин төлөнгөн. Кайра төлөбөңүз", "төлөнүп жатат", "Калганына жаңы код алыңыз"
	for name, c := range map[string]struct {
		bills, together []string // of the closed code; of the one that is paid
		apart           string   // a bill that another code is paying meanwhile
		later           bool     // the closed code is found only when all is settled
		want            string
	}{
		"one bill":                         {bills: []string{"1001"}, together: []string{"1001"}, want: paid},
		"one of two":                       {bills: []string{"1001", "1002"}, together: []string{"1001"}, want: rest},
		"both, one settled":                {bills: []string{"1001", "1002"}, together: []string{"1001", "1002"}, want: taken},
		"both, both settled":               {bills: []string{"1001", "1002"}, together: []string{"1001", "1002"}, later: true, want: paid},
		"one paid, one being paid":         {bills: []string{"1001", "1002"}, together: []string{"1001"}, apart: "1002", want: taken},
		"one paid, one being paid, a free": {bills: []string{"1001", "1002", "1003"}, together: []string{"1001"}, apart: "1002", want: rest},
		"two of three, all settled":        {bills: []string{"1001", "1002", "1003"}, together: []string{"1001", "1002"}, later: true, want: rest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				closed := w.awaiting(t, bakyt, "t1", c.bills...)
				paying := w.awaiting(t, aigul, "t2", c.together...)
				if c.apart != "" {
					w.accept(t, "1", w.awaiting(t, aigul, "t3", c.apart))
				}
				if a := w.accept(t, "2", paying); a.Decision != payment.Approved {
					t.Fatalf("accepted: %+v", a)
				}
				if c.later { // as one that was confirmed meanwhile
					_, err := db.Writer().Exec("UPDATE payments SET state = 'expired' WHERE id = $1", closed.ID)
					testworld.OK(t, err)
				}
				testworld.OK(t, w.Settle(t.Context(), paying.ID))
				if c.later {
					_, err := db.Writer().Exec("UPDATE payments SET state = 'awaiting' WHERE id = $1", closed.ID)
					testworld.OK(t, err)
					testworld.OK(t, w.CloseOvertaken(t.Context()))
				}
				if got := w.state(t, bakyt, closed); got.State != payment.Refused {
					t.Fatalf("it is %s", got.State)
				}
				w.Work()
				testworld.Eventually(t, "it is told", func() bool { return w.said(closed, "") > 0 })
				for _, words := range []string{paid, taken, rest} {
					if told := w.said(closed, words) > 0; told != (words == c.want) {
						t.Errorf("told %q: %q", words, w.Phones.Texts())
					}
				}
				testworld.OK(t, w.VerifyLedger(t.Context()))
			})
		})
	}
}
