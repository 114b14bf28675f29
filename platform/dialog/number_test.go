package dialog

import (
	"slices"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"639499": "639499", "код 639 499": "639499", "639-499 же 123456": "639499 123456", "639499 639499": "", "639499, же 639499": "639499",
		"6394991": "", "ID639499": "", "01KG639499": "", "01 KG 639499": "639499", "KG 639499": "639499", "кодум639499": "639499", "": "",
		"٦٣٩٤٩٩": "639499", strings.Repeat("ж", 90) + " 639 499": "639499", strings.Repeat("ж", 99) + " 639499": "",
	} {
		if got := Numbers(text, 6); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}

// TestSensitive: what is typed is secret where the screen asks for it, and where the
// conversation did that is only offered again, also when a service failed in between.
func TestSensitive(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, "ky")
	k.turn(Input{Start: true})
	k.say("1", "Меню")
	if k.state.Sensitive() {
		t.Error("a menu is taken for secret")
	}
	k.say("3", "Код?")
	if !k.state.Sensitive() {
		t.Error("the question for a code is not")
	}
	failed := *k.state
	failed.remember()
	failed.Node, failed.Ask = nodeProblem, AskNothing
	for name, broken := range map[string]*State{"the question": k.state, "a fault after it": &failed} {
		for _, text := range []string{"", "738291"} {
			in := Input{Start: true, Text: text, Earlier: k.engine.Dropped(broken)}
			if in.Earlier == nil || in.Sensitive() != (text != "") {
				t.Errorf("a conversation that begins with %q beside %s is secret: %v", text, name, in.Sensitive())
			}
		}
		st := NewState("ky")
		resumed := &dialler{t: t, engine: k.engine, state: st, c: k.c, budget: ussd}
		resumed.turn(Input{Start: true, Earlier: k.engine.Dropped(broken)})
		if !resumed.state.Sensitive() {
			t.Errorf("what is typed where %s is offered again is not secret", name)
		}
		resumed.say("77", "Тизмеде жок") // no code
		resumed.say("код 738 291", "Бүттү")
	}
}

// TestAnswersInsteadOfContinue: a number of the service's own is taken as the answer
// that the conversation waits for; another word is neither that nor lost.
func TestAnswersInsteadOfContinue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"AA12345": "red: AA12345", "BB12345": "Тизмеде жок", "7": "Тизмеде жок", "1": "red?"} {
		k := newNumberDialler(t)
		k.turn(Input{Start: true})
		k.say("1", "red?")
		earlier := k.engine.Dropped(k.state)
		k.state = NewState("ky")
		k.turn(Input{Start: true, Earlier: earlier})
		k.say(text, want)
	}
}
