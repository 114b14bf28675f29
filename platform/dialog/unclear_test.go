package dialog

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// What chooses, asks and answers nothing is told from what does, wherever it is typed;
// what is not found was understood.
func TestUnclear(t *testing.T) {
	t.Parallel()
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		k, _ := newDialler(t, locales.KY)
		k.c.Channel = channel
		k.turn(Input{Start: true})
		for _, step := range []struct {
			text    string
			unclear bool
		}{
			{"бүгүн жаан жаады", true}, {"77", true}, {"", true}, {strings.Repeat("ж", maxInput+1), true}, {Unreadable, true}, {"1", false},
			{"1", false}, {"жок", false}, {"01KG123ABC", false}, {"00", false},
		} {
			if got := k.turn(Input{Text: step.text}); got.Unclear != step.unclear {
				t.Errorf("%s: %.20q is answered %+v", channel, step.text, got)
			}
		}
	}
	for text, unclear := range map[string]bool{"": false, "салам": false, "меню": false, "айып 01KG123ABC": false, "бүгүн жаан жаады": true, Unreadable: true} {
		k, _ := newDialler(t, locales.KY)
		k.c.Channel = caller.SMS
		if got := k.turn(Input{Start: true, Text: text}); got.Unclear != unclear {
			t.Errorf("a conversation that starts with %q: %+v", text, got)
		}
	}
}

// T6: who sends what cannot be read is told so, never that nothing was written, and a
// number that is left of it chooses nothing.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		for _, loc := range []locales.Locale{locales.KY, locales.RU, ""} {
			for _, text := range []string{Unreadable, " " + Unreadable + "\u200b", Unreadable + "1", "1" + Unreadable} {
				k, _ := newDialler(t, loc)
				k.c.Channel = channel
				want := k.engine.catalogue.Text(max(loc, locales.KY), errUnread.Key)
				k.turn(Input{Start: true})
				node := k.state.Node
				k.say(text, want)
				if k.state.Node != node {
					t.Errorf("%s: %q leads to %s", channel, text, k.state.Node)
				}
				if channel == caller.SMS {
					k, _ = newDialler(t, loc)
					k.c.Channel = channel
					if got := k.turn(Input{Start: true, Text: text}).Text; !strings.Contains(got, want) {
						t.Errorf("a conversation that starts so is answered %q", got)
					}
				}
			}
		}
	}
	k, _ := newDialler(t, locales.KY)
	k.turn(Input{Start: true})
	k.say(" \u200b", k.engine.catalogue.Text(locales.KY, "problem.input_empty"))
}

// Help is asked for in the words that people are told of and in others, not in a
// sentence about something else.
func TestHelps(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	for text, want := range map[string]bool{
		"ЖАРДАМ": true, "помощь": true, "help": true, "?": true, "что можно": true, "айып": false, "меню": false, "1": false, "": false, Unreadable: false,
		"Абонент азыр жооп бере албайт, кийинчерээк жардам сурап чалыңыз": false,
	} {
		if s, err := k.engine.Standing(t.Context(), k.c, text); err != nil || s != (Standing{Help: want}) {
			t.Errorf("%q is %+v, %v", text, s, err)
		}
	}
}

// The answer to a text that is not understood stays two SMS however many services say what
// is texted to them: what of the menu has no room is on the next page, and can be chosen.
func TestNotUnderstoodIsBrief(t *testing.T) {
	t.Parallel()
	for services := 1; services <= 8; services++ {
		k, _ := newDialler(t, locales.KY)
		k.c.Channel, k.budget = caller.SMS, Budget{Septets: 459, Units: 201}
		for i := range services {
			k.engine.services = append(k.engine.services, Flow{Name: "other", Texted: Raw("title", strings.Repeat("ж", 10+i)+" – унаа")})
		}
		for _, in := range []Input{{Start: true, Text: "бүгүн жаан жаады"}, {Text: "бүгүн жаан жаады"}} {
			got := k.turn(in)
			if two := (Budget{Septets: 306, Units: 134}); !two.Fits(got.Text) || !got.Unclear {
				t.Errorf("%d services: %q", services, got.Text)
			}
		}
		for strings.Contains(k.state.Pages[k.state.Page].Text, "\n9 ") && len(k.state.Pages[k.state.Page].Options) == 0 {
			k.turn(Input{Text: "9"})
		}
		k.say("1", "Меню")
	}
}
