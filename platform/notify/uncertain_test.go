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
func (w *world) hears(r notify.DeliveryReceipt) error {
	r.ID, r.Phone, r.Orphan = "unheard of", phone, true
	return w.Outbox.NoteReceipt(w.T.Context(), r)
}

// hearsOf takes the report of a delivery with an id that no message has.
func (w *world) hearsOf(id string) {
	w.T.Helper()
	if err := w.Outbox.NoteReceipt(w.T.Context(), notify.DeliveryReceipt{Provider: "test", ID: id, Phone: phone, Orphan: true, Status: "delivered"}); err != nil {
		w.T.Error(err)
	}
}

// due makes the queue's clock strike for the jobs that wait for a moment.
func (w *world) due() {
	w.T.Helper()
	if _, err := w.DB.Writer().Exec("UPDATE river_job SET state = 'available', scheduled_at = attempted_at WHERE state IN ('scheduled', 'retryable')"); err != nil {
		w.T.Fatal(err)
	}
}

// unreported lets the time for a report pass.
func (w *world) unreported() { w.T.Helper(); w.Pass(91 * time.Second); w.due() }

// A provider that did not answer may have the message: it is held back for the
// provider's report, which knows it by no id of ours, and then not sent again. The
// report may also come while the answer is awaited.
func TestReportByThePhone(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"early": true, "late": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, notify.ErrUnanswered)
				report := func() {
					for range 2 { // providers repeat themselves
						w.hearsOf("unheard of")
					}
				}
				if early {
					w.provider.during = func(notify.MT) { report() }
				}
				w.Work()
				w.send(receipt("once"))
				if !early {
					w.jobs("= 'scheduled'", 1)
					report()
					w.due()
				}
				m := w.until(notify.Delivered)[0]
				if m.Provider != "test" || m.ProviderID != "unheard of" || m.Parts != 2 || m.Cost != 240 {
					t.Errorf("kept %+v", m)
				}
				w.worked()
				if got := w.provider.taken(); len(got) != 1 {
					t.Errorf("sent %d times", len(got))
				}
			})
		})
	}
}

// With no report in time the message is sent again; one of a failure, or of another
// provider, is none.
func TestNoReportInTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.Work()
		w.send(receipt("again"))
		w.jobs("= 'scheduled'", 1)
		if err := w.hears(notify.DeliveryReceipt{Provider: "test", Status: "undelivered"}); !errors.Is(err, notify.ErrUnknown) {
			t.Errorf("a report of a failure gave %v", err)
		}
		if err := w.hears(notify.DeliveryReceipt{Provider: "other", Status: "delivered"}); err != nil {
			t.Error(err)
		}
		w.unreported()
		w.until(notify.Sent)
		if got := w.provider.taken(); len(got) != 2 {
			t.Errorf("%d tries", len(got))
		}
	})
}

// A process is killed between the provider's answer and noting it: the report finds
// the message.
func TestReportAfterAKill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.send(receipt("once"))
		// What the rescue of a stuck job leaves: one try that came to no end.
		if _, err := db.Writer().Exec("UPDATE river_job SET attempt = 1"); err != nil {
			t.Fatal(err)
		}
		w.hearsOf("unheard of")
		w.Work()
		if m := w.until(notify.Delivered)[0]; m.Provider != "test" || m.ProviderID != "unheard of" || len(w.provider.taken()) != 0 {
			t.Errorf("kept %+v after %d tries", m, len(w.provider.taken()))
		}
	})
}

// A code does not wait for a report.
func TestCodesAreNotHeld(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.Work()
		w.send(notify.Message{To: phone, Text: "482913", Purpose: notify.Code})
		w.until(notify.Sent)
	})
}

