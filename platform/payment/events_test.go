package payment_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// reads are a partner's events in a few words.
func (w *world) reads(t *testing.T, partner string) (list []string) {
	t.Helper()
	events := w.Deps.Events.(*webhook.Events)
	testworld.OK(t, events.Number(t.Context()))
	found, _, err := events.After(t.Context(), partner, "", 1000)
	testworld.OK(t, err)
	for _, e := range found {
		list = append(list, fmt.Sprintf("%s %s v%d %q back %d", e.Code, e.Kind, e.Version, e.TxnID, e.Refund))
	}
	return list
}

// TestWhatPartnersRead: each change of a partner's payment is one event of its own, whoever made
// it and however it ended; what is no partner's, or was not taken, is none.
func TestWhatPartnersRead(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.register.refuse["22"], w.register.refuse["32"], w.register.refuse["33"] = payment.OutcomePaid, payment.OutcomeDoubt, payment.OutcomePaid
		paid := w.quote(t, wallet, "key-0001", "11")
		lost := w.quote(t, "other-bank", "key-0001", "11") // comes second
		back := w.quote(t, wallet, "key-0002", "12")       // is taken back
		_, err := w.CancelQuote(ctx, wallet, back.Code, w.Clock.Now())
		testworld.OK(t, err)
		_, err = w.CancelQuote(ctx, wallet, back.Code, w.Clock.Now())
		testworld.OK(t, err)
		citizen := w.awaiting(t, aigul, "t1", "21", "22") // the second goes back
		doubted := w.awaiting(t, bakyt, "t2", "31", "32", "33")
		for i, p := range []payment.Payment{paid.Payment, citizen, doubted} {
			for range 2 {
				w.accept(t, fmt.Sprint(i+1), p)
			}
			w.Pass(time.Minute)
			testworld.OK(t, w.Settle(ctx, p.ID))
			testworld.OK(t, w.Settle(ctx, p.ID))
		}
		clerk := staff.Act{Actor: "staff:b"}
		_, err = w.Returned(ctx, clerk, citizen.ID, "7")
		testworld.OK(t, err)
		_, err = w.Returned(ctx, clerk, doubted.ID, "8")
		testworld.OK(t, err)
		w.whole(t)
		testworld.OK(t, w.Decide(ctx, clerk, doubted.ID, 1, true, "9"))
		want := []string{
			paid.Code + ` payment.created v1 "" back 0`, paid.Code + ` payment.settled v2 "1" back 0`,
			back.Code + ` payment.created v1 "" back 0`, back.Code + ` payment.cancelled v2 "" back 0`,
			citizen.Code + ` payment.refund_due v1 "2" back 150000`, citizen.Code + ` payment.refunded v2 "2" back 150000`,
			doubted.Code + ` payment.in_doubt v1 "3" back 150000`, doubted.Code + ` payment.refunded v2 "3" back 150000`,
			doubted.Code + ` payment.refunded v3 "3" back 150000`,
		}
		got := w.reads(t, wallet)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("the wallet reads\n%q\nwant\n%q", got, want)
		}
		if got := w.reads(t, "other-bank"); !slices.Equal(got, []string{lost.Code + ` payment.created v1 "" back 0`, lost.Code + ` payment.refused v2 "" back 0`}) {
			t.Errorf("who came second reads %q", got)
		}
		w.whole(t)
	})
}

// TestAnEventThatIsMissing: fsck names a payment of a partner that is over and of which an
// event, or each, was taken away or changed; not one of before there were events.
func TestAnEventThatIsMissing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		before := w.awaiting(t, bakyt, "t0", "9")
		w.accept(t, "9", before)
		testworld.OK(t, w.Settle(ctx, before.ID))
		_, err := db.Writer().ExecContext(ctx, "DELETE FROM partner_events")
		testworld.OK(t, err)
		w.quote(t, wallet, "key-0000", "1")
		w.Pass(2 * time.Hour)
		p := w.quote(t, wallet, "key-0001", "2")
		w.accept(t, "1", p.Payment)
		testworld.OK(t, w.Settle(ctx, p.ID))
		w.whole(t)
		of := " WHERE payment_id = '" + p.ID + "'"
		storetest.Planted(t, db, []storetest.Plant{
			{Name: "all", Statements: []string{"DELETE FROM partner_events" + of}, Named: []string{p.ID, "no event says so"}},
			{Name: "the last", Statements: []string{"DELETE FROM partner_events" + of + " AND version = 2"}, Named: []string{p.ID, "the last event that its partner reads is payment.created"}},
			{Name: "the first", Statements: []string{"DELETE FROM partner_events" + of + " AND version = 1"}, Named: []string{p.ID, "is missing"}},
			{Name: "another sum", Statements: []string{"UPDATE partner_events SET amount = 1" + of}, Named: []string{p.ID, "is of 1 tyiyn"}},
			{Name: "another's", Statements: []string{"UPDATE partner_events SET partner_id = 'other-bank'" + of}, Named: []string{p.ID, "to other-bank"}},
		}, func(tx *sql.Tx) error {
			c := payment.NewCheck(w.Audit)
			_, err := w.Audit.Replay(ctx, tx, c.See)
			testworld.OK(t, err)
			return c.Run(ctx, tx, func(int) {})
		})
	})
}
