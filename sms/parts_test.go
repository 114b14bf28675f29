package sms_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// part is one part of aigul's long text ref by SMPP.
func (w *world) part(id string, ref, part, parts int, text string) sms.MO {
	return sms.MO{Provider: "smpp", ID: id, Phone: aigul, Text: text, Ref: ref, Part: part, Parts: parts, At: w.Now()}
}

func (w *world) take(messages ...sms.MO) {
	w.T.Helper()
	for _, m := range messages {
		if err := w.inbound.Take(w.T.Context(), m); err != nil {
			w.T.Fatal(err)
		}
		w.rest()
	}
}

// said lists the texts that reached the conversation.
func (w *world) said() (texts []string) {
	for _, turn := range w.heard() {
		texts = append(texts, turn.Text)
	}
	return texts
}

func TestPartsAreJoined(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.take(
			w.part("c1", 7, 3, 3, "three"), w.part("a1", 7, 1, 3, "one "), w.part("a1", 7, 1, 3, "one "), // a redelivery
			w.part("x1", 8, 1, 3, "another text"), w.part("a2", 7, 1, 3, "one "), // a duplicate with a new id
		)
		if len(w.heard()) != 0 {
			t.Fatalf("an incomplete text was answered: %q", w.said())
		}
		w.take(w.part("b1", 7, 2, 3, "two "), w.part("b1", 7, 2, 3, "two "), w.part("b2", 7, 2, 3, "two "))
		if got := w.said(); len(got) != 1 || got[0] != "one two three" || w.heard()[0].ID != "smpp/a1" || w.heard()[0].Gateway != "smpp" {
			t.Fatalf("heard %q", got)
		}
		w.Pass(time.Minute)
		_ = w.inbound.Resume(t.Context())
		w.rest()
		w.Work()
		w.sends("you said one two three")
	})
}

// Parts that come at once have one effect, whoever sees them complete.
func TestPartsAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		var all sync.WaitGroup
		for i := range 10 {
			m := w.part(fmt.Sprintf("id%d", i), 7, i+1, 10, fmt.Sprint(i))
			all.Go(func() {
				if err := w.inbound.Take(t.Context(), m); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, turn := range w.heard() {
			if turn.Text != "0123456789" || turn.ID != "smpp/id0" {
				t.Errorf("heard %+v", turn)
			}
		}
		w.Work()
		w.sends("you said 0123456789")
	})
}

func TestMissingPart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.Work()
		w.take(w.part("id-a", 7, 1, 3, "one "), w.part("id-c", 7, 3, 3, "three"))
		w.Pass(61 * time.Second)
		_ = w.inbound.Resume(t.Context())
		w.rest()
		w.sends()
		w.Pass(time.Minute)
		for range 2 {
			if err := w.inbound.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.sends("ky sms.incomplete\nru sms.incomplete")
		w.take(w.part("id-b", 7, 2, 3, "two ")) // belated: the citizen was told
		w.Pass(3 * time.Minute)
		_ = w.inbound.Resume(t.Context())
		w.rest()
		w.sends("ky sms.incomplete\nru sms.incomplete")
		if len(w.heard()) != 0 {
			t.Errorf("heard %q", w.said())
		}
		w.take(w.part("id-d", 7, 1, 2, "new "), w.part("id-e", 7, 2, 2, "text"))
		w.sends("ky sms.incomplete\nru sms.incomplete", "you said new text")
	})
}

// A text whose turn failed when its last part came is answered later.
func TestJoinedTextIsResumed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		w.fail(errors.New("planned"))
		w.take(w.part("id-b", 7, 2, 2, "two"), w.part("id-a", 7, 1, 2, "one "))
		w.fail(nil)
		w.Pass(2 * time.Minute)
		if err := w.inbound.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Work()
		w.sends("you said one two")
	})
}

func TestTakeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
	name := w.part("ok", 1, 1, 1, "")
	name.Phone = "MEGACOM"
	for what, c := range map[string]struct {
		m    sms.MO
		want error
	}{
		"no id":       {w.part("", 1, 1, 2, ""), sms.ErrMalformed},
		"part 0":      {w.part("id", 1, 0, 2, ""), sms.ErrMalformed},
		"part 3 of 2": {w.part("id", 1, 3, 2, ""), sms.ErrMalformed},
		"11 parts":    {w.part("id", 1, 1, 11, ""), sms.ErrMalformed},
		"a name":      {name, sms.ErrSender},
	} {
		if err := w.inbound.Take(t.Context(), c.m); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The same id of two providers is two messages.
func TestProvidersHaveTheirOwnIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
	other := w.part("SM1", 0, 0, 0, "by another")
	w.text("SM1", "by twilio")
	w.take(other, other)
	w.Work()
	w.sends("you said by twilio", "you said by another")
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		for i, text := range []string{"STOP", "стоп!", " Токтот ", "toktot", "Отписка", "«UNSUBSCRIBE»", "токтоt"} {
			w.take(w.part(fmt.Sprintf("stop%d", i), 0, 0, 0, text), w.part(fmt.Sprintf("stop%d", i), 0, 0, 0, text))
		}
		if n := len(w.changes); n != 7 || w.changes[0] != "stop "+aigul {
			t.Errorf("7 wishes changed %q", w.changes)
		}
		russian := w.part("start", 0, 0, 0, "Старт")
		russian.Phone = azat
		w.take(russian)
		if w.changes[len(w.changes)-1] != "start "+azat {
			t.Errorf("changed %q", w.changes)
		}
		w.take(w.part("conversation", 0, 0, 0, "стоп деген эмне"), w.part("typo", 0, 0, 0, "стпо"))
		if got := w.said(); len(got) != 2 {
			t.Errorf("heard %q", got)
		}
		w.Work()
		want := []string{"you said стоп деген эмне", "you said стпо", "ru sms.started"}
		for range 7 {
			want = append(want, "ky sms.stopped\nru sms.stopped") // no language was chosen
		}
		w.sends(want...)
	})
}

// TestPartsInAnyOrder: however the parts of a text come, and however often, it
// is heard once and whole.
func TestPartsInAnyOrder(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	texts := []string{"Салам дүйнө 😀", "a", "01KG123ABC айып", strings.Repeat("ө", 300), "ab\ncd"}
	for run := range 100 {
		w := newWorld(t, db, true)
		random := rand.New(rand.NewPCG(uint64(run), 1))
		text, parts := texts[run%len(texts)], 2+random.IntN(9)
		letters := []rune(text)
		var sent []sms.MO
		for i := range parts {
			cut := string(letters[len(letters)*i/parts : len(letters)*(i+1)/parts])
			m := w.part(fmt.Sprintf("%d-%d", run, i), run, i+1, parts, cut)
			sent = append(sent, m)
			if random.IntN(2) == 0 {
				sent = append(sent, m)
			}
		}
		random.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
		w.take(sent...)
		if got := w.said(); len(got) != 1 || got[0] != text {
			t.Fatalf("%q in %d parts was heard as %q", text, parts, got)
		}
	}
}

// A reference that is used again within two minutes with other words is a new text, in
// whatever order its parts come; the same words again are the same text, and counted.
func TestReferenceIsUsedAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		again []string // place and words
		said  []string // beside the first text
		sent  []string // beside its answer, after two minutes
		count int
	}{
		"other words":                 {again: []string{"1new ", "2words"}, said: []string{"new words"}},
		"the last part first":         {again: []string{"2words", "1new "}, said: []string{"new words"}},
		"one part is as before":       {again: []string{"1new ", "2two"}, said: []string{"new two"}},
		"the part as before is first": {again: []string{"2two", "1new "}, said: []string{"new two"}},
		"twice other words":           {again: []string{"1new ", "2words", "1third ", "2text"}, said: []string{"new words", "third text"}},
		"one part of other words":     {again: []string{"1new "}, sent: []string{"ky sms.incomplete\nru sms.incomplete"}},
		"the same part":               {again: []string{"2two"}, count: 1},
		"the same text":               {again: []string{"1one ", "2two"}, count: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				w.take(w.part("a1", 7, 1, 2, "one "), w.part("a2", 7, 2, 2, "two"))
				for i, again := range test.again {
					w.Pass(10 * time.Second)
					w.take(w.part(fmt.Sprintf("b%d", i), 7, int(again[0]-'0'), 2, again[1:]))
				}
				w.Pass(3 * time.Minute)
				if err := w.inbound.Resume(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.rest()
				want := append([]string{"one two"}, test.said...)
				if got := w.said(); !slices.Equal(got, want) {
					t.Errorf("heard %q, want %q", got, want)
				}
				if n := w.unanswered("smpp again"); n != test.count {
					t.Errorf("counted %d: %v", n, w.left)
				}
				w.Work()
				sent := slices.Clone(test.sent)
				for _, said := range want {
					sent = append(sent, "you said "+said)
				}
				w.sends(sent...)
			})
		})
	}
}
