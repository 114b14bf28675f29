package payment_test

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// said counts the messages that hold a code and the words.
func (w *world) said(p payment.Payment, words string) int {
	n := 0
	for _, text := range w.Phones.Texts() {
		if strings.Contains(text, p.Code) && strings.Contains(text, words) {
			n++
		}
	}
	return n
}

// TestSecondWhileTheFirstIsNotSettled: a code that came second is refused; while the
// register has not been told of the first payment, its holder reads that the fine is
// being paid, and then, once, that it is paid, or that it can be paid by a new code.
func TestSecondWhileTheFirstIsNotSettled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		outcome payment.Outcome
		then    string
	}{
		"settled":          {payment.OutcomeSettled, " жабылды: буга чейин төлөнгөн"},
		"paid by somebody": {payment.OutcomePaid, " жабылды: буга чейин төлөнгөн"},
		"given back":       {payment.OutcomeCancelled, "жаңы код алыңыз"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.Work()
				first, second := w.awaiting(t, aigul, "t1", "1001"), w.awaiting(t, bakyt, "t2", "1001")
				w.register.down = 1
				if a := w.accept(t, "1", first); a.Decision != payment.Approved {
					t.Fatalf("the first: %+v", a)
				}
				if a := w.accept(t, "2", second); a.Decision != payment.NotPayable {
					t.Fatalf("the second: %+v", a)
				}
				testworld.Eventually(t, "the second is told to wait", func() bool { return w.said(second, "төлөнүп жатат") == 1 })
				if n := w.said(second, test.then); n != 0 {
					t.Errorf("told %q before anybody knew", test.then)
				}
				p := w.state(t, bakyt, second)
				if p.State != payment.Refused || !p.AcceptedAt.IsZero() || p.FinishedAt.IsZero() {
					t.Errorf("of the second no money was taken, and it reads %+v", p)
				}
				if _, _, err := w.Receipt(t.Context(), w.Caller(bakyt, "t3"), second.ID); problem.From(err).Key != "problem.payment_refused" {
					t.Errorf("its receipt: %v", err)
				}
				testworld.Eventually(t, "the register is away", func() bool {
					return w.Number("SELECT COUNT(*) FROM payments WHERE tries = 1 AND trying = FALSE AND state = 'accepted'") == 1
				})
				w.register.mu.Lock()
				w.register.refuse["1001"] = test.outcome
				w.register.mu.Unlock()
				w.Pass(time.Hour)
				testworld.OK(t, w.Settle(t.Context(), first.ID))
				testworld.Eventually(t, "the second is told how it ended", func() bool { return w.said(second, test.then) == 1 })
				if n := w.Number("SELECT COUNT(*) FROM payments WHERE waits_for <> ''"); n != 0 {
					t.Errorf("%d wait still", n)
				}
				testworld.OK(t, w.VerifyLedger(t.Context()))
			})
		})
	}
}
