package identity_test

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// Who texts that a phone is gone, or asks for a person, is told where to turn, in one message
// in every language, wherever the conversation stands; a phone that was told of another
// learns first how that is blocked.
func TestWhoLostAPhoneIsToldWhereToTurn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		texts, err := locales.Load()
		w.OK(err)
		k := newDialler(w, bakyt)
		k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		for key, typed := range map[string][]string{
			"identity.lost":     {"потерял телефон", "мой телефон украли", "телефонумду жоготтум", "Жардам, телефонумду жоготтум!"},
			"identity.operator": {"оператор", "жардам оператор", "помощь, оператор"},
		} {
			for _, loc := range locales.All {
				want := texts.Text(loc, key)
				if n := gsm.Measure(want).Parts; n != 1 {
					t.Errorf("%s in %s takes %d messages", key, loc, n)
				}
				for _, text := range typed {
					for _, before := range []string{"", "1"} { // on a question for a code too
						k.state = dialog.NewState(loc)
						if before != "" {
							k.turn(dialog.Input{Start: true})
							k.turn(dialog.Input{Text: before})
						}
						if got := k.turn(dialog.Input{Start: before == "", Text: text}); got != want || !k.state.Ended {
							t.Errorf("%s, %q after %q is answered %q", loc, text, before, got)
						}
					}
				}
			}
		}
		told, number := told(w)
		if got := told.turn(dialog.Input{Start: true, Text: "мой телефон украли"}); !strings.HasPrefix(got, texts.Text(locales.RU, "identity.undo_open", "word", number)+"\n") ||
			!strings.HasSuffix(got, texts.Text(locales.RU, "identity.lost")) {
			t.Errorf("a phone that was told of another reads %q", got)
		}
	})
}
