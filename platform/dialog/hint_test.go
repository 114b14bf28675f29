package dialog

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// newHinted conversations to a service that knows a number of 11 digits when it sees one.
func newHinted(t *testing.T, loc locales.Locale) *dialler {
	t.Helper()
	k, _ := newDialler(t, loc)
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	service := (&trial{}).service()
	service.Hint = func(number string) (Message, bool) {
		return Raw("title", "Окшойт: "+strings.Repeat("x", len(number))), len(number) >= 11
	}
	service.Commands = append(service.Commands, Command{Words: []string{"кезек"}, Ask: "trial.ask", Bare: "trial.menu"})
	if k.engine, err = New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, service); err != nil {
		t.Fatal(err)
	}
	k.budget = Budget{Septets: 459, Units: 201}
	return k
}

// TestHints: a bare number that starts nothing is answered with what it looks like,
// texted or dialled, before the language is chosen or after; so is one behind a word
// that is not taken, and what may be somebody's is never kept.
func TestHints(t *testing.T) {
	t.Parallel()
	const person = "11503198800011"
	for _, number := range []string{"47123456780", "4712345678012", person, "1150 3198 8000 111"} {
		_, digits := sizes(number)
		want := "Окшойт: " + strings.Repeat("x", digits) + "\n"
		for name, begin := range map[string]func(k *dialler){
			"texted":  func(k *dialler) { k.c.Channel = caller.SMS; k.turn(Input{Start: true, Text: number}) },
			"dialled": func(k *dialler) { k.turn(Input{Start: true, Dialled: []string{number}}) },
			"typed":   func(k *dialler) { k.turn(Input{Start: true}); k.turn(Input{Text: number}) },
		} {
			for _, loc := range []locales.Locale{locales.KY, ""} {
				k := newHinted(t, loc)
				begin(k)
				if loc == "" && name != "typed" {
					k.turn(Input{Text: "1"})
				}
				if got := k.state.Pages[k.state.Page].Text; !strings.HasPrefix(got, want) {
					t.Errorf("%s %s in %q: %q", number, name, loc, got)
				}
				if strings.Contains(string(k.state.Encode()), person) {
					t.Errorf("%s %s in %q is kept", number, name, loc)
				}
			}
		}
	}
	for number, want := range map[string]string{
		person: "Окшойт: xxxxxxxxxxxxxx\nНомер?", "123456": "Номер туура эмес.\nНомер?", "7": "Алынды: 7", "": "Меню",
	} {
		k := newHinted(t, locales.KY)
		k.c.Channel = caller.SMS
		if got := k.turn(Input{Start: true, Text: "кезек " + number}).Text; !strings.HasPrefix(got, want) {
			t.Errorf("кезек %s: %q, want %q", number, got, want)
		}
	}
	k := newHinted(t, locales.KY)
	k.turn(Input{Start: true, Dialled: []string{"1", "7"}}) // choices are none
	k.say("00", "Эшик")
	k.say("77", "Тизмеде жок")
}

// TestOneNumberIsLookedUp: of several numbers in a text the first is looked up, and
// that is said.
func TestOneNumberIsLookedUp(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"AA12345": "red: AA12345", "AA12345 AA12346": "*red: AA12345", "AA12345 жана AA 123 46": "*red: AA12345", "AA 123 45, AA12346, AA12347": "*red: AA12345",
		"AA12345 AA12345": "red: AA12345", "AA 123 45 AA12345": "red: AA12345",
	} {
		k := newNumberDialler(t)
		k.c.Channel, k.budget = caller.SMS, Budget{Septets: 459, Units: 201}
		got := k.turn(Input{Start: true, Text: text}).Text
		if want = strings.Replace(want, "*", "Бир жолу бир гана номер изделет.\n", 1); !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestAChosenLanguageAnswersTheQuestion: where the phone chose its language elsewhere
// while a conversation asked for it, the conversation goes on; a choice there is still one.
func TestAChosenLanguageAnswersTheQuestion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ first, typed, want string }{
		{"айып", "айып 7", "Алынды: 7"}, {"айып", "ооба", "Номер?"}, {"", "айып 7", "Алынды: 7"}, {"", "погода", "Непонятно. "}, {"айып 5", "2", "Алынды: 5"},
		{"", "Кыргызча", "Эшик"}, {"47", "", "Эшик"},
	} {
		k, _ := newDialler(t, "")
		k.c.Channel, k.budget = caller.SMS, Budget{Septets: 459, Units: 201}
		k.turn(Input{Start: true, Text: c.first})
		if k.state.Node != nodeLanguage {
			t.Fatalf("%q leads to %s", c.first, k.state.Node)
		}
		got := k.turn(Input{Text: c.typed, Locale: locales.RU}).Text
		want := locales.RU
		if c.typed == "Кыргызча" {
			want = locales.KY
		}
		if !strings.HasPrefix(got, c.want) || k.state.Locale != want {
			t.Errorf("%q and then %q in %s: %q, want %q", c.first, c.typed, k.state.Locale, got, c.want)
		}
	}
}

// TestAWrongKeyLengthensNoText: on each page of a long text a wrong key says which
// keys there are, where that takes no more pages, and no word of the text is lost.
func TestAWrongKeyLengthensNoText(t *testing.T) {
	t.Parallel()
	said := 0
	for words := 3; words < 40; words++ {
		text := strings.TrimSpace(strings.Repeat("жолдо ", words)) + "."
		for page, own := 0, 1; page < own; page++ {
			k := shows(t, Screen{Body: []Message{Raw("title", text)}})
			k.turn(Input{Start: true})
			k.turn(Input{Text: "1"})
			own = len(k.state.Pages)
			for range page {
				k.turn(Input{Text: "9"})
			}
			hint := "Тандай турган нерсе жок. 0 деп"
			if page+1 < own {
				hint = "Тандай турган нерсе жок. 9 же 0 деп"
			}
			before := k.state.Pages[page].Text
			for range 2 {
				got := k.turn(Input{Text: "7"}).Text
				if strings.HasPrefix(got, hint) {
					said++
				} else if got != before && !strings.HasPrefix(got, "Тандай турган нерсе жок.\n") {
					t.Errorf("%d words, page %d: %q", words, page, got)
				}
				if len(k.state.Pages) > own || k.state.Page != page || !strings.Contains(got, "\n0 ") {
					t.Fatalf("%d words: page %d of %d is %d of %d: %q", words, page, own, k.state.Page, len(k.state.Pages), got)
				}
			}
			left := 0
			for _, p := range k.state.Pages {
				left += strings.Count(p.Text, "жолдо")
			}
			if left != words {
				t.Errorf("of %d words %d are left on page %d", words, left, page)
			}
		}
	}
	if said < 40 {
		t.Errorf("the keys were named %d times", said)
	}
}
