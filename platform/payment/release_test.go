package payment_test

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestANumberChangesHandsWhileTheRegisterThinks: what was asked before is not opened for who
// holds the number then.
func TestANumberChangesHandsWhileTheRegisterThinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.released = problem.New(problem.Unauthenticated, "problem.identity_token")
		w.register.price["1001"] = 1500 * money.Som
		_, err := w.Open(t.Context(), w.Caller("+996555000001", "t1"), "fine", []string{"1001"})
		testworld.Refused(t, err, "problem.identity_token")
		if n := w.Number("SELECT COUNT(*) FROM payments"); n != 0 {
			t.Errorf("%d payments are kept", n)
		}
	})
}

// TestReleasedWhileTheRegisterIsPaid: a receipt goes to who paid, never to who holds the
// number when the register answers.
func TestReleasedWhileTheRegisterIsPaid(t *testing.T) {
	for name, outcome := range map[string]payment.Outcome{"settled": payment.OutcomeSettled, "back": payment.OutcomePaid, "in doubt": payment.OutcomeDoubt} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				w.register.refuse["1001"] = outcome
				opened := w.awaiting(t, testworld.Aigul, "t1", "1001")
				asked, answer := make(chan struct{}), make(chan struct{})
				w.register.pause = func() { close(asked); <-answer }
				w.Work()
				testworld.Eventually(t, "the code by SMS", func() bool { return len(w.Phones.Texts()) == 1 })
				w.accept(t, "1", opened)
				<-asked
				testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPhone(t.Context(), tx, testworld.Aigul, w.Clock.Now()) }))
				close(answer)
				testworld.Eventually(t, "the end", func() bool { return w.Number("SELECT COUNT(*) FROM payments WHERE state = 'accepted'") == 0 })
				if n := w.Number("SELECT COUNT(*) FROM notify_messages"); n != 1 {
					t.Errorf("%d messages, the code's own is the only one", n)
				}
				testworld.OK(t, w.check(t))
			})
		})
	}
}

// TestReleasedWhileAPriceIsAsked: that a code is closed is told to whose it was, never to who
// holds the number when the register answers.
func TestReleasedWhileAPriceIsAsked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		opened := w.awaiting(t, testworld.Aigul, "t1", "1001")
		before := w.Number("SELECT COUNT(*) FROM notify_messages")
		w.register.price["1001"] = 2000 * money.Som
		w.register.asked = func() {
			testworld.OK(t, db.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPhone(t.Context(), tx, testworld.Aigul, w.Clock.Now()) }))
		}
		answer, err := w.Check(t.Context(), payment.Partner{ID: wallet, Every: true}, opened.Code, opened.Amount)
		testworld.OK(t, err)
		if answer.Decision != payment.NotPayable {
			t.Errorf("the code of before is %s", answer.Decision)
		}
		if n := w.Number("SELECT COUNT(*) FROM notify_messages"); n != before {
			t.Errorf("%d messages to who holds the number now", n-before)
		}
	})
}

// TestS2AReleasedPhoneHasNoPayments: the number's next holder neither sees what the
// earlier one opened nor is told of it.
func TestS2AReleasedPhoneHasNoPayments(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		const phone = "+996555000001"
		opened := w.awaiting(t, phone, "t1", "1001")
		err := db.InTx(t.Context(), func(tx *store.Tx) error { return w.CutPhone(t.Context(), tx, phone, w.Clock.Now()) })
		if err != nil {
			t.Fatal(err)
		}
		if p, err := w.Get(t.Context(), w.Caller(phone, "t2"), opened.ID); err == nil {
			t.Errorf("the next holder sees %+v", p)
		}
	})
}
