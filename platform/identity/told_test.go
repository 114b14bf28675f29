package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// told is a conversation by SMS of the owner, whose phone was told of a thief's; number undoes it.
func told(w *world) (k *dialler, number string) {
	w.T.Helper()
	w.prove(aigul)
	w.Pass(time.Minute)
	w.prove(second)
	k = newDialler(w, aigul)
	k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
	return k, noticeNumber.FindStringSubmatch(w.notices(aigul)[0])[1]
}

// F1: who was told of another phone and answers in own words is told the word, wherever the
// conversation stands; what is not understood and help name it too; when it is taken, none does.
func TestF1OwnWordsAreToldTheWord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k, number := told(w)
		names := func(text string, want bool) {
			t.Helper()
			for _, start := range []bool{true, false} {
				got := k.turn(dialog.Input{Start: start, Text: text})
				if strings.Contains(got, "БЛОК "+number) != want {
					t.Errorf("%q, first %v: answered %q", text, start, got)
				}
			}
		}
		for _, text := range []string{
			"Кто это?", "Это не я", "это не я!!!", "Это не я, помогите", "бул мен эмес", "Заблокируйте", "заблокируйте пожалуйста", "чужой телефон",
			"бүгүн жаан жаады", "ЖАРДАМ", "помощь",
		} {
			names(text, true)
		}
		k.dial()
		k.turn(dialog.Input{Text: "1"}) // a code is asked for
		k.say("это не я", "БЛОК "+number)
		if !w.proved(second) {
			t.Fatal("own words undid the other phone")
		}
		k.say("БЛОК "+number, "24 часа")
		if w.proved(second) {
			t.Error("the word left the other phone proved")
		}
		names("Это не я", false)
		names("помощь", false)
	})
}

// F1: the word acts on a screen of USSD as well, in all its spellings, and where words are
// no commands.
func TestF1TheWordIsDialled(t *testing.T) {
	for _, spelled := range []string{
		"БЛОК", "блокировать", "ЗАБЛОКИРОВАТЬ", "БӨГӨТ", "БУГОТ", "BLOK", "bogot", "Бөгөттөө",
	} {
		for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
			t.Run(spelled+" "+string(channel), func(t *testing.T) {
				w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
				k, number := told(w)
				k.channel, k.budget = channel, dialog.Budget{Septets: 182, Units: 80}
				c := w.by(aigul)
				c.Channel, c.Locale = channel, locales.RU
				for typed, want := range map[string]dialog.Standing{
					spelled + " " + number:        {Told: true, Acts: true},
					spelled + " " + other(number): {Told: true},
					"улица " + spelled + " 7":     {},
					"1":                           {},
				} {
					got, err := k.engine.Standing(t.Context(), c, typed)
					if got.Open == "" {
						t.Error("the word is not named")
					}
					if got.Open = ""; err != nil || got != want {
						t.Errorf("%q is %+v, %v", typed, got, err)
					}
				}
				k.dial()
				k.say(spelled+" "+other(number), "неверн")
				k.dial()
				k.say(spelled+" "+number, "24 часа")
				if w.proved(second) {
					t.Error("the word left the other phone proved")
				}
			})
		}
	}
}

// other is another number than the given one.
func other(number string) string {
	if number == "0000" {
		return "0001"
	}
	return "0000"
}

// A phone in other hands, as over REST, is told of nothing.
func TestF1NothingIsOpenElsewhere(t *testing.T) {
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k, number := told(w)
	for phone, channel := range map[string]caller.Channel{aigul: caller.REST, third: caller.SMS} {
		c := w.by(phone)
		c.Channel, c.Locale = channel, locales.RU
		if got, err := k.engine.Standing(t.Context(), c, "БЛОК "+number); err != nil || got != (dialog.Standing{Told: true}) {
			t.Errorf("%s over %s: %+v, %v", phone, channel, got, err)
		}
	}
}
