package notify_test

import (
	"errors"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// hears takes a report about a message that nothing names but its phone.
func (w *world) hears(r notify.Report) error {
	r.ID, r.Phone = "unheard of", phone
	return w.outbox.Report(w.t.Context(), r)
}

// due makes the queue's clock strike for the jobs that wait for a moment.
func (w *world) due() {
	w.t.Helper()
	if _, err := w.db.Writer().Exec("UPDATE river_job SET state = 'available', scheduled_at = attempted_at WHERE state = 'scheduled'"); err != nil {
		w.t.Fatal(err)
	}
}

// A provider that did not answer may have the message: it is held back for the
// provider's report, which knows it by no id of ours, and then not sent again.
func TestReportByThePhone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.start()
		w.send(receipt("once"))
		w.jobs("= 'scheduled'", 1)
		for name, r := range map[string]notify.Report{
			"of another provider": {Provider: "other", Status: "delivered"},
			"of a failure":        {Provider: "test", Status: "undelivered"},
		} {
			if err := w.hears(r); !errors.Is(err, notify.ErrUnknown) {
				t.Errorf("a report %s gave %v", name, err)
			}
		}
		for range 2 {
			if err := w.hears(notify.Report{Provider: "test", Status: "delivered"}); err != nil {
				t.Fatal(err)
			}
		}
		m := w.until(notify.Delivered)[0]
		if m.Provider != "test" || m.ProviderID != "unheard of" || m.Parts != 2 || m.Cost != 240 {
			t.Errorf("kept %+v", m)
		}
		w.due()
		w.worked()
		if got := w.provider.taken(); len(got) != 1 {
			t.Errorf("sent %d times", len(got))
		}
	})
}

// The report may come while the answer is awaited that never comes.
func TestReportBeforeTheDoubt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.provider.during = func(notify.Outgoing) {
			for range 2 {
				if err := w.hears(notify.Report{Provider: "test", Status: "delivered"}); !errors.Is(err, notify.ErrUnknown) {
					t.Errorf("it is not known yet that the answer is lost: %v", err)
				}
			}
		}
		w.start()
		w.send(receipt("once"))
		m := w.until(notify.Delivered)[0]
		if m.ProviderID != "unheard of" || m.Cost != 240 {
			t.Errorf("kept %+v", m)
		}
		w.worked()
		if got := w.provider.taken(); len(got) != 1 {
			t.Errorf("sent %d times", len(got))
		}
	})
}

// With no report in time the message is sent again.
func TestNoReportInTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.start()
		w.send(receipt("again"))
		w.jobs("= 'scheduled'", 1)
		w.pass(16 * time.Second)
		w.due()
		w.until(notify.Sent)
		if got := w.provider.taken(); len(got) != 2 {
			t.Errorf("%d tries", len(got))
		}
	})
}

// A code does not wait for a report.
func TestCodesAreNotHeld(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.start()
		w.send(notify.Message{To: phone, Text: "482913", Purpose: notify.Code})
		w.until(notify.Sent)
	})
}

// A report that can be about two messages is about none: one that a provider does
// not have would never be sent.
func TestReportOfEither(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		heard := make(chan error, 1)
		w.provider.during = func(m notify.Outgoing) {
			if m.Text == "in flight" { // its report overtakes its answer
				heard <- w.hears(notify.Report{Provider: "test", Status: "delivered"})
			}
		}
		w.start()
		w.send(receipt("in doubt"))
		w.jobs("= 'scheduled'", 1)
		w.send(notify.Message{To: phone, Text: "in flight", Purpose: notify.Answer})
		if err := <-heard; !errors.Is(err, notify.ErrUnknown) {
			t.Errorf("a report that can be about either gave %v", err)
		}
		w.until(notify.Sent, notify.Queued)
		if err := w.hears(notify.Report{Provider: "test", Status: "delivered"}); err != nil {
			t.Errorf("the one in flight has its id now, the other is meant: %v", err)
		}
		w.until(notify.Sent, notify.Delivered)
	})
}

// A message that was given up while its provider may have it can be meant too.
func TestReportOfOneGivenUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered, notify.ErrUnanswered)
		w.start()
		over := receipt("over before its report")
		over.ExpiresAt = start.Add(time.Second)
		w.send(over)
		w.jobs("= 'scheduled'", 1)
		w.pass(2 * time.Second)
		w.due()
		w.until(notify.Expired)
		w.send(receipt("in doubt"))
		w.jobs("= 'scheduled'", 1)
		if err := w.hears(notify.Report{Provider: "test", Status: "delivered"}); !errors.Is(err, notify.ErrUnknown) {
			t.Errorf("a report that can be about either gave %v", err)
		}
	})
}
