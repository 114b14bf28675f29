package payment_test

import (
	"slices"
	"testing"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestSomeOfSeveralBillsArePaid: what is true of one of several bills is not said of all;
// the problem names those by their places among the bills as they were given.
func TestSomeOfSeveralBillsArePaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		paid, taken := w.awaiting(t, aigul, "t1", "1003"), w.awaiting(t, aigul, "t2", "1004", "1005")
		w.register.price["1001"], w.register.price["1002"] = 1500*money.Som, 1500*money.Som
		quoted, err := w.Open(t.Context(), w.Caller(bakyt, "t3"), "fine", []string{"1002", "1001", "1003"})
		testworld.OK(t, err)
		w.accept(t, "1", paid)
		testworld.OK(t, w.Settle(t.Context(), paid.ID))
		w.accept(t, "2", taken)
		w.register.mu.Lock() // by somebody, not through us
		w.register.paid["2001"], w.register.paid["2002"] = payment.Settlement{}, payment.Settlement{}
		w.register.mu.Unlock()
		for _, c := range []struct {
			refs []string
			key  string
			at   []int
		}{
			{[]string{"1003"}, "problem.payment_paid", nil},
			{[]string{"1003", "1003"}, "problem.payment_paid", nil},
			{[]string{"1002", "1001", "1003"}, "problem.payment_part_paid", []int{2}},
			{[]string{"1003", "1001", "1004", "1003"}, "problem.payment_part_paid", []int{0, 3}},
			{[]string{"1004", "1001"}, "problem.payment_part_taken", []int{0}},
			{[]string{"1004", "1005"}, "problem.payment_elsewhere", nil},
			{[]string{"2001", "2002"}, "problem.fine_paid", nil},
			{[]string{"1001", "2001", "1002", "gone"}, "problem.payment_part_paid", []int{1, 3}},
		} {
			_, err := w.Open(t.Context(), w.Caller(bakyt, "open"), "fine", c.refs)
			if p := problem.From(err); p.Key != c.key || !slices.Equal(p.Items, c.at) {
				t.Errorf("%v: %v of %v, not %s of %v", c.refs, err, p.Items, c.key, c.at)
			}
		}
		_, err = w.Confirm(t.Context(), w.Caller(bakyt, "t4"), quoted.ID) // its lines are sorted
		if p := problem.From(err); p.Key != "problem.payment_part_paid" || !slices.Equal(p.Items, []int{2}) {
			t.Errorf("confirmed: %v of %v", err, p.Items)
		}
	})
}

// TestWaitForTheSMS: only a phone that will get one is told to; another is told that
// somebody else pays, and, asking again, what became of it.
func TestWaitForTheSMS(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		mine, second := w.awaiting(t, aigul, "t1", "1001"), w.awaiting(t, bakyt, "t2", "1001")
		w.accept(t, "1", mine)
		says := func(phone, turn string) string {
			_, err := w.Open(t.Context(), w.Caller(phone, turn), "fine", []string{"1001"})
			return problem.From(err).Key
		}
		const elsewhere, taken = "problem.payment_elsewhere", "problem.payment_taken"
		if own, other := says(aigul, "t3"), says(bakyt, "t4"); own != taken || other != elsewhere {
			t.Errorf("who pays is told %s, another %s", own, other)
		}
		w.accept(t, "2", second) // from now on its holder waits, and is told how it ends
		if got := says(bakyt, "t5"); got != taken {
			t.Errorf("who waits is told %s", got)
		}
		if got := says("+996700000003", "t6"); got != elsewhere {
			t.Errorf("a stranger is told %s", got)
		}
		testworld.OK(t, w.Settle(t.Context(), mine.ID))
		if got := says("+996700000003", "t6"); got != "problem.payment_paid" {
			t.Errorf("once it is settled a stranger is told %s", got)
		}
	})
}