// A report that can be about two messages is about none: one that a provider does
// not have would never be sent. What is known by its id later was not uncertain.
func TestReportOfEither(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"in flight": false, "answered": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, notify.ErrUnanswered)
				answer := make(chan struct{})
				w.provider.during = func(m notify.MT) {
					if m.Text != "in flight" {
						return
					}
					// Its report overtakes its answer.
					r := notify.DeliveryReceipt{Provider: "test", ID: "SM-" + m.ID, Phone: phone, Orphan: true, Status: "delivered"}
					if err := w.Outbox.NoteReceipt(t.Context(), r); err != nil {
						t.Error(err)
					}
					if !known {
						<-answer
					}
				}
				w.Work()
				w.send(receipt("uncertain"))
				w.jobs("= 'scheduled'", 1)
				w.send(notify.Message{To: phone, Text: "in flight", Purpose: notify.Answer})
				if known { // its report was not lost
					w.until(notify.Delivered, notify.Queued)
				} else {
					w.orphans(1)
				}
				w.unreported()
				if !known {
					w.until(notify.Queued, notify.Sent)
				}
				close(answer)
				w.until(notify.Delivered, notify.Sent)
				if got := w.provider.taken(); len(got) != 3 {
					t.Errorf("%d tries of two messages, of which one was uncertain", len(got))
				}
			})
		})
	}
}

// orphans waits for so many receipts without a message.
func (w *world) orphans(want int) {
	w.T.Helper()
	n := -1
	for deadline := time.Now().Add(20 * time.Second); n != want; time.Sleep(20 * time.Millisecond) {
		if err := w.DB.Reader().QueryRow("SELECT COUNT(*) FROM notify_strays").Scan(&n); err != nil || time.Now().After(deadline) {
			w.T.Fatalf("%d reports of no message, %v", n, err)
		}
	}
}

// looseCopies are how a copy comes about whose id nobody knows: the plan of the tries,
// the message, and what happens to it.
var looseCopies = map[string]struct {
	plan   []error
	loose  notify.Message
	during func(w *world, m notify.MT) // what happens while a try is under way; nil: nothing
	after  func(w *world)              // and after the first one; nil: nothing
}{
	"of a code": {
		[]error{notify.ErrUnanswered, nil}, notify.Message{To: phone, Text: "482913", Purpose: notify.Code}, nil, nil,
	},
	"of a receipt to a phone that was off": {[]error{notify.ErrUnanswered, nil}, receipt("sent again"), nil, func(w *world) {
		w.jobs("= 'scheduled'", 1)
		w.unreported()
	}},
	"after another error": {[]error{errors.New("status 504"), nil}, receipt("sent again"), nil, nil},
	"without an id": {[]error{nil}, receipt("first"), nil, func(w *world) {
		w.until(notify.Sent)
		if _, err := w.DB.Writer().Exec("UPDATE notify_messages SET provider_id = NULL, state = 'delivered'"); err != nil {
			w.T.Fatal(err)
		}
	}},
	"of one whose first copy was reported on": {[]error{errors.New("status 504"), errors.New("status 504")}, receipt("twice"), func(w *world, m notify.MT) {
		if m.Try == 2 {
			w.hearsOf("the first copy")
		}
	}, nil},
	"of one matched while it was tried again": {[]error{errors.New("status 504"), nil}, receipt("twice"), func(w *world, m notify.MT) {
		if m.Try != 2 {
			return
		}
		r := notify.DeliveryReceipt{Provider: "other", ID: "SM1", Message: m.ID, Status: "delivered"}
		if err := w.Outbox.NoteReceipt(w.T.Context(), r); err != nil {
			w.T.Error(err)
		}
	}, nil},
	"of one that expired": {[]error{notify.ErrUnanswered}, expiring("over before its report"), nil, func(w *world) {
		w.jobs("= 'scheduled'", 1)
		w.Pass(2 * time.Second)
		w.due()
	}},
}

// A first copy that nobody knows the id of can be meant too, whatever became of its
// message: what no provider has must be sent again.
func TestReportOfALooseCopy(t *testing.T) {
	t.Parallel()
	for name, c := range looseCopies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, append(c.plan, notify.ErrUnanswered)...)
				w.provider.during = func(m notify.MT) {
					if c.during != nil && m.Text == c.loose.Text {
						c.during(w, m)
					}
				}
				w.Work()
				w.send(c.loose)
				if c.after != nil {
					c.after(w)
				}
				w.worked()
				w.Pass(time.Hour)
				w.send(receipt("not taken"))
				w.jobs("= 'scheduled'", 1)
				w.hearsOf("the other copy")
				w.unreported()
				w.worked()
				if got := w.provider.taken(); len(got) != len(c.plan)+2 || got[len(got)-1].Text != "not taken" {
					t.Errorf("handed over %+v", got)
				}
			})
		})
	}
}

