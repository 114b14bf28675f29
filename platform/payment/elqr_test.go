package payment_test

import (
	"context"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/elqr"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestELQRIsOfWhatCanBePaid: a confirmed payment's code and sum, as long as it can be paid.
func TestELQRIsOfWhatCanBePaid(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.awaiting(t, aigul, "t", "1")
		_, err := w.ELQR(p, w.Clock.Now())
		mustBe(t, err, "problem.payment_elqr")
		w.PayTo(elqr.Recipient{Provider: "fines.example.kg", Service: "fine", ID: "1", Name: "Eshik"})
		code, err := w.ELQR(p, w.Clock.Now())
		testworld.OK(t, err)
		if !elqr.Valid(code.Payload) || !strings.Contains(code.Payload, "1110"+p.Code) || !strings.Contains(code.Payload, "5406150000") || !strings.HasSuffix(code.Link, code.Payload) {
			t.Errorf("%+v", code)
		}
		_, err = w.ELQR(p, p.ExpiresAt)
		mustBe(t, err, "problem.payment_elqr_state")
		q, err := w.Open(ctx, w.Caller(bakyt, "t2"), "fine", []string{"1"})
		testworld.OK(t, err)
		_, err = w.ELQR(q, w.Clock.Now())
		mustBe(t, err, "problem.payment_elqr_state")
		if w.pay(t, wallet, "1", p) != payment.Approved {
			t.Fatal("not paid")
		}
		_, err = w.ELQR(w.state(t, aigul, p), w.Clock.Now())
		mustBe(t, err, "problem.payment_elqr_state")
	})
}
