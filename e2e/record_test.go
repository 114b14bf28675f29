package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
)

// record writes the recorded conversations anew: the same is typed, the screens are those
// of today. What a person must look at is then the difference.
var record = flag.Bool("record", false, "write the recorded conversations anew instead of holding them")

// rewrite holds a conversation over USSD and writes what is shown into its file. A screen that
// is as it was recorded stays as it is written.
func (r *replay) rewrite(path string, conversation []transcript.Turn) error {
	r.d.t.Helper()
	anew := make([]transcript.Turn, len(conversation))
	var shown string  // the screen as it is now
	var before string // as it was recorded
	var c *call
	for i, h := range conversation {
		typed := h.Input
		if dials(typed) {
			if c != nil && strings.HasPrefix(shown, "CON ") {
				c.hangUp()
			}
			c, shown = r.d.ring(aigul)
			anew[i] = transcript.Recorded(typed, "")
		} else {
			if strings.HasPrefix(shown, "END ") {
				return fmt.Errorf("turn %d: %q is typed after the conversation has ended with\n%s", i+1, typed, shown)
			}
			typed, err := renamed(typed, before, shown)
			if err != nil {
				return fmt.Errorf("turn %d: %w", i+1, err)
			}
			anew[i] = transcript.Recorded(typed, shown)
			shown = c.say("", r.now(typed))
		}
		screen := shown[len("CON "):]
		r.seen += screen + "\n"
		if before = h.Screen(); transcript.Same(before, screen) {
			anew[i].Shown = h.Shown
		} else {
			anew[i].Shown = []string{transcript.Masked(screen)}
		}
	}
	if strings.HasPrefix(shown, "CON ") {
		c.hangUp()
	}
	return transcript.WriteFile(path, anew)
}

// renamed is the number of the option that a transcript chose, found by what it says, or
// else by the number that it had when it was recorded.
func renamed(input, recorded, shown string) (string, error) {
	if typed, err := transcript.Choice(input, shown); err == nil {
		return typed, nil
	}
	return transcript.Choice(input, recorded)
}

// TestRecording: written anew a conversation is what it was, byte for byte, also where
// words or the label of a choice had become others.
func TestRecording(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"broken_ru", "certificate_ky"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good, err := os.ReadFile("testdata/conversations/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			stale := strings.NewReplacer(
				"Оплатите в кошельке", "Оплатите в кассе", "2 Русский\n", "2 По-русски\n", "[Русский]", "[По-русски]", "Кайсы маалымкат?", "Кайсынысы?",
			).Replace(string(good))
			if stale == string(good) {
				t.Fatal("nothing was made stale")
			}
			path := filepath.Join(t.TempDir(), "conversation.txt")
			if err := os.WriteFile(path, []byte(stale), 0o600); err != nil {
				t.Fatal(err)
			}
			r := &replay{d: embedded(t)}
			if err := r.rewrite(path, readConversation(t, path)); err != nil {
				t.Fatal(err)
			}
			anew, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(anew) != string(good) {
				t.Errorf("written anew:\n%s\nrecorded:\n%s", anew, good)
			}
		})
	}
}
