package session_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/session"
)

// TestBuildBefore: a conversation whose last turn the build before msgwire answered,
// stored and sealed by it, goes on: a retry gets the stored answer, the next input
// the next screen, and the one after that is of a record that this build wrote.
func TestBuildBefore(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/before.json")
	if err != nil {
		t.Fatal(err)
	}
	var stored session.Entry
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	store := session.NewMemory()
	if err := store.Save(t.Context(), stored.Key, stored.Record, 0); err != nil {
		t.Fatal(err)
	}
	w, book := spoken(t, store)
	w.Set(time.UnixMicro(1_763_000_000_000_000)) // when it was answered
	turn := w.turn(aigul, "1*Aigul")
	turn.Budget = screen
	if retried := w.take(t, turn); !strings.Contains(retried.Text, "Code?") {
		t.Errorf("a retry was answered %q", retried.Text)
	}
	if rec, err := store.Load(t.Context(), stored.Key); err != nil || rec.Version != stored.Version {
		t.Errorf("the retry was taken for a turn: version %d became %d, %v", stored.Version, rec.Version, err)
	}
	w.ask(t, "1*Aigul*482913", "Thanks, Aigul")
	if len(book.entries) != 1 {
		t.Errorf("%d entries were written, want 1", len(book.entries))
	}
}
