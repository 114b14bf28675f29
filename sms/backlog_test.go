package sms_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// from is a text of a phone by SMPP.
func (w *world) from(phone, id, text string) sms.MO {
	return sms.MO{Provider: "smpp", ID: id, Phone: phone, Text: text, At: w.Now()}
}

// round is what a process does now and then.
func (w *world) round() {
	w.T.Helper()
	if err := w.inbound.Resume(w.T.Context()); err != nil {
		w.T.Fatal(err)
	}
}

// hears has the conversation hear these texts so far, and no others.
func (w *world) hears(want ...string) {
	w.T.Helper()
	if got := w.said(); !slices.Equal(got, want) {
		w.T.Errorf("heard %q, want %q", got, want)
	}
}

// What a phone texted to a process that was killed is answered before what it texts
// to the next one, and each text with its own answer.
func TestOrderAfterAKill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		killed, w := newWorld(t, db, true), newWorld(t, db, true)
		killed.fail(errors.New("killed"))
		for _, m := range []sms.MO{
			w.from(aigul, "m1", "one"), w.from(azat, "m2", "of another phone"), w.from(aigul, "m3", "panic"),
			w.part("m4", 7, 1, 2, "four "), w.part("m5", 7, 2, 2, "and five"), // complete
			w.part("m6", 8, 1, 2, "a part is missing"),
		} {
			m.At = w.Now()
			killed.take(m)
			w.Pass(time.Second)
		}
		w.round() // it sees who waits
		w.take(w.from(aigul, "m7", "seven"))
		w.hears("one", "four and five", "seven")
		w.take(w.part("m8", 9, 1, 2, "eight "), w.part("m9", 9, 2, 2, "and nine"))
		w.hears("one", "four and five", "seven", "eight and nine")
		w.Work()
		w.sends("you said one", "you said four and five", "you said seven", "you said eight and nine")
	})
}

// The other process is killed while a text of the phone is worked on here.
func TestOrderOfALineUnderWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		killed, w := newWorld(t, db, true), newWorld(t, db, true)
		killed.fail(errors.New("killed"))
		w.round()
		take := func(m sms.MO) {
			t.Helper()
			if err := w.inbound.Take(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			w.Pass(2 * time.Second)
		}
		take(w.from(aigul, "m1", "slow"))
		two := w.from(aigul, "m2", "two")
		close(killed.held)
		killed.take(two)
		w.Pass(2 * time.Second)
		w.round()
		take(w.from(aigul, "m3", "three"))
		close(w.held)
		w.rest()
		w.hears("slow", "two", "three")
	})
}

// The work on a text fails, and the next one comes before anybody looks.
func TestOrderAfterAFailure(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.round()
		w.fail(errors.New("planned"))
		w.take(w.from(aigul, "m1", "one"))
		w.fail(nil)
		w.Pass(100 * time.Millisecond)
		w.round()
		w.take(w.from(aigul, "m2", "two"))
		w.hears("one", "one", "two")
	})
}

// Texts for which there was no room here are answered before the next one, too.
func TestOrderOfThoseLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
	w.round()
	take := func(phone, id, text string) {
		t.Helper()
		if err := w.inbound.Take(t.Context(), w.from(phone, id, text)); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Millisecond)
	}
	want := []string{"slow", "1", "2", "3", "4", "5", "6", "7", "8", "no place in the queue", "no slot", "next"}
	for n, text := range want[:10] {
		take(aigul, fmt.Sprintf("m%d", n), text)
	}
	for n := range sms.WorkSlots - 9 {
		take(fmt.Sprintf("+99655500%04d", 1000+n), fmt.Sprintf("s%d", n), "slow")
	}
	take(aigul, "m10", "no slot")
	close(w.held)
	w.rest()
	w.round()
	w.take(w.from(aigul, "m11", "next"))
	var got []string
	for _, turn := range w.heard() {
		if turn.Phone == aigul {
			got = append(got, turn.Text)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("heard %q", got)
	}
}

// A text that cannot be answered is not tried with each one behind it.
func TestTriesOfALine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
	w.fail(errors.New("planned"))
	for n, text := range []string{"slow", "1", "2", "3", "4", "5", "6", "7", "8"} {
		if err := w.inbound.Take(t.Context(), w.from(aigul, fmt.Sprintf("m%d", n), text)); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Millisecond)
	}
	close(w.held)
	w.rest()
	if turns := len(w.said()); turns != 8*sms.QueueTries+1 {
		t.Errorf("%d turns of nine texts", turns)
	}
}

// What lay for too long while no process ran is not worked on, and its sender is told.
func TestTooLateToAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.fail(errors.New("killed"))
		w.text("SM1", "one")
		w.fail(nil)
		w.Pass(16 * time.Minute)
		w.text("SM2", "two")
		w.hears("one", "two")
		w.Work()
		w.sends("ky problem.internal\nru problem.internal", "you said two")
	})
}
