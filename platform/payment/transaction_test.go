package payment_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestAPartnersDay: page by page each payment once, with what goes back; what was declined,
// another day's and another partner's are not on it.
func TestAPartnersDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.register.refuse["12"] = payment.OutcomePaid
		day := w.Clock.Now()
		for i := range 5 { // the middle three in one moment
			if i == 1 || i == 4 {
				w.Pass(time.Second)
			}
			p := w.awaiting(t, "+99655500020"+strconv.Itoa(i), "t", strconv.Itoa(10+i))
			w.accept(t, strconv.Itoa(90-i), p)
			w.OK(w.Settle(ctx, p.ID))
		}
		for id, code := range map[string]string{"7": "1234567897", "8": "12"} { // declined
			_, err := w.Accept(ctx, payment.Partner{ID: wallet, Every: true}, id, code, money.Som, w.Clock.Now())
			w.OK(err)
		}
		other := w.awaiting(t, "+996555000300", "t", "30")
		_, err := w.Accept(ctx, payment.Partner{ID: "other-bank", Every: true}, "1", other.Code, other.Amount, w.Clock.Now())
		w.OK(err)
		w.Pass(24 * time.Hour)
		w.accept(t, "100", w.awaiting(t, "+996555000301", "t", "31"))

		var listed []string
		var after payment.Transaction
		for pages := 1; ; pages++ {
			page, err := w.Day(ctx, wallet, day, payment.Filter{}, after, 2)
			w.OK(err)
			if page.Count != 5 || page.Amount != 5*1500*money.Som || len(page.Page) > 2 || pages > 3 {
				t.Fatalf("page %d is %+v", pages, page)
			}
			for _, txn := range page.Page {
				listed, after = append(listed, txn.ID), txn
				if txn.State == payment.RefundDue != (txn.ID == "88") || (txn.Refund == 1500*money.Som) != (txn.ID == "88") {
					t.Errorf("listed is %+v", txn)
				}
				if again, err := w.Transaction(ctx, wallet, txn.ID); err != nil || again != txn {
					t.Errorf("%+v, alone %+v, %v", txn, again, err)
				}
			}
			if !page.More {
				break
			}
		}
		if want := []string{"90", "87", "88", "89", "86"}; len(listed) != 5 || listed[0] != want[0] || listed[1] != want[1] || listed[4] != want[4] {
			t.Errorf("listed are %v, want %v", listed, want)
		}
		for who, id := range map[string]string{wallet: "1", "other-bank": "90", "nobody": "90"} {
			_, err := w.Transaction(ctx, who, id)
			testworld.Refused(t, err, "problem.partner_payment_absent")
		}
		if txn, err := w.Transaction(ctx, wallet, "8"); err != nil || txn.Decision != payment.MalformedCode || txn.State != "" {
			t.Errorf("declined is %+v, %v", txn, err)
		}
		for filter, want := range map[payment.Filter]string{
			{State: payment.Settled}: "90 89 87 86", {State: payment.RefundDue}: "88", {State: payment.Cancelled}: "", {Service: "fine"}: "90 89 88 87 86", {Service: "toll"}: "",
		} {
			if got := w.filtered(t, day, filter); got != want {
				t.Errorf("by %+v: %q, want %q", filter, got, want)
			}
		}
		if empty, err := w.Day(ctx, "nobody", day, payment.Filter{}, payment.Transaction{}, 9); err != nil || empty.Count != 0 || empty.More || len(empty.Page) > 0 {
			t.Errorf("nobody's day is %+v, %v", empty, err)
		}
	})
}

// TestServicesOfAPartner: a code of a service that the partner may not have paid is an
// unknown one, and what it was told when it might it is told again.
func TestServicesOfAPartner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		p, q := w.awaiting(t, "+996555000400", "t", "40"), w.awaiting(t, "+996555000401", "t", "41")
		fine, other, none := payment.Partner{ID: wallet, Services: []string{"fine"}}, payment.Partner{ID: wallet, Services: []string{"certificate"}}, payment.Partner{ID: wallet}
		for _, who := range []payment.Partner{other, none} {
			if a, err := w.Check(ctx, who, p.Code, 0); err != nil || a != (payment.Answer{Decision: payment.UnknownCode}) {
				t.Errorf("%+v hears %+v, %v", who, a, err)
			}
		}
		first, err := w.Accept(ctx, fine, "1", p.Code, p.Amount, w.Clock.Now())
		if err != nil || first.Decision != payment.Approved {
			t.Fatalf("%+v, %v", first, err)
		}
		if again, err := w.Accept(ctx, none, "1", p.Code, p.Amount, w.Clock.Now()); err != nil || again != first {
			t.Errorf("what was taken is told as %+v, %v", again, err)
		}
		if a, err := w.Accept(ctx, other, "2", q.Code, q.Amount, w.Clock.Now()); err != nil || a.Decision != payment.UnknownCode {
			t.Errorf("another service's code: %+v, %v", a, err)
		}
	})
}

// filtered lists a day by pages of two, and says which are there in the order of their numbers downwards.
func (w *world) filtered(t testing.TB, day time.Time, filter payment.Filter) string {
	t.Helper()
	var ids []string
	for after, more := (payment.Transaction{}), true; more; {
		page, err := w.Day(t.Context(), wallet, day, filter, after, 2)
		testworld.OK(t, err)
		if more = page.More; more && len(page.Page) != 2 || len(page.Page) > 2 || page.Count != 5 {
			t.Fatalf("a page by %+v: %+v", filter, page)
		}
		for _, txn := range page.Page {
			ids, after = append(ids, txn.ID), txn
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return strings.Join(ids, " ")
}
