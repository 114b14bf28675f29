package notify_test

import (
	"context"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

func TestParseQuiet(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"": true, "none": true, "21:00-08:00": true, "00:00-06:30": true, "21:00": false, "25:00-08:00": false, "08:00-08:00": false, "x-y": false,
	} {
		if _, err := notify.ParseQuiet(text, time.UTC); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Who asked to stop gets no notices, and everything else.
func TestStop(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		change := func(do func(context.Context, *store.Tx, string) error) {
			t.Helper()
			if err := db.InTx(t.Context(), func(tx *store.Tx) error { return do(t.Context(), tx, phone) }); err != nil {
				t.Fatal(err)
			}
		}
		change(w.Outbox.Stop)
		change(w.Outbox.Stop)
		for _, purpose := range []notify.Purpose{notify.Code, notify.Answer, notify.Receipt, notify.Statutory, notify.Notice} {
			w.send(notify.Message{To: phone, Text: string(purpose), Purpose: purpose})
		}
		states := map[notify.Purpose]notify.State{}
		for _, m := range w.list() {
			states[m.Purpose] = m.State
		}
		for purpose, state := range states {
			if blocked := state == notify.Blocked; blocked != (purpose == notify.Notice) {
				t.Errorf("%s is %s", purpose, state)
			}
		}
		change(w.Outbox.Start)
		w.send(notify.Message{To: phone, Text: "again", Purpose: notify.Notice})
		if m := w.list()[0]; len(states) != 5 || m.State != notify.Queued {
			t.Errorf("after START: %+v of %d", m, len(states))
		}
	})
}

func (w *world) list() []notify.Stored {
	w.T.Helper()
	list, err := w.Outbox.List(w.T.Context(), phone)
	if err != nil {
		w.T.Fatal(err)
	}
	return list
}
