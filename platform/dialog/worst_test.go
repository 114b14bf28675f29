package dialog

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// showing drives a conversation whose service shows one screen.
func showing(t *testing.T, loc locales.Locale, screen Screen) *dialler {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, Flow{
		Name: "trial", Entry: Option{Label: Say("dialog.more"), Next: Go("trial.screen")},
		Nodes: []Node{{ID: "trial.screen", Show: func(context.Context, *Turn) (Screen, error) { return screen, nil }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	k := &dialler{t: t, engine: engine, state: NewState(loc), c: caller.Caller{Channel: caller.USSD, Locale: loc}, budget: ussd}
	k.turn(Input{Start: true, Dialled: []string{"1"}})
	return k
}

func TestWorstTakesTheLongestValues(t *testing.T) {
	t.Parallel()
	k := showing(t, locales.RU, Screen{
		Body: []Message{Say("fine.clean", "plate", "01")}, Options: []Option{{Raw("district", "Ош"), Go("menu.main")}},
	})
	pages, err := k.engine.Worst(t.Context(), k.c, k.state, k.budget)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(pages, "\n")
	for _, want := range []string{k.engine.catalogue.Longest(locales.RU, "plate"), k.engine.catalogue.Longest(locales.RU, "district")} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks the longest value %q", text, want)
		}
	}
}

// TestView: a screen as another language than the conversation's has it, with the values of
// the moment and the longest, and each of its sentences once.
func TestView(t *testing.T) {
	t.Parallel()
	k := showing(t, locales.RU, Screen{
		Body:    []Message{Say("fine.clean", "plate", "01"), Raw("district", "Ош")},
		Options: []Option{{Say("payment.pay"), Go("menu.main")}, {Say("payment.pay"), Go("menu.language")}},
	})
	before := k.state.Encode()
	other, err := Decode(before)
	if err != nil {
		t.Fatal(err)
	}
	other.Locale = locales.KY
	view, err := k.engine.View(t.Context(), k.c, other, k.budget)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"01: айып пул жок\nОш\n1 Төлөө\n2 Төлөө\n0 Артка"}; !slices.Equal(view.Pages, want) {
		t.Errorf("%q, want %q", view.Pages, want)
	}
	worst, err := k.engine.Worst(t.Context(), k.c, other, k.budget)
	if err != nil || !slices.Equal(view.Longest, worst) || slices.Equal(view.Longest, view.Pages) {
		t.Errorf("%q with the longest values, want %q (%v)", view.Longest, worst, err)
	}
	if want := []string{"fine.clean", "payment.pay"}; !slices.Equal(view.Keys, want) {
		t.Errorf("%q, want %q", view.Keys, want)
	}
	if !bytes.Equal(before, k.state.Encode()) {
		t.Error("the conversation went on")
	}
	k = showing(t, locales.RU, Screen{Body: []Message{Say("trial.none")}})
	if _, err := k.engine.View(t.Context(), k.c, k.state, k.budget); !errors.Is(err, ErrUndeclared) {
		t.Errorf("a key that is not declared gave %v", err)
	}
}

func TestWorstMissesWhatIsNotDeclared(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]Message{
		`the key "trial.none"`:                  Say("trial.none"),
		`the argument {plate} of "fine.clean"`:  Say("fine.clean", "plat", "01KG123ABC"),
		`the longest text of the kind "bridge"`: Raw("bridge", "Ак-Көпүрө"),
		`the longest text of the kind ""`:       {Text: "Ак-Көпүрө"},
		"":                                      Say("fine.clean", "plate", "01KG123ABC"),
	} {
		k := showing(t, locales.KY, Screen{Body: []Message{m}})
		pages, err := k.engine.Worst(t.Context(), k.c, k.state, k.budget)
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrUndeclared) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", m, err, want)
		}
		if len(pages) == 0 {
			t.Errorf("%+v: no page", m)
		}
	}
}

// TestLongerThanDeclaredIsPaged: what a registry sends beyond the declared longest
// value is read to its end, on as many pages as it takes.
func TestLongerThanDeclaredIsPaged(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("Каракол шаары, Абдрахманов көчөсү; ", 12)
	for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn} {
		k := showing(t, loc, Screen{Body: []Message{Raw("place", words), Say("fine.clean", "plate", words)}})
		read := k.state.Pages[0].Text
		for range len(k.state.Pages) - 1 {
			read += k.turn(Input{Text: "9"}).Text // a page that does not fit fails there
		}
		want := strings.Fields(words)[0]
		if loc == locales.KYLatn {
			want = locales.Latin(want)
		}
		if n := strings.Count(read, want); n != 24 || len(k.state.Pages) < 3 {
			t.Errorf("%s: on %d pages %q stands %d times", loc, len(k.state.Pages), want, n)
		}
	}
}

// TestAnEndIsReadToItsEnd: an end of more than one page leaves the conversation open, so
// that the rest can be read.
func TestAnEndIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	for pages, text := range []string{"Бүттү", strings.Repeat("Маалымкат даяр. ", 5) + "K7MN-4PQR-2XH"} {
		k := showing(t, locales.KY, Screen{Body: []Message{Raw("place", text)}, End: true})
		if k.state.Ended != (pages == 0) {
			t.Fatalf("%q: ended is %v", text, k.state.Ended)
		}
		if pages > 0 {
			k.say("9", "K7MN-4PQR-2XH\n0 Артка")
			k.say("00", "Эшик")
		}
	}
}
