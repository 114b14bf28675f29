package session_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// kept is a world on a store with the conversation that a build before left, whose last turn it
// answered at the moment given.
func kept(t *testing.T, file string, answered time.Time) (*world, *guestbook, session.Entry) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	testworld.OK(t, err)
	var entry session.Entry
	testworld.OK(t, json.Unmarshal(text, &entry))
	store := session.NewMemory()
	testworld.OK(t, store.Save(t.Context(), entry.Key, entry.Record, 0))
	w, book := spoken(t, store)
	w.Set(answered)
	return w, book, entry
}

// untouched wants what was stored to be as it was: the last request was a retry.
func (w *world) untouched(t *testing.T, entry session.Entry) {
	t.Helper()
	if rec, err := w.store.Load(t.Context(), entry.Key); err != nil || rec.Version != entry.Version {
		t.Errorf("the retry was taken for a turn: version %d became %d, %v", entry.Version, rec.Version, err)
	}
}

// TestBuildBefore: a conversation whose last turn the build before msgwire answered,
// stored and sealed by it, goes on: a retry gets the stored answer, the next input
// the next screen, and the one after that is of a record that this build wrote.
func TestBuildBefore(t *testing.T) {
	t.Parallel()
	w, book, entry := kept(t, "before.json", time.UnixMicro(1_763_000_000_000_000))
	turn := w.turn(aigul, "1*Aigul")
	turn.Budget = screen
	if retried := w.take(t, turn); !strings.Contains(retried.Text, "Code?") {
		t.Errorf("a retry was answered %q", retried.Text)
	}
	w.untouched(t, entry)
	w.ask(t, "1*Aigul*482913", "Thanks, Aigul")
	if len(book.entries) != 1 {
		t.Errorf("%d entries were written, want 1", len(book.entries))
	}
}

// TestFormerNodes: the question whether to go on, asked by the build whose own nodes had
// another name, is answered in this one: by going on where the other conversation
// stopped, or at the main menu.
func TestFormerNodes(t *testing.T) {
	t.Parallel()
	for choice, says := range map[string]string{"1": "Code?", "0": "1 Eshik"} {
		w, book, entry := kept(t, "before_menu.json", time.UnixMicro(1_763_000_300_000_000))
		retried := w.dial(t, "s2", "")
		if want(t, retried, question); retried.Node != "menu.resume" {
			t.Errorf("it is at %s", retried.Node)
		}
		w.untouched(t, entry)
		want(t, w.dial(t, "s2", choice), says)
		if choice == "0" {
			continue
		}
		want(t, w.dial(t, "s2", "1*482913"), "Thanks, Aigul")
		if len(book.entries) != 1 {
			t.Errorf("%d entries were written, want 1", len(book.entries))
		}
	}
}
