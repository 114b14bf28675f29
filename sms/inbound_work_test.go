package sms_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// A provider is not held up by a slow conversation; a process that ends waits for it.
func TestSlowConversation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		take := func(id, text string) {
			t.Helper()
			m := sms.MO{Provider: "smpp", ID: id, Phone: aigul, Text: text, At: w.Now()}
			if err := w.inbound.Take(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		take("m1", "slow")
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := w.inbound.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a slow conversation ended with %v", err)
		}
		if len(w.heard()) != 0 {
			t.Error("the slow conversation is over")
		}
		close(w.held)
		w.rest()
		w.Work()
		w.sends("you said slow")
	})
}

// Of more messages than can be worked on at once, or for one phone, none is lost:
// those that are left are answered later.
func TestTooManyInHand(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	w := newWorld(t, db, true)
	taken := func(n int, phone string) {
		t.Helper()
		m := sms.MO{Provider: "smpp", ID: fmt.Sprintf("m%d", n), Phone: phone, Text: fmt.Sprintf("slow %d", n), At: w.Now()}
		if err := w.inbound.Take(t.Context(), m); err != nil {
			t.Fatal(n, err)
		}
	}
	const queue = 1 + sms.QueueLength
	for n := range queue + 2 {
		taken(n, aigul)
	}
	for n := queue; n < sms.WorkSlots; n++ {
		taken(1000+n, fmt.Sprintf("+99655500%04d", 1000+n))
	}
	taken(9999, azat) // there is no slot for it
	close(w.held)
	w.rest()
	if n := len(w.heard()); n != sms.WorkSlots {
		t.Errorf("%d turns", n)
	}
	w.Pass(2 * time.Minute)
	if err := w.inbound.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	w.rest()
	if n := len(w.heard()); n != sms.WorkSlots+3 {
		t.Errorf("%d turns in the end", n)
	}
}

// What a phone texts is worked on in the order in which it was taken.
func TestOrderOfAPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
	want := []string{"slow", "1", "2", "3", "4"}
	for n, text := range want {
		m := sms.MO{Provider: "smpp", ID: fmt.Sprintf("m%d", n), Phone: aigul, Text: text, At: w.Now()}
		if err := w.inbound.Take(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	close(w.held)
	w.rest()
	if got := w.said(); !slices.Equal(got, want) {
		t.Errorf("heard %q", got)
	}
}

// A text that was sent twice before the first one was answered counts once: nobody had
// read the screen that the second would choose on. Afterwards it is a text as all others.
func TestTheSameTextBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		n := 0
		take := func(text string) {
			t.Helper()
			n++
			m := sms.MO{Provider: "smpp", ID: fmt.Sprintf("m%d", n), Phone: aigul, Text: text, At: w.Now()}
			if err := w.inbound.Take(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			w.Pass(time.Second)
		}
		for _, text := range []string{"slow 1", "slow 1", "slow 1", "2"} {
			take(text)
		}
		close(w.held)
		w.rest()
		for range 2 {
			take("2")
			w.rest()
		}
		if got, want := w.said(), []string{"slow 1", "2", "2", "2"}; !slices.Equal(got, want) {
			t.Errorf("heard %q", got)
		}
		if got := w.unanswered("smpp twice"); got != 2 {
			t.Errorf("counted %d: %v", got, w.left)
		}
	})
}

// A panic ends a message's work, not the process, and its text is not logged.
func TestPanickingConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), false)
	w.text("SM1", "panic")
	if log := w.Logs.String(); !strings.Contains(log, "waits for its answer") || strings.Contains(log, "canary") {
		t.Errorf("the log is %q", log)
	}
	w.text("SM2", "hello")
	w.Work()
	w.sends("you said hello")
}
