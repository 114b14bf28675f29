package notify_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// unreported are the phones that the provider is to be asked for.
func (w *world) unheard() string {
	w.T.Helper()
	list, err := w.Outbox.Unreported(w.T.Context(), "test", time.Minute, 10)
	if err != nil {
		w.T.Fatal(err)
	}
	var phones []string
	for _, m := range list {
		phones = append(phones, m.Phone)
		if strings.Contains(m.ProviderID, "/") {
			w.T.Errorf("its own id is %q", m.ProviderID)
		}
	}
	return strings.Join(phones, " ")
}

// ask asks for the message that waits longest.
func (w *world) ask() (m notify.Unreported, mine bool) {
	w.T.Helper()
	list, err := w.Outbox.Unreported(w.T.Context(), "test", time.Minute, 1)
	if err != nil || len(list) != 1 {
		w.T.Fatalf("%d messages are unreported: %v", len(list), err)
	}
	mine, err = w.Outbox.Ask(w.T.Context(), list[0], time.Minute)
	if err != nil {
		w.T.Fatal(err)
	}
	return list[0], mine
}

// TestUnreported walks over when a message without a report is asked for: not at once,
// then twice as late each time, by one process alone, until its end is known or it is
// too old.
func TestUnreported(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		w.send(receipt("a"))
		w.until(notify.Sent)
		if got := w.unheard(); got != "" {
			t.Errorf("%s is asked for at once", got)
		}
		w.Pass(time.Minute)
		if got := w.unheard(); got != phone {
			t.Errorf("after a minute %q is asked for", got)
		}
		first, mine := w.ask()
		if !mine {
			t.Error("nobody asks")
		}
		if again, err := w.Outbox.Ask(t.Context(), first, time.Minute); again || err != nil {
			t.Errorf("two ask: %v", err)
		}
		asked := []time.Duration{}
		for begun, wait := w.Now(), time.Duration(0); wait < 26*time.Hour; wait += time.Minute {
			if w.unheard() != "" {
				if _, mine := w.ask(); mine {
					asked = append(asked, w.Now().Sub(begun))
				}
			}
			w.Pass(time.Minute)
		}
		if got := fmt.Sprint(asked[:6]); got != "[2m0s 6m0s 14m0s 30m0s 1h2m0s 2h2m0s]" {
			t.Errorf("asked after %s", got)
		}
		if last := asked[len(asked)-1]; len(asked) != 27 || last > 24*time.Hour || last < 22*time.Hour {
			t.Errorf("asked %d times, the last after %v", len(asked), last)
		}
	})
}

// TestUnreportedEnds: who is known to have got the message is not asked for, nor is what
// is over for long; both ways a report counts once.
func TestUnreportedEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		w.send(notify.Message{To: phone, Text: "a", Purpose: notify.Code, ExpiresAt: start.Add(5 * time.Minute)})
		w.until(notify.Sent)
		w.Pass(9 * time.Minute)
		if got := w.unheard(); got != phone {
			t.Errorf("a code that is just over: %q", got)
		}
		w.Pass(2 * time.Minute)
		if got := w.unheard(); got != "" {
			t.Errorf("a code that is over for long: %q", got)
		}
		w.send(receipt("b"))
		w.until(notify.Sent, notify.Sent)
		w.Pass(time.Minute)
		m, _ := w.ask()
		for _, told := range []string{"accepted", "delivered", "delivered", "failed"} { // asked, pushed, and late
			if err := w.Outbox.NoteReceipt(t.Context(), notify.DeliveryReceipt{Provider: "test", ID: m.ProviderID, Message: m.ID, Status: told}); err != nil {
				t.Errorf("%s: %v", told, err)
			}
		}
		w.Pass(2 * time.Hour)
		if got := w.unheard(); got != "" {
			t.Errorf("one that was delivered: %q", got)
		}
		figures, err := w.Outbox.Outcomes(t.Context(), w.Now().Add(-3*time.Hour), time.Minute)
		if err != nil || len(figures) != 1 || figures[0].Messages != 2 || figures[0].Failed != 0 {
			t.Errorf("counted as %+v, %v", figures, err)
		}
	})
}

// TestAskedWithoutAnAnswer: a message whose answer was lost is asked for by our own id,
// and not sent again when the provider knows it. The next try, where there is one, is
// told by which operator the first went.
func TestAskedWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered, notify.ErrUnanswered)
		w.Work()
		w.send(receipt("once"))
		w.jobs("= 'scheduled'", 1)
		w.Pass(time.Minute)
		m, mine := w.ask()
		if !mine || m.ProviderID != "" {
			t.Errorf("asks for %+v", m)
		}
		told := notify.DeliveryReceipt{Provider: "test", ID: "its own", Message: m.ID, Status: "failed"}
		if err := w.Outbox.NoteReceipt(t.Context(), told); !errors.Is(err, notify.ErrUnknown) {
			t.Errorf("a try that failed is followed by the next: %v", err)
		}
		w.unreported()
		w.jobs("= 'scheduled'", 1)
		if tries := w.provider.taken(); len(tries) != 2 || tries[0].Operator != "" || tries[1].Operator != "MegaCom" {
			t.Errorf("tried %+v", tries)
		}
		told.Status, told.Operator = "delivered", "O!"
		if err := w.Outbox.NoteReceipt(t.Context(), told); err != nil {
			t.Error(err)
		}
		w.until(notify.Delivered)
		w.unreported()
		w.worked()
		if figures, err := w.Outbox.Outcomes(t.Context(), start, time.Hour); err != nil || len(figures) != 1 || figures[0].Operator != "MegaCom" || len(w.provider.taken()) != 2 {
			t.Errorf("counted as %+v after %d tries, %v", figures, len(w.provider.taken()), err)
		}
	})
}

// TestNoWayOpen: an account without money costs a message no try.
func TestNoWayOpen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, fmt.Errorf("planned: %w", notify.ErrUnavailable), fmt.Errorf("planned: %w", notify.ErrUnavailable))
		w.Work()
		w.send(receipt("patient"))
		for range 2 {
			w.jobs("= 'scheduled'", 1)
			w.due()
		}
		if m := w.until(notify.Sent)[0]; m.Tries != 1 || len(w.provider.taken()) != 3 {
			t.Errorf("sent after %d tries of %d", m.Tries, len(w.provider.taken()))
		}
	})
}
