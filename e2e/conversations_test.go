package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
)

// recorded are the conversations, each in every language and script. A certificate's holds
// the identification and the verification; "broken" breaks off and goes on; "code"
// does so whenever a message is read that came with a one-time code.
var recorded = []string{"broken", "certificate", "code", "fine", "preschool"}

// TestRecordedConversations holds each recorded conversation over USSD, page by page, and over
// SMS, where a screen is cut otherwise but says the same. The conversations were written
// by `phone -record`; in each, every page of a longer screen was read.
func TestRecordedConversations(t *testing.T) {
	t.Parallel()
	for _, conversation := range recorded {
		for _, language := range []string{"ky", "ru", "latin"} {
			name := conversation + "_" + language
			path := "testdata/conversations/" + name + ".txt"
			conversation := readConversation(t, path)
			if *record {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					if err := (&replay{d: embedded(t)}).rewrite(path, conversation); err != nil {
						t.Error(err)
					}
				})
				continue
			}
			for channel, hold := range holds {
				t.Run(name+" "+channel, func(t *testing.T) {
					t.Parallel()
					if err := hold(&replay{d: embedded(t)}, conversation); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	if files, err := filepath.Glob("testdata/conversations/*.txt"); err != nil || len(files) != 3*len(recorded) {
		t.Errorf("%d recorded conversations (%v), not all are held", len(files), err)
	}
}

// holds are the ways to hold a conversation again.
var holds = map[string]func(*replay, []transcript.Turn) error{"over USSD": (*replay).overUSSD, "over SMS": (*replay).overSMS}

// TestRecordedTalksCanFail: a conversation in which one word is another is not held.
func TestRecordedTalksCanFail(t *testing.T) {
	t.Parallel()
	conversation := readConversation(t, "testdata/conversations/fine_ru.txt")
	for i := range conversation {
		conversation[i].Shown = []string{strings.Replace(conversation[i].Screen(), "терминал или кошелёк", "терминал или касса", 1)}
	}
	for channel, hold := range holds {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			err := hold(&replay{d: embedded(t)}, conversation)
			if err == nil || !strings.Contains(err.Error(), "касса") || !strings.Contains(err.Error(), "кошелёк") {
				t.Errorf("said %v", err)
			}
		})
	}
}

func readConversation(t *testing.T, path string) []transcript.Turn {
	t.Helper()
	conversation, err := transcript.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(conversation) < 5 {
		t.Fatalf("%s holds %d turns", path, len(conversation))
	}
	return conversation
}

// replay is a recorded conversation held again, with the numbers of this time.
type replay struct {
	d    *door
	seen string // all screens so far
}

// now is what to type where a transcript names what was typed: this time's code or
// number.
func (r *replay) now(typed string) string {
	r.d.t.Helper()
	switch typed {
	case "{secret}":
		return r.code()
	case "{personal_number}":
		return "11503198800011"
	case "{document_number}":
		return "ID1000001"
	}
	if !strings.HasPrefix(typed, "{") {
		return typed
	}
	last := transcript.Last(r.seen, typed)
	if last == "" {
		r.d.t.Fatalf("no %s was shown yet", typed)
	}
	return last
}

// code is the newest one-time code among the phone's messages.
func (r *replay) code() string {
	r.d.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		for _, m := range r.d.inbox(aigul) {
			if code := sixDigits.FindString(m.Text); code != "" {
				return code
			}
		}
	}
	r.d.t.Fatal("no one-time code reached the phone")
	return ""
}

func (r *replay) overUSSD(conversation []transcript.Turn) error {
	r.d.t.Helper()
	var c *call
	screen, open := "", false
	for i, h := range conversation {
		if dials(h.Input) {
			if open {
				c.hangUp()
			}
			c, screen = r.d.ring(aigul)
		} else {
			typed, err := transcript.Choice(h.Input, screen)
			if err != nil {
				return fmt.Errorf("turn %d: %w", i+1, err)
			}
			screen = c.say("", r.now(typed))
		}
		open = strings.HasPrefix(screen, "CON ")
		screen = screen[len("CON "):]
		if !transcript.Same(h.Screen(), screen) {
			return fmt.Errorf("turn %d, after %q:\n%s\nrecorded:\n%s", i+1, h.Input, screen, h.Screen())
		}
		r.seen += screen + "\n"
	}
	if open {
		c.hangUp()
	}
	return nil
}

// goesOn is the question whether a conversation that broke off goes on.
var goesOn = regexp.MustCompile(`(?m)^1 (Улантуу|Продолжить|Ulantuu)$`)

// broken is where a conversation is dialled again after it broke off, or 0.
func broken(conversation []transcript.Turn) int {
	return max(0, slices.IndexFunc(conversation, func(h transcript.Turn) bool { return dials(h.Input) && goesOn.MatchString(h.Screen()) }))
}

