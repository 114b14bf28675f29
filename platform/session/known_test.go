package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/session"
)

// A phone's profile is read once for conversations with which nothing goes on, and anew
// where it decides whether a conversation may be continued, is old, or was changed.
func TestProfileIsKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		asked := func(when string, want int64) {
			t.Helper()
			if got := w.looked.Swap(0); got != want {
				t.Errorf("%s the profile was read %d times, want %d", when, got, want)
			}
		}
		if err := w.Relearn(t.Context(), aigul); err != nil {
			t.Errorf("of a phone that was never here: %v", err)
		}
		english := w.dial(t, "s1", "").Text
		asked("at the first call", 1)
		w.Pass(time.Minute)
		want(t, w.dial(t, "s2", ""), english)
		asked("at the next", 0)
		w.dial(t, "s2", "1")
		want(t, w.dial(t, "s3", ""), question)
		asked("with a conversation to continue", 1)
		want(t, w.dial(t, "s3", "0"), english)
		w.Pass(16 * time.Minute)
		want(t, w.dial(t, "s4", ""), english)
		asked("a quarter of an hour later", 1)
		w.languages[aigul] = locales.RU
		want(t, w.dial(t, "s5", ""), english)
		asked("before it is said that the language changed", 0)
		if err := w.Relearn(t.Context(), aigul); err != nil {
			t.Fatal(err)
		}
		if russian := w.dial(t, "s6", "").Text; strings.Contains(russian, english) {
			t.Errorf("in the new language: %q", russian)
		}
		asked("after it is", 1)
	})
}

// Where the phone chose its language over USSD while its conversation by SMS asked for one, the
// next text is answered in it.
func TestALanguageChosenElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		w.languages[aigul] = ""
		asks := w.sms(t, "SM1", "hello").Text
		want(t, w.dial(t, "s1", ""), asks)
		w.dial(t, "s1", "2")
		w.languages[aigul] = locales.RU // as the choice is kept
		w.Pass(time.Minute)
		if got := w.sms(t, "SM2", "menu").Text; strings.Contains(got, asks) || !strings.HasPrefix(got, "Эшик") {
			t.Errorf("the language is asked for again: %q", got)
		}
	})
}

// A number that changed hands between two conversations gives nothing of the first to the
// second, also where the profile was kept.
func TestKeptProfileInheritsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, store session.Store) {
		w, _ := spoken(t, store)
		w.dial(t, "s1", "")
		w.Pass(time.Minute)
		w.tenure.Add(1)
		w.dial(t, "s2", "") // nothing to continue: the kept profile is good enough
		w.dial(t, "s2", "1")
		w.tenure.Add(1)
		if answer := w.dial(t, "s3", ""); strings.Contains(answer.Text, question) {
			t.Errorf("the next holder is asked %q", answer.Text)
		}
	})
}
