package sms_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// What a phone texted to a process that was killed is answered before what it texts
// to the next one, and each text with its own answer.
func TestOrderAfterAKill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		killed, w := newWorld(t, db, true), newWorld(t, db, true)
		killed.fail(errors.New("killed"))
		from := func(phone, id, text string) sms.Incoming {
			return sms.Incoming{Provider: "smpp", ID: id, Phone: phone, Text: text, At: w.inboundNow()}
		}
		for _, m := range []sms.Incoming{
			from(aigul, "m1", "one"), from(azat, "m2", "of another phone"), from(aigul, "m3", "panic"),
			w.part("m4", 7, 1, 2, "four "), w.part("m5", 7, 2, 2, "and five"), // complete
			w.part("m6", 8, 1, 2, "a part is missing"),
		} {
			m.At = w.inboundNow()
			killed.take(m)
			w.pass(time.Second)
		}
		if err := w.inbound.Resume(t.Context()); err != nil { // it sees who waits
			t.Fatal(err)
		}
		w.take(from(aigul, "m7", "seven"))
		if got, want := w.said(), []string{"one", "four and five", "seven"}; !slices.Equal(got, want) {
			t.Fatalf("heard %q, want %q", got, want)
		}
		w.take(w.part("m8", 9, 1, 2, "eight "), w.part("m9", 9, 2, 2, "and nine"))
		if got := w.said(); !slices.Equal(got[3:], []string{"eight and nine"}) {
			t.Errorf("then heard %q", got[3:])
		}
		w.start()
		w.sends("you said one", "you said four and five", "you said seven", "you said eight and nine")
	})
}

// What lay for too long while no process ran is not worked on, and its sender is told.
func TestTooLateToAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.fail(errors.New("killed"))
		w.text("SM1", "one")
		w.fail(nil)
		w.pass(16 * time.Minute)
		w.text("SM2", "two")
		if got := w.said(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("heard %q", got)
		}
		w.start()
		w.sends("ky problem.internal", "you said two")
	})
}
