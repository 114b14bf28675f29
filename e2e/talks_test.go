package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorded are the talks, each in every language and script. A certificate's holds
// the identification and the verification; "broken" breaks off and goes on; "code"
// does so whenever a message is read that came with a one-time code.
var recorded = []string{"broken", "certificate", "code", "fine", "preschool"}

// TestRecordedTalks holds each recorded talk over USSD, page by page, and over
// SMS, where a screen is cut otherwise but says the same. The talks were written
// by `phone -record`; in each, every page of a longer screen was read.
func TestRecordedTalks(t *testing.T) {
	t.Parallel()
	for _, talk := range recorded {
		for _, language := range []string{"ky", "ru", "latin"} {
			name := talk + "_" + language
			path := "testdata/talks/" + name + ".txt"
			talk := readTalk(t, path)
			if *record {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					if err := (&replay{d: embedded(t), patience: patience}).rewrite(path, talk); err != nil {
						t.Error(err)
					}
				})
				continue
			}
			for channel, hold := range holds {
				t.Run(name+" "+channel, func(t *testing.T) {
					t.Parallel()
					if err := hold(&replay{d: embedded(t), patience: patience}, talk); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	if files, err := filepath.Glob("testdata/talks/*.txt"); err != nil || len(files) != 3*len(recorded) {
		t.Errorf("%d recorded talks (%v), not all are held", len(files), err)
	}
}

// holds are the ways to hold a talk again.
var holds = map[string]func(*replay, []heard) error{"over USSD": (*replay).overUSSD, "over SMS": (*replay).overSMS}

// TestRecordedTalksCanFail: a talk in which one word is another is not held.
func TestRecordedTalksCanFail(t *testing.T) {
	t.Parallel()
	talk := readTalk(t, "testdata/talks/fine_ru.txt")
	for i := range talk {
		talk[i].screen = strings.Replace(talk[i].screen, "терминал или кошелёк", "терминал или касса", 1)
	}
	for channel, hold := range holds {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			err := hold(&replay{d: embedded(t), patience: 5 * time.Second}, talk)
			if err == nil || !strings.Contains(err.Error(), "касса") || !strings.Contains(err.Error(), "кошелёк") {
				t.Errorf("said %v", err)
			}
		})
	}
}

// heard is one exchange of a recorded talk.
type heard struct{ typed, screen string }

func readTalk(t *testing.T, path string) []heard {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var talk []heard
	for part := range strings.SplitSeq("\n"+string(data), "\n> ") {
		if typed, screen, found := strings.Cut(part, "\n"); found && part != "" {
			talk = append(talk, heard{typed: typed, screen: strings.TrimSpace(screen)})
		}
	}
	if len(talk) < 5 {
		t.Fatalf("%s holds %d turns", path, len(talk))
	}
	return talk
}

// What differs from talk to talk.
var (
	certificateNumber  = regexp.MustCompile(`[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{3}`)
	registrationNumber = regexp.MustCompile(`\d{11}`)
	longNumber         = regexp.MustCompile(`\d{9,}`)
	day                = regexp.MustCompile(`\d\d\.\d\d\.\d{4}`)
)

func masked(screen string) string {
	for _, varies := range []*regexp.Regexp{certificateNumber, longNumber, day} {
		screen = varies.ReplaceAllString(screen, "#")
	}
	return screen
}

// replay is a recorded talk held again, with the numbers of this time.
type replay struct {
	d        *door
	patience time.Duration // how long an answer by SMS may take
	seen     string        // all screens so far
}

// now is what to type where typed was: this time's code or number.
func (r *replay) now(typed string) string {
	r.d.t.Helper()
	last := func(number *regexp.Regexp) string {
		found := number.FindAllString(r.seen, -1)
		if found == nil {
			r.d.t.Fatalf("no number like %q was shown yet", typed)
		}
		return found[len(found)-1]
	}
	switch {
	case typed == "{secret}":
		return r.code()
	case typed == "{personal_number}":
		return "11503198800011"
	case typed == "{document_number}":
		return "ID1000001"
	case certificateNumber.MatchString(typed):
		return last(certificateNumber)
	case len(typed) == 11 && registrationNumber.MatchString(typed):
		return last(registrationNumber)
	}
	return typed
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

func (r *replay) overUSSD(talk []heard) error {
	r.d.t.Helper()
	var c *call
	open := false
	for i, h := range talk {
		var screen string
		if dials(h.typed) {
			if open {
				c.hangUp()
			}
			c, screen = r.d.ring(aigul)
		} else {
			screen = c.say("", r.now(h.typed))
		}
		open = strings.HasPrefix(screen, "CON ")
		screen = screen[len("CON "):]
		if masked(screen) != masked(h.screen) {
			return fmt.Errorf("turn %d, after %q:\n%s\nrecorded:\n%s", i+1, h.typed, screen, h.screen)
		}
		r.seen += screen + "\n"
	}
	if open {
		c.hangUp()
	}
	return nil
}

// goesOn is the question whether a talk that broke off goes on.
var goesOn = regexp.MustCompile(`(?m)^1 (Улантуу|Продолжить|Ulantuu)$`)

// broken is where a talk is dialled again after it broke off, or 0.
func broken(talk []heard) int {
	return max(0, slices.IndexFunc(talk, func(h heard) bool { return dials(h.typed) && goesOn.MatchString(h.screen) }))
}

// unbroken is a talk without the lines that broke: over SMS none does.
func unbroken(talk []heard) []heard {
	var kept []heard
	for len(talk) > 0 {
		if dials(talk[0].typed) && goesOn.MatchString(talk[0].screen) && len(talk) > 1 {
			talk = talk[2:] // the question, and the screen that was there before
			continue
		}
		kept, talk = append(kept, talk[0]), talk[1:]
	}
	return kept
}

func dials(typed string) bool { return strings.HasPrefix(typed, "*") }

// screenful is a whole screen after what was typed to come to it: an option's
// label, or words.
type screenful struct {
	typed  string
	option bool
	pages  []string
}

var (
	moreLine = regexp.MustCompile(`(?m)^9 (Дагы|Ещё|Dagy)$`)
	wayLine  = regexp.MustCompile(`(?m)^(0|9) .*$`)
	choice   = regexp.MustCompile(`(?m)^([1-8]|\d\d) (.+)$`)
)

// whole puts the pages of a talk together to screens.
func whole(t *testing.T, talk []heard) []screenful {
	t.Helper()
	var screens []screenful
	page := 0
	for _, h := range talk {
		if len(screens) > 0 {
			last := &screens[len(screens)-1]
			if h.typed == "9" && moreLine.MatchString(last.pages[page]) {
				if page++; page == len(last.pages) {
					last.pages = append(last.pages, h.screen)
				}
				continue
			}
			if h.typed == "0" && page > 0 {
				page--
				continue
			}
			if moreLine.MatchString(last.pages[len(last.pages)-1]) {
				t.Fatalf("the last page of %q was not read", last.pages)
			}
		}
		next := screenful{typed: h.typed, pages: []string{h.screen}}
		if len(screens) > 0 {
			for _, option := range choice.FindAllStringSubmatch(screens[len(screens)-1].pages[page], -1) {
				if option[1] == h.typed {
					next.typed, next.option = option[2], true
				}
			}
		}
		screens, page = append(screens, next), 0
	}
	return screens
}

// words is what a screen says, however it is numbered and cut.
func words(pages ...string) string {
	text := wayLine.ReplaceAllString(strings.Join(pages, "\n"), "")
	return masked(strings.Join(strings.Fields(choice.ReplaceAllString(text, "$2")), " "))
}

// overSMS holds a talk by SMS; what broke off, over USSD until there.
func (r *replay) overSMS(talk []heard) error {
	r.d.t.Helper()
	begin, at := "меню", broken(talk)
	talk, before := talk[at:], talk[:at]
	if at > 0 {
		if err := r.overUSSD(before); err != nil {
			return err
		}
		begin = "салам" // whatever is texted, the question comes
		talk = append(slices.Clone(talk[:2]), unbroken(talk[2:])...)
	}
	shown := ""
	for _, s := range whole(r.d.t, talk) {
		typed := r.now(s.typed)
		if dials(typed) {
			typed = begin
		}
		for _, option := range choice.FindAllStringSubmatch(shown, -1) {
			if s.option && option[2] == s.typed {
				typed = option[1]
			}
		}
		var err error
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
	page, pages := first, 1
	for want = rest(want, page); err == nil && moreLine.MatchString(page); want = rest(want, page) {
		page, err = r.answer("9", want)
		pages++
	}
	if err == nil && want != "" {
		err = fmt.Errorf("after %q there lacks %q; there is %q", typed, want, first)
	}
	for ; err == nil && pages > 1; pages-- {
		r.d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": aigul, "to": "1414", "text": "0"}, nil)
	}
	return first, err
}

// rest is what want says beyond page.
func rest(want, page string) string {
	return strings.TrimSpace(strings.TrimPrefix(want, words(page)))
}

// answer texts and waits for a message that says what want begins with.
func (r *replay) answer(typed, want string) (string, error) {
	r.d.t.Helper()
	before := len(r.d.inbox(aigul))
	r.d.readsFirst(aigul, typed)
	r.d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": aigul, "to": "1414", "text": typed}, nil)
	var came []message
	for deadline := time.Now().Add(r.patience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		came = r.d.inbox(aigul)
		for _, m := range came[:len(came)-before] {
			if said := words(m.Text); said != "" && strings.HasPrefix(want, said) {
				return m.Text, nil
			}
		}
	}
	return "", fmt.Errorf("after %q there came %q, not\n%s", typed, came[:len(came)-before], want)
}
