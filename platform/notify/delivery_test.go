package notify_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// report tells what became of a message.
func (w *world) report(m notify.Stored, status string) {
	w.T.Helper()
	if err := w.Outbox.NoteReceipt(w.T.Context(), notify.DeliveryReceipt{Provider: m.Provider, ID: m.ProviderID, Status: status}); err != nil {
		w.T.Fatal(err)
	}
}

// TestOutcomes: of the messages sent since a moment those count as bad that
// failed, were delivered late, or of which nothing was heard in time.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		w.send(receipt("long ago"))
		w.until(notify.Sent)
		w.Pass(16 * time.Minute)
		w.send(receipt("in time"), receipt("late"), receipt("fails"), receipt("silence"))
		sent := map[string]notify.Stored{}
		for _, m := range w.until(notify.Sent, notify.Sent, notify.Sent, notify.Sent, notify.Sent) {
			sent[m.Text] = m
		}
		w.Pass(5 * time.Minute)
		w.report(sent["in time"], "delivered")
		w.report(sent["fails"], "undelivered")
		w.Pass(time.Second)
		w.report(sent["late"], "delivered")
		at := start.Add(21*time.Minute + time.Second)
		got, err := w.Outbox.Outcomes(t.Context(), at.Add(-15*time.Minute), 5*time.Minute)
		want := notify.Outcome{Provider: "test", Operator: "MegaCom", Messages: 4, Failed: 1, Slow: 1, Silent: 1}
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("counted %+v, %v, want %+v", got, err, want)
		}
	})
}

// What is queued when a process ends leaves from the next one, once.
func TestQueuedOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		newWorld(t, db).send(receipt("queued"))
		next := newWorld(t, db)
		next.Work()
		next.until(notify.Sent)
		if got := next.provider.taken(); len(got) != 1 || got[0].Text != "queued" {
			t.Errorf("sent %+v", got)
		}
	})
}

// The answer to the sending call was lost, and a report with our own id comes
// before the next try: the message was sent, and is not sent again.
func TestReportOfALostAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for status, want := range map[string]notify.State{"queued": notify.Sent, "delivered": notify.Delivered} {
			w := newWorld(t, db, errors.New("the answer is lost"))
			w.provider.during = func(m notify.MT) {
				r := notify.DeliveryReceipt{Provider: "test", ID: "SM-" + m.ID, Status: status, Message: m.ID, Operator: "MegaCom"}
				for range 2 { // providers repeat themselves
					if err := w.Outbox.NoteReceipt(t.Context(), r); err != nil {
						t.Error(err)
					}
				}
			}
			w.Work()
			w.send(notify.Message{To: phone, Text: "482913", Purpose: notify.Code, Locale: locales.KY})
			w.worked()
			list, err := w.Outbox.List(t.Context(), phone)
			if err != nil {
				t.Fatal(err)
			}
			if m := list[0]; m.State != want || m.Provider != "test" || m.ProviderID != "SM-"+m.ID || m.Text != "" {
				t.Errorf("%s: kept %+v", status, m)
			}
			if got := w.provider.taken(); len(got) != 1 {
				t.Errorf("%s: sent %d times", status, len(got))
			}
			w.Stop()
		}
	})
}

// A report that overtakes the answer and the answer add up.
func TestReportBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.provider.during = func(m notify.MT) {
			r := notify.DeliveryReceipt{Provider: "test", ID: "SM-" + m.ID, Status: "delivered", Message: m.ID}
			if err := w.Outbox.NoteReceipt(t.Context(), r); err != nil {
				t.Error(err)
			}
		}
		w.Work()
		w.send(receipt("fast"))
		w.worked()
		if m := w.until(notify.Delivered)[0]; m.Parts != 2 || m.Cost != 240 || m.Tries != 1 || m.ProviderID != "SM-"+m.ID {
			t.Errorf("kept %+v", m)
		}
		if err := w.Outbox.NoteReceipt(t.Context(), notify.DeliveryReceipt{Provider: "test", ID: "SM-other", Status: "failed", Message: w.until(notify.Delivered)[0].ID}); !errors.Is(err, notify.ErrUnknown) {
			t.Errorf("a report of another sending gave %v", err)
		}
	})
}

// worked waits until no message is waiting for a try.
func (w *world) worked() { w.T.Helper(); w.jobs("NOT IN ('completed', 'cancelled', 'discarded')", 0) }

