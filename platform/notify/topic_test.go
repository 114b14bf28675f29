package notify_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// about is a message about a payment.
func about(payment, text string) notify.Message {
	m := receipt(text)
	m.Topic = "payment:" + payment
	return m
}

// texts are what the provider got, in order.
func (p *provider) texts() (texts []string) {
	for _, m := range p.taken() {
		texts = append(texts, m.Text)
	}
	return texts
}

func (w *world) got(want ...string) {
	w.T.Helper()
	if got := w.provider.texts(); !slices.Equal(got, want) {
		w.T.Errorf("the provider got %q, want %q", got, want)
	}
}

func (w *world) sendTogether(list ...notify.Message) {
	w.T.Helper()
	if err := w.DB.InTx(w.T.Context(), func(tx *store.Tx) error { return w.Outbox.SendAll(w.T.Context(), tx, list) }); err != nil {
		w.T.Fatal(err)
	}
}

func (w *world) superseded(want int64) {
	w.T.Helper()
	if n, err := w.Outbox.Superseded(w.T.Context()); err != nil || n != want {
		w.T.Errorf("%d messages were replaced, %v, want %d", n, err, want)
	}
}

// What has not left is replaced by what is written later about the same, and by nothing
// else: not by what is about another thing, goes to another phone, was asked for before,
// is not wanted there or was rolled back.
func TestALaterMessageReplacesAnEarlierOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		code := about("1", "code")
		code.Dedup = "payment:1:code"
		elsewhere := about("1", "elsewhere")
		elsewhere.To = "+996555000002"
		w.send(code, about("2", "other"), elsewhere, receipt("of nothing"))
		w.send(code)
		_ = db.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(w.Outbox.Send(t.Context(), tx, about("1", "rolled back")), errors.New("no"))
		})
		w.superseded(0)
		w.send(about("1", "closed"))
		w.superseded(1)
		if listed := w.list(); listed[3].State != notify.Superseded || listed[3].Text != "code" {
			t.Errorf("listed %+v", listed[3])
		}
		w.Work()
		w.until(notify.Sent, notify.Sent, notify.Sent, notify.Superseded)
		w.worked()
		got := w.provider.texts()
		slices.Sort(got)
		if !slices.Equal(got, []string{"closed", "elsewhere", "of nothing", "other"}) {
			t.Errorf("the provider got %q", got)
		}
	})
}

// Who learns in the answer how a thing stands is not told what was true before; a notice
// that is not wanted replaces nothing.
func TestReplacedWithoutAMessage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.send(about("1", "offered"), about("2", "paid"))
		w.send(about("1", ""))
		if err := db.InTx(t.Context(), func(tx *store.Tx) error { return w.Outbox.Stop(t.Context(), tx, phone) }); err != nil {
			t.Fatal(err)
		}
		unwanted := about("2", "news")
		unwanted.Purpose = notify.Notice
		w.send(unwanted)
		w.Work()
		w.until(notify.Blocked, notify.Sent, notify.Superseded)
		w.got("paid")
	})
}

// A later message waits while an earlier one is on its way, on whichever instance, and
// the earlier one was sent.
func TestALaterMessageWaitsForWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, second := newWorld(t, db), newWorld(t, db)
		begun, free := make(chan struct{}), make(chan struct{})
		w.provider.during = func(m notify.MT) {
			if m.Text == "code" {
				close(begun)
				<-free
			}
		}
		second.provider.by = w.provider // both instances have the same provider
		w.Work()
		w.send(about("1", "code"))
		<-begun
		second.Work()
		w.send(about("1", "closed"))
		w.superseded(1)
		time.Sleep(time.Second)
		w.got()
		close(free)
		w.until(notify.Sent, notify.Sent)
		w.superseded(0)
		w.got("code", "closed")
	})
}

// After a kill in the middle of a try nobody knows whether the provider has the earlier
// message: it is not sent again once a later one is written, which waits no longer than a
// try can take.
func TestAnInterruptedTryIsReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, first := range map[string]bool{"before the kill": true, "after it": false} {
			t.Log(name)
			_, err := db.Writer().Exec("DELETE FROM notify_messages")
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, db)
			w.send(about("1", "code"))
			if first {
				w.interrupt()
				w.send(about("1", "closed"))
			} else {
				w.send(about("1", "closed"))
				w.interrupt()
			}
			w.Work()
			time.Sleep(time.Second) // two looks or so
			w.got()
			w.Pass(31 * time.Second)
			w.due()
			w.until(notify.Sent, notify.Superseded)
			w.worked()
			w.got("closed")
			w.Stop()
		}
	})
}

// interrupt leaves what a kill in the middle of the first message's try leaves.
func (w *world) interrupt() {
	w.T.Helper()
	_, err := w.DB.Writer().Exec("UPDATE notify_messages SET leaving_until_at = $1 WHERE id = (SELECT MIN(id) FROM notify_messages)",
		start.Add(30*time.Second).UnixMicro())
	if err == nil {
		_, err = w.DB.Writer().Exec("UPDATE river_job SET attempt = 1 WHERE id = (SELECT MIN(id) FROM river_job WHERE state = 'available')")
	}
	if err != nil {
		w.T.Fatal(err)
	}
}

// A message that the provider may have, as its answer never came, is not waited for, and
// not sent again; its late report counts.
func TestAnUncertainMessageIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, notify.ErrUnanswered)
		w.Work()
		w.send(about("1", "code"))
		w.jobs("= 'scheduled'", 1)
		w.send(about("1", "closed"))
		w.until(notify.Sent, notify.Superseded)
		w.unreported()
		w.worked()
		w.got("code", "closed")
		late := notify.DeliveryReceipt{Provider: "test", ID: "late", Status: "delivered", Message: w.list()[1].ID}
		if err := w.Outbox.NoteReceipt(t.Context(), late); err != nil {
			t.Error(err)
		}
		w.until(notify.Sent, notify.Delivered)
	})
}

// What is written together is all sent, in its order, also where the first takes two
// tries.
func TestWrittenTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, errors.New("try again"))
		w.send(about("1", "code"))
		w.sendTogether(about("1", "paid"), about("1", "the rest goes back"))
		w.Work()
		w.until(notify.Sent, notify.Sent, notify.Superseded)
		w.got("paid", "paid", "the rest goes back")
	})
}

// What ends a thing for every phone drops what waits about it anywhere, and nothing else.
func TestAThingEndsForEveryPhone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		elsewhere := about("1", "elsewhere")
		elsewhere.To = "+996555000002"
		w.send(about("1", "here"), elsewhere, about("2", "other"), receipt("of nothing"))
		last := about("1", "it is over")
		w.sendTogether(notify.Message{Topic: "payment:1"}, last)
		w.superseded(2)
		w.Work()
		w.worked()
		got := w.provider.texts()
		slices.Sort(got)
		if !slices.Equal(got, []string{"it is over", "of nothing", "other"}) {
			t.Errorf("the provider got %q", got)
		}
	})
}
