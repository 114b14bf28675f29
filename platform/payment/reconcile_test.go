package payment_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// TestEveryPlantedDifferenceIsFound: of each kind ten, between payments that agree; nothing else is said.
func TestEveryPlantedDifferenceIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		const each = 10
		var registry []payment.Listed
		want := map[string]payment.Difference{}
		list := func(id string, p payment.Payment) *payment.Listed {
			registry = append(registry, payment.Listed{Line: len(registry) + 1, TxnID: id, At: w.Clock.Now(), Code: p.Code, Amount: p.Amount})
			return &registry[len(registry)-1]
		}
		pay := func(kind, n int) (string, payment.Payment) {
			ref := fmt.Sprintf("%d%02d", kind, n)
			p := w.quote(t, wallet, "key-"+ref, ref).Payment
			id := "00" + ref
			if got := w.pay(t, wallet, id, p); got != payment.Approved {
				t.Fatal(got)
			}
			return id, p
		}
		for n := range each { // the day before
			id, _ := pay(4, n)
			want[id] = payment.OtherDate
		}
		w.Pass(24 * time.Hour)
		for n := range each {
			list(pay(1, n)) // agrees
			id, _ := pay(2, n)
			want[id] = payment.MissingThere
			id, p := pay(3, n)
			list(id, p).Amount += money.Amount(n%2) + 1
			want[id] = payment.OtherAmount
			id, p = pay(5, n)
			list(id, p)
			list(id, p)
			want[id] = payment.Twice
			declined := fmt.Sprintf("006%02d", n)
			if n%2 == 0 { // declined, and never heard of
				p.Amount++
				w.pay(t, wallet, declined, p)
			}
			list(declined, p)
			want[declined] = payment.MissingHere
			before := fmt.Sprintf("004%02d", n)
			was, err := w.Transaction(ctx, wallet, before)
			if err != nil {
				t.Fatal(err)
			}
			list(before, payment.Payment{Code: was.Code, Amount: was.Amount})
		}
		got, err := w.Reconcile(ctx, wallet, w.Clock.Now(), registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Mismatches {
			if want[m.TxnID] != m.Kind {
				t.Errorf("%s: %s, want %s", m.TxnID, m.Kind, want[m.TxnID])
			}
			delete(want, m.TxnID)
		}
		if len(want) != 0 || len(got.Mismatches) != 5*each || got.Matched != 2*each || got.Theirs != len(registry) || got.Ours != 4*each {
			t.Errorf("not found: %v; %d of %d matched, %d mismatches, ours %d", want, got.Matched, got.Theirs, len(got.Mismatches), got.Ours)
		}
		other, err := w.Reconcile(ctx, "other-bank", w.Clock.Now(), registry[:1])
		if err != nil || len(other.Mismatches) != 1 || other.Mismatches[0].Kind != payment.MissingHere || other.Mismatches[0].Ours.ID != "" {
			t.Errorf("another partner sees %+v, %v", other, err)
		}
	})
}
