package payment_test

import (
	"context"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// statements are those of the wallet and the treasury of a day.
func (w *world) statements(t *testing.T, day time.Time) (partner, treasury string) {
	t.Helper()
	testworld.OK(t, w.CloseDays(context.Background()))
	p, err := w.PartnerStatement(context.Background(), wallet, day)
	testworld.OK(t, err)
	all, err := w.TreasuryStatement(context.Background(), day)
	testworld.OK(t, err)
	return string(p), string(all)
}

// TestADaysStatement: a day has its statements when it is closed, an hour after its end, with every entry of
// its own, and they stay the same bytes while days after it go on; what comes late of a payment is
// of the day on which it comes; a partner sees its own and no bill.
func TestADaysStatement(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		first := w.Clock.Now()
		p := w.settled(t, "1", "11", "12")
		open := w.awaiting(t, bakyt, "t2", "13")
		w.accept(t, "2", open)
		other := w.awaiting(t, bakyt, "t3", "14")
		a, err := w.Accept(ctx, payment.Partner{ID: wallet + "2", Every: true}, "1", other.Code, other.Amount, w.Clock.Now())
		if err != nil || a.Decision != payment.Approved {
			t.Fatal(a, err)
		}
		for _, wait := range []time.Duration{0, clock.Midnight(first).AddDate(0, 0, 1).Add(59 * time.Minute).Sub(first)} {
			w.Pass(wait)
			testworld.OK(t, w.CloseDays(ctx))
			_, err := w.PartnerStatement(ctx, wallet, first)
			mustBe(t, err, "problem.payment_day_open")
			_, err = w.TreasuryStatement(ctx, first)
			mustBe(t, err, "problem.payment_day_open")
		}
		w.Pass(time.Minute)
		partner, treasury := w.statements(t, first)
		rows, err := csv.NewReader(strings.NewReader(partner)).ReadAll()
		if err != nil || len(rows) != 5 || !strings.Contains(partner, ",accept,fine,"+p.Code+",1,") || strings.Contains(partner, ",accept,fine,"+other.Code) {
			t.Fatalf("%v:\n%s", err, partner)
		}
		if !strings.HasSuffix(partner, "total,,,accept,fine,,,,450000,0\ntotal,,,,,,,,450000,0\n") {
			t.Errorf("the partner's totals:\n%s", partner)
		}
		if !strings.HasSuffix(treasury, "total,,,settle,fine,,,,,,0,300000\ntotal,,,,,,,,,,0,300000\n") || !strings.Contains(treasury, p.ID+",11,"+wallet+",1,") {
			t.Errorf("the treasury's:\n%s", treasury)
		}
		// The next day what was open is settled, and the first payment goes back.
		second := w.Clock.Now()
		testworld.OK(t, w.Settle(ctx, open.ID))
		_, err = w.AskRefund(ctx, ownWallet, "1", payment.PaidTwice)
		testworld.OK(t, err)
		_, err = w.Reverse(ctx, officer, p.ID, "1")
		testworld.OK(t, err)
		_, err = w.GaveBack(ctx, ownWallet, "1", p.Amount)
		testworld.OK(t, err)
		if again, all := w.statements(t, first); again != partner || all != treasury {
			t.Errorf("a closed day changed:\n%s%s", again, all)
		}
		w.Pass(48 * time.Hour)
		partner, treasury = w.statements(t, second)
		if !strings.HasSuffix(partner, "total,,,returned,fine,,,,0,300000\ntotal,,,,,,,,0,300000\n") {
			t.Errorf("the second day of the partner:\n%s", partner)
		}
		if !strings.HasSuffix(treasury, "total,,,reverse,fine,,,,,,300000,0\ntotal,,,settle,fine,,,,,,0,150000\ntotal,,,,,,,,,,300000,150000\n") {
			t.Errorf("the second day of the treasury:\n%s", treasury)
		}
		if one, err := w.StatementOf(ctx, wallet, second); err != nil || string(one) != partner {
			t.Errorf("for staff: %v\n%s", err, one)
		}
		if _, err := w.StatementOf(ctx, wallet+"s", second); !errors.Is(err, payment.ErrNoAccount) {
			t.Errorf("of a partner that took nothing: %v", err)
		}
		if none, _ := w.statements(t, first.AddDate(0, 0, -9)); none != strings.SplitAfter(partner, "\n")[0]+"total,,,,,,,,0,0\n" {
			t.Errorf("a day without entries:\n%s", none)
		}
	})
}