// jobs waits until so many jobs have a state of the queue's that is like this.
func (w *world) jobs(like string, want int) {
	w.T.Helper()
	n := -1
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err := w.DB.Reader().QueryRow("SELECT COUNT(*) FROM river_job WHERE state " + like).Scan(&n); err != nil {
			w.T.Fatal(err)
		}
		if n == want {
			return
		}
	}
	w.T.Fatalf("the state of %d jobs is %s, want %d", n, like, want)
}

// A try that failed is followed by another after a second, then after two. The
// lower bounds are the contract; there are no upper ones.
func TestTriesLieApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		planned := errors.New("planned")
		w := newWorld(t, db, planned, planned)
		w.Work()
		w.send(receipt("at last"))
		w.until(notify.Sent)
		at := w.provider.tried()
		if len(at) != 3 || at[1].Sub(at[0]) < 900*time.Millisecond || at[2].Sub(at[1]) < 1800*time.Millisecond {
			t.Errorf("tried at %v", at)
		}
	})
}

// In quiet hours a notice waits as a job of the morning's; a receipt is due.
func TestQuietHoursHoldNotices(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		now := time.Now() // the queue's clock
		w := newQuietWorld(t, db, notify.Quiet{From: timeOfDay(now.Add(-time.Hour)), To: timeOfDay(now.Add(time.Hour)), Place: time.UTC})
		w.Set(now)
		for purpose, want := range map[notify.Purpose]string{
			notify.Notice: "scheduled", notify.Statutory: "scheduled", notify.Receipt: "available", notify.Code: "available", notify.Answer: "available",
		} {
			w.send(notify.Message{To: phone, Text: string(purpose), Purpose: purpose})
			var state string
			if err := db.Reader().QueryRow("SELECT state FROM river_job ORDER BY id DESC LIMIT 1").Scan(&state); err != nil || state != want {
				t.Errorf("%s is %s, %v", purpose, state, err)
			}
		}
	})
}

// A try that failed before the quiet hours is followed by none in them.
func TestHeldBetweenTries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		planned := errors.New("planned")
		w := newQuietWorld(t, db, notify.Quiet{From: 10 * time.Hour, To: 11 * time.Hour, Place: time.UTC}, planned, planned)
		w.provider.during = func(notify.MT) { w.Pass(time.Hour) } // 09:00, 10:00
		w.Work()
		w.send(notify.Message{To: phone, Text: "offer", Purpose: notify.Statutory})
		w.jobs("= 'scheduled'", 1)
		w.jobs("= 'retryable'", 0)
		if got := len(w.provider.taken()); got != 1 {
			t.Errorf("%d tries, one before the quiet hours", got)
		}
	})
}

// A notice that was queued is blocked when STOP comes before it leaves.
func TestStopReachesTheQueue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.send(notify.Message{To: phone, Text: "news", Purpose: notify.Notice})
		if err := db.InTx(t.Context(), func(tx *store.Tx) error { return w.Outbox.Stop(t.Context(), tx, phone) }); err != nil {
			t.Fatal(err)
		}
		w.Work()
		w.until(notify.Blocked)
		if got := w.provider.taken(); len(got) != 0 {
			t.Errorf("sent %+v", got)
		}
	})
}

// What the citizen waits for goes before what they do not.
func TestCodesGoFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for range 40 {
			w.send(notify.Message{To: phone, Text: "offer", Purpose: notify.Statutory})
		}
		w.send(notify.Message{To: phone, Text: "code", Purpose: notify.Code}, receipt("paid"))
		w.Work()
		w.worked()
		// Who is taken up together is worked on in any order: the moment it was counts.
		const count = `SELECT COUNT(*) FROM river_job WHERE priority = $1`
		const earlier = ` AND attempted_at < (SELECT MIN(attempted_at) FROM river_job WHERE priority = $2)`
		for first, jobs := range map[int]int{1: 1, 2: 1, 3: 40} {
			var n, late int
			if err := db.Reader().QueryRow(count, first).Scan(&n); err != nil || n != jobs {
				t.Fatalf("%d messages have priority %d, %v, want %d", n, first, err, jobs)
			}
			if err := db.Reader().QueryRow(count+earlier, 3, first).Scan(&late); err != nil || late != 0 {
				t.Errorf("%d notices left before what has priority %d: %v", late, first, err)
			}
		}
	})
}

// A way that is full for now costs no try.
func TestFullWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, fmt.Errorf("planned: %w", notify.ErrFull))
		w.Work()
		w.send(receipt("patient"))
		if m := w.until(notify.Sent)[0]; m.Tries != 1 {
			t.Errorf("sent after %d tries", m.Tries)
		}
	})
}

// timeOfDay is how long after midnight a moment is.
func timeOfDay(at time.Time) time.Duration {
	at = at.UTC()
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
}
