package payment_test

import (
	"testing"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

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
