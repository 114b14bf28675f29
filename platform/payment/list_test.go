package payment_test

import (
	"context"
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

// TestListIsOnesOwn (missing for apps): newest first, page by page, a phone's own,
// without quotes that lapsed; and the receipt of what is over.
func TestListIsOnesOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		list := func(phone, before string, rows int) string {
			got, err := w.List(ctx, w.Caller(phone, ""), before, rows)
			testworld.OK(t, err)
			var ids []string
			for _, p := range got {
				ids = append(ids, p.ID)
			}
			return strings.Join(ids, " ")
		}
		first := w.awaiting(t, aigul, "t1", "1")
		second := w.awaiting(t, aigul, "t2", "2")
		others := w.awaiting(t, bakyt, "t3", "3")
		w.register.price["4"] = 1500 * money.Som
		quote, err := w.Open(ctx, w.Caller(aigul, "t4"), "fine", []string{"4"})
		testworld.OK(t, err)
		for _, c := range []struct {
			phone, before string
			rows          int
			want          string
		}{
			{aigul, "", 50, quote.ID + " " + second.ID + " " + first.ID},
			{aigul, "", 2, quote.ID + " " + second.ID},
			{aigul, second.ID, 2, first.ID},
			{aigul, first.ID, 2, ""},
			{aigul, "", 0, quote.ID}, {aigul, "", -1, quote.ID},
			{bakyt, "", 1000, others.ID}, {bakyt, quote.ID, 50, others.ID},
		} {
			if got := list(c.phone, c.before, c.rows); got != c.want {
				t.Errorf("%d before %q: %q, not %q", c.rows, c.before, got, c.want)
			}
		}
		if _, err := w.List(ctx, w.Caller("", ""), "", 1); problem.From(err).Key != "problem.payment_phone" {
			t.Errorf("nobody's payments: %v", err)
		}
		w.accept(t, "1", second)
		testworld.OK(t, w.Settle(ctx, second.ID))
		for _, c := range []struct{ phone, id, want string }{
			{aigul, first.ID, "problem.payment_unfinished"}, {aigul, quote.ID, "problem.payment_unfinished"},
			{aigul, others.ID, "problem.payment_absent"}, {bakyt, second.ID, "problem.payment_absent"}, {aigul, "x", "problem.payment_absent"},
		} {
			if _, _, err := w.Receipt(ctx, w.Caller(c.phone, ""), c.id); err == nil || problem.From(err).Key != c.want {
				t.Errorf("the receipt of %s for %s: %v, not %s", c.id, c.phone, err, c.want)
			}
		}
		p, text, err := w.Receipt(ctx, w.Caller(aigul, ""), second.ID)
		if testworld.OK(t, err); p.State != payment.Settled || !strings.Contains(text, p.Code) || !strings.Contains(text, p.Amount.String()) {
			t.Errorf("%s: %q", p.State, text)
		}
		w.Pass(payment.QuoteLife + time.Minute)
		if got := list(aigul, "", 50); got != second.ID+" "+first.ID {
			t.Errorf("a lapsed quote is listed: %q", got)
		}
	})
}