// unbroken is a conversation without the lines that broke: over SMS none does.
func unbroken(conversation []transcript.Turn) []transcript.Turn {
	var kept []transcript.Turn
	for len(conversation) > 0 {
		if dials(conversation[0].Input) && goesOn.MatchString(conversation[0].Screen()) && len(conversation) > 1 {
			conversation = conversation[2:] // the question, and the screen that was there before
			continue
		}
		kept, conversation = append(kept, conversation[0]), conversation[1:]
	}
	return kept
}

func dials(typed string) bool { return strings.HasPrefix(typed, "*") }

// screenful is a whole screen after what was typed to come to it.
type screenful struct {
	typed string
	pages []string
}

var (
	moreLine = regexp.MustCompile(`(?m)^9 (Дагы|Ещё|Dagy)$`)
	wayLine  = regexp.MustCompile(`(?m)^(0|9) .*$`)
	choice   = regexp.MustCompile(`(?m)^([1-8]|\d\d) (.+)$`)
)

// whole puts the pages of a conversation together to screens.
func whole(t *testing.T, conversation []transcript.Turn) []screenful {
	t.Helper()
	var screens []screenful
	page := 0
	for _, h := range conversation {
		if len(screens) > 0 {
			last := &screens[len(screens)-1]
			if h.Input == "9" && moreLine.MatchString(last.pages[page]) {
				if page++; page == len(last.pages) {
					last.pages = append(last.pages, h.Screen())
				}
				continue
			}
			if h.Input == "0" && page > 0 {
				page--
				continue
			}
			if moreLine.MatchString(last.pages[len(last.pages)-1]) {
				t.Fatalf("the last page of %q was not read", last.pages)
			}
		}
		screens, page = append(screens, screenful{typed: h.Input, pages: []string{h.Screen()}}), 0
	}
	return screens
}

// words is what a screen says, however it is numbered and cut.
func words(pages ...string) string {
	text := wayLine.ReplaceAllString(strings.Join(pages, "\n"), "")
	return transcript.Masked(strings.Join(strings.Fields(choice.ReplaceAllString(text, "$2")), " "))
}

// overSMS holds a conversation by SMS; what broke off, over USSD until there.
func (r *replay) overSMS(conversation []transcript.Turn) error {
	r.d.t.Helper()
	begin, at := "меню", broken(conversation)
	conversation, before := conversation[at:], conversation[:at]
	if at > 0 {
		if err := r.overUSSD(before); err != nil {
			return err
		}
		begin = "салам" // whatever is texted, the question comes
		conversation = append(slices.Clone(conversation[:2]), unbroken(conversation[2:])...)
	}
	shown := ""
	for _, s := range whole(r.d.t, conversation) {
		typed, err := transcript.Choice(s.typed, shown)
		if err != nil {
			return err
		}
		if typed = r.now(typed); dials(typed) {
			typed = begin
		}
		if shown, err = r.readSMS(typed, words(s.pages...)); err != nil {
			return err
		}
		r.seen += shown + "\n"
	}
	return nil
}

// readSMS texts and reads the answer, which must say want: if it is longer than
// a message, all of it, turning back to the first, which is returned.
func (r *replay) readSMS(typed, want string) (string, error) {
	r.d.t.Helper()
	first, err := r.answer(typed, want)
	page, pages := first, []string{first}
	for want = rest(want, page); err == nil && moreLine.MatchString(page); want = rest(want, page) {
		page, err = r.answer("9", want)
		pages = append(pages, page)
	}
	if err == nil && want != "" {
		err = fmt.Errorf("after %q there lacks %q; there is %q", typed, want, first)
	}
	for i := len(pages) - 2; err == nil && i >= 0; i-- {
		_, err = r.answer("0", words(pages[i]))
	}
	return first, err
}

// rest is what want says beyond page.
func rest(want, page string) string {
	if strings.Contains(want, transcript.Elided) {
		return "" // such a screen is one page
	}
	return strings.TrimSpace(strings.TrimPrefix(want, words(page)))
}

// answer texts and waits for a message that says what want begins with. Another one
// ends the wait, but one with a one-time code: that comes beside the answer.
func (r *replay) answer(typed, want string) (string, error) {
	r.d.t.Helper()
	before := len(r.d.inbox(aigul))
	r.d.readsFirst(aigul, typed)
	r.d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": aigul, "to": "1414", "text": typed}, nil)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		came := r.d.inbox(aigul)
		for _, m := range came[:len(came)-before] {
			if said := words(m.Text); said != "" && beginsWith(want, said) {
				return m.Text, nil
			}
			if !sixDigits.MatchString(m.Text) {
				return "", fmt.Errorf("after %q there came %q, not\n%s", typed, m.Text, want)
			}
		}
	}
	return "", fmt.Errorf("after %q nothing came, not\n%s", typed, want)
}

// beginsWith reports whether want begins with what was said, or says it when something is
// left out.
func beginsWith(want, said string) bool {
	if before, after, elided := strings.Cut(want, transcript.Elided); elided {
		return strings.HasPrefix(said, before) && strings.HasSuffix(said, after)
	}
	return strings.HasPrefix(want, said)
}
