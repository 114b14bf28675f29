package sms_test

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// F1: the word that a phone was told is obeyed once, whatever came before it: in a pause,
// which names it, and where it would begin one. A wrong word is a text as all others, and a
// right one that has had its effect is one too: neither goes on for ever.
func TestTheRightWordIsObeyed(t *testing.T) {
	t.Parallel()
	const word, wrong = "БЛОК 1981", "БЛОК 1918"
	for name, before := range map[string][]string{
		"own words":     {"эмне 1", "эмне 2", "эмне 3", "эмне 4", "эмне 5", "эмне 6", "эмне 7", "эмне 8"},
		"a wrong word":  repeated(wrong, 6),
		"before a loop": distinct(13),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				w.word = word
				for _, text := range before {
					w.writes(azat, text)
					w.Pass(3 * time.Second)
				}
				if name != "before a loop" {
					if w.queued("ru answer "+word+"\nru sms.paused") != 1 {
						t.Error("the pause does not name the word")
					}
					w.writes(azat, "ЖАРДАМ")
					if w.queued("ru answer "+word+"\nru sms.paused") != 2 {
						t.Error("help in the pause does not name the word")
					}
				}
				told := w.queued("")
				w.writes(azat, wrong)
				w.Pass(3 * time.Second)
				if name != "before a loop" && w.queued("") != told {
					t.Error("a wrong word is answered in the pause")
				}
				w.restart()
				for n := range 5 {
					w.writes(azat, word)
					w.Pass(3 * time.Second)
					if got := w.queued("you said " + word); n == 0 && got != 1 {
						t.Errorf("after %d the word is answered %d times; left %v", n, got, w.left)
					}
				}
				if n := w.queued("you said " + word); n > 1 {
					t.Errorf("the word was answered %d times", n)
				}
			})
		})
	}
}
