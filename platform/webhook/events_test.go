package webhook_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/webhook"
)

const wallet = "demo-wallet"

// world is a log of events with a clock.
type world struct {
	*testworld.World
	events   *webhook.Events
	disabled sync.Map // the partners that are
}

// Served is that of partners.Service.
func (w *world) Served(_ context.Context, partner string) (bool, error) {
	_, disabled := w.disabled.Load(partner)
	return !disabled, nil
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := testworld.New(t, db, testworld.Setup{})
	events, err := webhook.NewEvents(webhook.Events{DB: db, Now: w.Clock.Now})
	w.OK(err)
	return &world{World: w, events: events}
}

// happens writes an event down in a transaction that lasts as long.
func (w *world) happens(partner, payment string, lasts time.Duration) error {
	return w.DB.InTx(context.Background(), func(tx *store.Tx) error {
		err := w.events.Record(context.Background(), tx, webhook.Event{Partner: partner, Kind: webhook.Settled, PaymentID: payment, Code: "1", Service: "fine", Amount: 100})
		time.Sleep(lasts)
		return err
	})
}

func (w *world) check(t testing.TB) error {
	t.Helper()
	return w.DB.Snapshot(t.Context(), func(tx *sql.Tx) error { return webhook.Check(t.Context(), tx) })
}

// TestNoEventIsPassedBy: transactions that commit in another order than they wrote, two
// processes that number, and a reader who follows: every event is seen once, and those of a
// payment in their order.
func TestNoEventIsPassedBy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		const writers, each = 8, 40
		var writing, numbering sync.WaitGroup
		var done atomic.Bool
		for n := range writers {
			writing.Go(func() {
				for i := range each {
					// The even ones hold their transactions open past the commits of the odd ones.
					if err := w.happens(wallet, fmt.Sprintf("p%d-%d", n, i/4), time.Duration((n+1)%2*i%7)*time.Millisecond); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 2 {
			numbering.Go(func() {
				// What is committed after the last look of the loop is numbered once more.
				for over := false; !over; {
					over = done.Load()
					if err := w.events.Number(context.Background()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		go func() { writing.Wait(); done.Store(true) }()
		seen, versions, after := map[string]bool{}, map[string]int64{}, ""
		for deadline := time.Now().Add(time.Minute); len(seen) < writers*each && time.Now().Before(deadline); {
			list, _, err := w.events.After(t.Context(), wallet, after, 7)
			w.OK(err)
			for _, e := range list {
				if seen[e.ID] || e.Version != versions[e.PaymentID]+1 {
					t.Errorf("event %d of %s came after %d", e.Version, e.PaymentID, versions[e.PaymentID])
				}
				seen[e.ID], versions[e.PaymentID], after = true, e.Version, e.ID
			}
		}
		numbering.Wait()
		if len(seen) != writers*each {
			t.Errorf("a reader saw %d of %d events", len(seen), writers*each)
		}
		w.OK(w.check(t))
	})
}

// TestWhoseEvents: another partner's id and one of nobody's are the same answer, and pages end.
func TestWhoseEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for i := range 1000 {
			w.OK(w.happens(wallet, fmt.Sprint("p", i), 0))
		}
		w.OK(w.happens("other-bank", "p", 0))
		w.OK(w.events.Number(t.Context()))
		w.Clock.Pass(-time.Hour) // the clock was wrong
		w.OK(w.happens(wallet, "p0", 0))
		if list, more, err := w.events.After(t.Context(), wallet, "", 1000); err != nil || len(list) != 1000 || more {
			t.Errorf("before it is numbered: %d, %t, %v", len(list), more, err)
		}
		w.OK(w.events.Number(t.Context()))
		list, more, err := w.events.After(t.Context(), wallet, "", 1000)
		if err != nil || len(list) != 1000 || !more {
			t.Fatalf("%d, %t, %v", len(list), more, err)
		}
		last, more, err := w.events.After(t.Context(), wallet, list[999].ID, 1000)
		if err != nil || more || len(last) != 1 || last[0].PaymentID != "p0" || last[0].Version != 2 {
			t.Errorf("%+v, %t, %v", last, more, err)
		}
		theirs, _, err := w.events.After(t.Context(), "other-bank", "", 5)
		if err != nil || len(theirs) != 1 || !strings.HasPrefix(theirs[0].ID, "evt_") {
			t.Fatalf("%+v, %v", theirs, err)
		}
		for _, id := range []string{theirs[0].ID, "evt_00000000000000000000000000000000"} {
			if _, _, err := w.events.After(t.Context(), wallet, id, 5); problem.From(err).Key != "problem.partner_event_absent" {
				t.Errorf("%s: %v", id, err)
			}
		}
		w.OK(w.check(t))
	})
}

// TestNumbersThatWereChanged: a gap, a number twice and a head that lies are named.
func TestNumbersThatWereChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for i := range 3 {
			w.OK(w.happens(wallet, fmt.Sprint("p", i), 0))
		}
		w.OK(w.events.Number(t.Context()))
		w.OK(w.check(t))
		var plants []storetest.Plant
		for _, statement := range []string{
			"DELETE FROM partner_events WHERE seq = 2", "UPDATE partner_events SET seq = 9 WHERE seq = 3", "UPDATE partner_event_heads SET last = 2", "DELETE FROM partner_events",
		} {
			plants = append(plants, storetest.Plant{Name: statement, Statements: []string{statement}, Named: []string{"partner " + wallet}})
		}
		storetest.Planted(t, db, plants, func(tx *sql.Tx) error { return webhook.Check(t.Context(), tx) })
	})
}