// A report may have the id in another form than the answer that it overtook.
func TestReportInAnotherForm(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, nil, notify.ErrUnanswered)
		w.provider.during = func(m notify.MT) {
			if m.Text == "first" {
				w.hearsOf("161")
			}
		}
		w.provider.names = "A1"
		w.Work()
		w.send(receipt("first"))
		w.until(notify.Sent)
		if err := w.Outbox.NoteReceipt(t.Context(), notify.DeliveryReceipt{Provider: "test", ID: "A1", Status: "delivered"}); err != nil {
			t.Fatal(err)
		}
		w.worked()
		w.send(receipt("not taken"))
		w.jobs("= 'scheduled'", 1)
		w.unreported()
		w.worked()
		if got := w.provider.taken(); len(got) != 3 {
			t.Errorf("%d tries of two messages, of which the second was not taken", len(got))
		}
	})
}

// A report that came before a message was handed to anybody is not about it.
func TestReportBeforeAnyTry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.send(receipt("waits"))
		w.Pass(time.Hour)
		w.hearsOf("unheard of")
		w.Pass(time.Hour)
		w.Work()
		w.jobs("= 'scheduled'", 1)
		w.unreported()
		w.until(notify.Sent)
	})
}

// expiring is a receipt that is over a second after the start.
func expiring(text string) notify.Message {
	m := receipt(text)
	m.ExpiresAt = start.Add(time.Second)
	return m
}

// T12: what went twice without an answer is not sent a third time, for as long as it
// lives; a late answer ends the wait, and a late refusal has it sent again.
func TestNeverThreeCopies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		purpose notify.Purpose
		status  string // of the late answer; "": none comes
		state   notify.State
		tries   int
	}{
		"a receipt":               {notify.Receipt, "", notify.Failed, 2},
		"a code":                  {notify.Code, "", notify.Failed, 2},
		"a late answer":           {notify.Receipt, "accepted", notify.Sent, 2},
		"a late refusal":          {notify.Receipt, notify.NotTaken, notify.Sent, 3},
		"a late answer to a code": {notify.Code, "accepted", notify.Sent, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, notify.ErrUnanswered, notify.ErrUnanswered)
				w.Work()
				w.send(notify.Message{To: phone, Text: "482913", Purpose: test.purpose})
				for n := 1; n <= 2; n++ {
					w.uncertain(n)
					w.waits()
					w.unreported()
				}
				for range 3 { // it only waits
					w.waits()
					w.Pass(time.Hour)
					w.due()
				}
				w.waits()
				if got := w.provider.taken(); len(got) != 2 {
					t.Errorf("%d copies", len(got))
				}
				if test.status == "" {
					w.Pass(8 * 24 * time.Hour)
				} else if err := w.Outbox.NoteReceipt(t.Context(), notify.DeliveryReceipt{
					Provider: "test", ID: "late", Status: test.status, Message: w.provider.taken()[0].ID,
				}); err != nil {
					t.Error(err)
				}
				w.due()
				w.until(test.state)
				if got := w.provider.taken(); len(got) != test.tries {
					t.Errorf("%d tries", len(got))
				}
			})
		})
	}
}

// uncertain waits until so many tries are known to have had no answer.
func (w *world) uncertain(want int) {
	w.T.Helper()
	n := -1
	for deadline := time.Now().Add(20 * time.Second); n != want; time.Sleep(10 * time.Millisecond) {
		if err := w.DB.Reader().QueryRow("SELECT MAX(uncertain) FROM notify_messages").Scan(&n); err != nil || time.Now().After(deadline) {
			w.T.Fatalf("%d tries without an answer, %v", n, err)
		}
	}
}

// waits waits until the message's job waits for its moment.
func (w *world) waits() {
	w.T.Helper()
	n := 0
	for deadline := time.Now().Add(20 * time.Second); n != 1; time.Sleep(10 * time.Millisecond) {
		row := w.DB.Reader().QueryRow("SELECT COUNT(*) FROM river_job WHERE state IN ('scheduled', 'retryable')")
		if err := row.Scan(&n); err != nil || time.Now().After(deadline) {
			w.T.Fatalf("%d jobs wait, %v", n, err)
		}
	}
}
