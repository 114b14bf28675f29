package sms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// writes has a text of a phone taken and worked on.
func (w *world) writes(phone, text string) {
	w.T.Helper()
	w.n++
	m := w.from(phone, fmt.Sprintf("m%d", w.n), text)
	m.At = w.Now()
	w.take(m)
	w.rest()
}

// T2: a machine that answers each of our answers after a while, with ever new words, is
// soon not answered any more, and told so once; so are two of them, each by itself, and
// two at one phone.
func TestMachineIsStoppedSoon(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		phones []string
		texts  int // for each answer
		gap    time.Duration
		what   string
		most   int // answers for a phone
	}{
		"2.3 s":                {[]string{aigul}, 1, 2300 * time.Millisecond, "автожооп", 13},
		"5 s":                  {[]string{aigul}, 1, 5050 * time.Millisecond, "автожооп", 13},
		"not understood":       {[]string{aigul}, 1, 3 * time.Second, "эмне", 8},
		"later":                {[]string{aigul}, 1, 4 * time.Minute, "эмне", 8},
		"two machines":         {[]string{aigul, azat}, 1, 3 * time.Second, "автожооп", 13},
		"two, not understood":  {[]string{aigul, azat}, 1, 3 * time.Second, "эмне", 8},
		"two at one phone":     {[]string{aigul}, 2, 3 * time.Second, "автожооп", 14},
		"two, neither of them": {[]string{aigul}, 2, 3 * time.Second, "эмне", 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				for _, phone := range test.phones {
					w.writes(phone, "кезек")
				}
				answers := len(test.phones)
				for round := 0; answers > 0 && round < 40; round++ { // as long as there is something to answer to
					before := w.queued("")
					w.Pass(test.gap)
					for _, phone := range test.phones {
						for n := range test.texts {
							w.writes(phone, fmt.Sprintf("%s %d-%d", test.what, round, n))
						}
					}
					answers = w.queued("") - before
				}
				if n := w.queued("you said"); answers > 0 || n > test.most*len(test.phones) {
					t.Errorf("answered %d times, %d at the end", n, answers)
				}
				w.isTold(len(test.phones))
				if list := w.braked(); len(list) != len(test.phones) || list[0].Silenced < 2 {
					t.Errorf("shown %+v", list)
				}
			})
		})
	}
}

// T2: who is not answered for a while is told so in their language, until when, and
// once; help and STOP work, a few times; later all is as before, in any process.
func TestPausedPersonReturns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		for i := range 8 {
			w.writes(azat, fmt.Sprintf("эмне %d", i))
			w.Pass(30 * time.Second)
		}
		list := w.braked()
		if len(list) != 1 || list[0].Reason != "unclear" {
			t.Fatalf("shown %+v", list)
		}
		if w.queued("ru sms.paused") != 1 || w.queued(clock.Moment(list[0].Until)) != 1 {
			t.Error("it is not told, or not until when")
		}
		before := w.queued("")
		for range 3 {
			w.writes(azat, "ШТРАФ 01KG123ABC")
			w.restart() // the next process knows it at once
		}
		if n := w.queued(""); n != before {
			t.Errorf("%d texts are answered in the pause", n-before)
		}
		w.writes(azat, "ЖАРДАМ")
		w.writes(azat, "СТОП")
		if w.queued("you said ЖАРДАМ") != 0 || w.queued("ru sms.paused") != 2 || w.queued(clock.Moment(list[0].Until)) != 2 || w.queued("*1414#") != 2 ||
			w.queued("ru sms.stopped") != 1 {
			t.Error("help in the pause does not say until when, and what to dial, or STOP is not answered")
		}
		for range 5 { // a machine may say so for ever
			w.writes(azat, "СТОП")
		}
		if n := w.queued("ru sms.stopped"); n != 2 || len(w.stops.changes) != 6 {
			t.Errorf("of 6 STOPs %d are answered, and %d noted", n, len(w.stops.changes))
		}
		w.writes(aigul, "кезек")
		w.Pass(list[0].Until.Sub(w.Now()))
		w.writes(azat, "ШТРАФ")
		w.writes(azat, "эмне")
		if w.queued("you said ШТРАФ") != 1 || w.queued("you said кезек") != 1 || w.queued("эмне") != 8 {
			t.Errorf("later: %v", w.left)
		}
		w.isTold(2) // at once, and to who asked for help
	})
}

// T2: a STOP is confirmed also where the next text is one too many; STOP and START that
// go on for ever are not.
func TestStopIsConfirmed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		for i := range 12 { // of which one more in this pace would be a machine's
			w.writes(azat, fmt.Sprintf("кезек %d", i))
			w.Pass(4 * time.Second)
		}
		w.writes(azat, "СТОП")
		if w.queued("ru sms.stopped") != 1 || len(w.braked()) != 0 {
			t.Errorf("STOP is not confirmed, or pauses: %+v", w.braked())
		}
		for range 20 {
			w.writes(azat, "СТАРТ")
			w.writes(azat, "СТОП")
		}
		if n := w.queued("ru sms.stopped"); n > 11 || len(w.braked()) != 1 {
			t.Errorf("%d of 21 STOPs were confirmed: %+v", n, w.braked())
		}
	})
}

// Two processes that share a phone's texts see what comes between them, and both know at
// once when one of them pauses.
func TestBrakeInTwoProcesses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		first := w.inbound
		w.restart()
		both := []*sms.Inbound{first, w.inbound}
		for i, text := range between("ШТРАФ", repeated("01KG123ABC", 15)) {
			w.inbound = both[i%2]
			w.writes(aigul, text)
			w.Pass(6 * time.Second)
		}
		if n := w.queued("you said"); n != 30 {
			t.Errorf("answered %d of 30", n)
		}
		for i := range 12 {
			w.inbound = both[i%2]
			w.writes(azat, fmt.Sprintf("эмне %d", i))
			w.Pass(10 * time.Second)
		}
		if n := w.queued("you said эмне"); n != 7 {
			t.Errorf("answered %d of 12", n)
		}
		w.isTold(1)
		if said := w.said(); slices.ContainsFunc(said[30:], func(text string) bool { return !strings.HasPrefix(text, "эмне") }) {
			t.Errorf("heard %q", said[30:])
		}
	})
}
