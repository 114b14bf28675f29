package notify_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

func TestSendAndReport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		w.send(receipt("Төлөндү: 1 500 сом"))
		m := w.until(notify.Sent)[0]
		got := w.provider.taken()[0]
		want := notify.MT{ID: m.ID, To: phone, Text: "Төлөндү: 1 500 сом", Locale: locales.KY, Purpose: notify.Receipt, Try: 1}
		if got != want || m.ProviderID != "SM-"+m.ID || m.Text != want.Text || m.Tries != 1 ||
			m.Provider != "test" || m.Parts != 2 || m.Cost != 240 {
			t.Errorf("sent %+v, kept %+v", got, m)
		}
		for _, report := range []struct {
			status string
			state  notify.State
		}{{"sent", notify.Sent}, {"Delivered", notify.Delivered}, {"failed", notify.Delivered}, {"delivered", notify.Delivered}, {"queued", notify.Delivered}, {"sent", notify.Delivered}} {
			if err := w.Outbox.NoteReceipt(t.Context(), notify.DeliveryReceipt{Provider: "test", ID: m.ProviderID, Status: report.status}); err != nil {
				t.Fatal(err)
			}
			w.until(report.state)
		}
		for provider, id := range map[string]string{"test": "SM-unknown", "": "", "other": m.ProviderID} {
			if err := w.Outbox.NoteReceipt(t.Context(), notify.DeliveryReceipt{Provider: provider, ID: id, Status: "delivered"}); !errors.Is(err, notify.ErrUnknown) {
				t.Errorf("a report on %q gave %v", id, err)
			}
		}
	})
}

// What waits for the morning and what STOP ends hang on the purpose: one that
// nobody knows is a mistake.
func TestUnknownPurpose(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			return w.Outbox.Send(t.Context(), tx, notify.Message{To: phone, Text: "…", Purpose: "advertising"})
		})
		if list, fault := w.Outbox.List(t.Context(), phone); err == nil || len(list) != 0 || fault != nil {
			t.Errorf("kept %+v, %v, %v", list, err, fault)
		}
	})
}

func TestSentOnlyWithItsTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.Work()
		failure := errors.New("no")
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(w.Outbox.Send(t.Context(), tx, receipt("never")), failure)
		})
		if !errors.Is(err, failure) {
			t.Fatal(err)
		}
		w.send(receipt("after"))
		w.until(notify.Sent)
		if got := w.provider.taken(); len(got) != 1 || got[0].Text != "after" {
			t.Errorf("sent %d messages", len(got))
		}
	})
}

func TestDedup(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		m := receipt("once")
		m.Dedup = "payment:1:receipt"
		w.send(m, m)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { w.send(m) })
		}
		group.Wait()
		w.Work()
		w.until(notify.Sent)
		if n := len(w.provider.taken()); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// A provider that uses an id again is not sent the message once more for it.
func TestReusedID(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.provider.names = "SM-same"
		w.Work()
		w.send(notify.Message{To: phone, Text: "one", Purpose: notify.Answer}, notify.Message{To: phone, Text: "two", Purpose: notify.Answer})
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			var sent, named int
			row := db.Reader().QueryRow("SELECT COUNT(*), COUNT(provider_id) FROM notify_messages WHERE state = 'sent'")
			if err := row.Scan(&sent, &named); err != nil {
				t.Fatal(err)
			}
			if sent == 2 && named == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d are sent, %d have an id", sent, named)
			}
		}
		if n := len(w.provider.taken()); n != 2 {
			t.Errorf("the provider got %d messages", n)
		}
	})
}

func TestExpired(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		m := notify.Message{To: phone, Text: "Код: 123456", Purpose: notify.Code, Locale: locales.RU, ExpiresAt: start.Add(time.Minute)}
		w.send(m)
		w.Pass(time.Minute)
		w.Work()
		kept := w.until(notify.Expired)[0]
		if len(w.provider.taken()) != 0 || kept.Text != "" {
			t.Error("an expired code was sent, or its text is kept")
		}
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		telling := errors.New("POST /Messages: To " + phone + " Body Төлөндү: 1 500 сом: timeout; to=%2B996555000001")
		refusal := fmt.Errorf("the number %s does not exist: %w", phone, notify.ErrRefused)
		w := newWorld(t, db, telling, nil, refusal)
		w.Work()
		w.send(receipt("Төлөндү: 1 500 сом"))
		m := w.until(notify.Sent)[0]
		if got := w.provider.taken(); len(got) != 2 || got[0].ID != got[1].ID || got[0].Try != 1 || got[1].Try != 2 || m.Tries != 2 {
			t.Fatalf("sent %+v", got)
		}
		w.send(receipt("second"))
		w.until(notify.Failed, notify.Sent)
		w.Stop()
		kept := w.Logs.String() + strings.Join(jobErrors(t, db), "\n")
		for _, secret := range []string{phone[1:], "Төлөндү", "second"} {
			if strings.Contains(kept, secret) {
				t.Errorf("%q is in the logs or with the jobs", secret)
			}
		}
		if !strings.Contains(kept, "timeout") || !strings.Contains(kept, "does not exist") {
			t.Errorf("the reasons are lost: %s", kept)
		}
	})
}

// jobErrors reads what the queue keeps of its failed tries.
func jobErrors(t *testing.T, db *store.DB) (texts []string) {
	t.Helper()
	query := "SELECT COALESCE(CAST(args AS TEXT), '') || COALESCE(CAST(errors AS TEXT), '') FROM river_job"
	rows, err := db.Reader().Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestNothingInPlain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.send(notify.Message{To: phone, Text: "Код: 271828", Purpose: notify.Code, Locale: locales.RU, Dedup: "code:1"})
		var sealedPhone, sealedText []byte
		var index, dedup string
		row := db.Reader().QueryRow("SELECT phone_sealed, text_sealed, phone_index, dedup FROM notify_messages")
		if err := row.Scan(&sealedPhone, &sealedText, &index, &dedup); err != nil {
			t.Fatal(err)
		}
		kept := string(sealedPhone) + string(sealedText) + index + dedup + strings.Join(jobErrors(t, db), "")
		for _, secret := range []string{"996555000001", "271828", "Код"} {
			if strings.Contains(kept, secret) {
				t.Errorf("%q is kept in plain", secret)
			}
		}
		w.Work()
		if m := w.until(notify.Sent)[0]; m.Text != "" {
			t.Error("the text of a code outlives its sending")
		}
		if got := w.provider.taken(); got[0].Text != "Код: 271828" {
			t.Errorf("sent %q", got[0].Text)
		}
	})
}
