package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// record writes the recorded talks anew: the same is typed, the screens are those
// of today. What a person must look at is then the difference.
var record = flag.Bool("record", false, "write the recorded talks anew instead of holding them")

// rewrite holds a talk over USSD and writes what is shown into its file. A screen
// that differs only in what varies from talk to talk stays as it was.
func (r *replay) rewrite(path string, talk []heard) error {
	r.d.t.Helper()
	p := pen{kept: map[string]string{}}
	var shown string // the screen as it is now
	var before heard // the turn before as it was recorded
	var c *call
	for i, h := range talk {
		if dials(h.typed) {
			if c != nil && strings.HasPrefix(shown, "CON ") {
				c.hangUp()
			}
			c, shown = r.d.ring(aigul)
		} else {
			if strings.HasPrefix(shown, "END ") {
				return fmt.Errorf("turn %d: %q is typed after the talk has ended with\n%s", i+1, h.typed, shown)
			}
			h.typed = moved(h.typed, before.screen, shown)
			shown = c.say("", r.now(h.typed))
		}
		before = talk[i]
		screen := shown[len("CON "):]
		r.seen += screen + "\n"
		p.write(h.typed, before.screen, screen)
	}
	if strings.HasPrefix(shown, "CON ") {
		c.hangUp()
	}
	return os.WriteFile(path, []byte(strings.TrimSuffix(p.text.String(), "\n")), 0o600)
}

// moved is the number that an option has now which was chosen as typed, found by
// what it says; typed itself where the option is not on the screen any more.
func moved(typed, recorded, shown string) string {
	label := ""
	for _, option := range choice.FindAllStringSubmatch(recorded, -1) {
		if option[1] == typed {
			label = option[2]
		}
	}
	for _, option := range choice.FindAllStringSubmatch(shown, -1) {
		if label != "" && option[2] == label {
			return option[1]
		}
	}
	return typed
}

// pen writes a talk down with the numbers and days that were recorded before.
type pen struct {
	text strings.Builder
	kept map[string]string // this time's number → the recorded one
}

// varying is all that differs from talk to talk.
var varying = regexp.MustCompile(strings.Join([]string{certificateNumber.String(), longNumber.String(), day.String()}, "|"))

func (p *pen) write(typed, recorded, screen string) {
	if masked(screen) == masked(recorded) {
		old, now := varying.FindAllString(recorded, -1), varying.FindAllString(screen, -1)
		for i, number := range now {
			p.kept[number] = old[i]
		}
	}
	screen = varying.ReplaceAllStringFunc(screen, func(number string) string {
		if old, known := p.kept[number]; known {
			return old
		}
		return number
	})
	fmt.Fprintf(&p.text, "> %s\n%s\n\n", typed, screen)
}

// TestRecording: written anew a talk is what it was, byte for byte, also where
// words, an option's number or the number of a payment had become others.
func TestRecording(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"broken_ru", "certificate_ky"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good, err := os.ReadFile("testdata/talks/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			stale := strings.NewReplacer(
				"Оплатите в кошельке", "Оплатите в кассе", "Эшик\n1 Штрафы\n2 Справки", "Дверь\n1 Справки\n2 Штрафы",
				"3 Kyrgyzcha\n\n> 2", "3 Kyrgyzcha\n\n> 2", "4 Тил / Язык\n\n> 1", "4 Тил / Язык\n\n> 2", "Кайсы маалымкат?", "Кайсынысы?",
			).Replace(string(good))
			if stale == string(good) {
				t.Fatal("nothing was made stale")
			}
			path := filepath.Join(t.TempDir(), "talk.txt")
			if err := os.WriteFile(path, []byte(stale), 0o600); err != nil {
				t.Fatal(err)
			}
			r := &replay{d: embedded(t), patience: patience}
			if err := r.rewrite(path, readTalk(t, path)); err != nil {
				t.Fatal(err)
			}
			anew, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if masked(string(anew)) != masked(string(good)) {
				t.Errorf("written anew:\n%s\nrecorded:\n%s", anew, good)
			}
		})
	}
}
