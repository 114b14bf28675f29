package dialog

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
)

// shows makes a dialler whose one service shows a screen.
func shows(t *testing.T, screen Screen) *dialler {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	engine, err := New(catalogue, Options{Log: slog.New(slog.DiscardHandler)}, Flow{
		Name: "shown", Entry: Option{Label: Say("dialog.more"), Next: Go("shown.screen")},
		Nodes: []Node{
			{
				ID: "shown.screen", Plain: func(*Turn) Screen { return screen },
				Answer: func(context.Context, *Turn, string) (Next, error) { return Next{}, errDialStops },
			},
			{ID: "shown.chosen", Plain: func(t *Turn) Screen {
				return Screen{Body: []Message{Raw("title", "Тандалды "+t.Get("n"))}}
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := caller.Caller{Channel: caller.USSD, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return &dialler{t: t, engine: engine, state: NewState(locales.KY), c: c, budget: ussd}
}

func choices(labels ...string) (options []Option) {
	for i, label := range labels {
		options = append(options, Option{Raw("title", label), Go("shown.chosen", "n", strconv.Itoa(i))})
	}
	return options
}

// TestOptionsAreNumberedThrough is B3: an option has one number, on whichever page
// it stands, and is chosen by it from any; 9 and 0 stay the engine's.
func TestOptionsAreNumberedThrough(t *testing.T) {
	t.Parallel()
	var labels []string
	for n := range 25 {
		labels = append(labels, fmt.Sprintf("айып %c", 'а'+rune(n)))
	}
	for _, b := range []Budget{ussd, {Septets: 80, Units: 40}, {Septets: 459, Units: 201}} {
		k := shows(t, Screen{Body: []Message{Raw("title", "Тандаңыз")}, Options: choices(labels...)})
		k.budget = b
		k.turn(Input{Start: true})
		k.turn(Input{Text: "1"})
		want := 1
		for page := 0; ; page++ {
			for line := range strings.SplitSeq(k.state.Pages[k.state.Page].Text, "\n") {
				number, label, _ := strings.Cut(line, " ")
				if !strings.HasPrefix(label, "айып") {
					continue
				}
				if want == 9 {
					want = 10
				}
				if number != strconv.Itoa(want) {
					t.Fatalf("in %+v on page %d: %q, want number %d", b, page, line, want)
				}
				want++
			}
			if k.state.Page+1 == len(k.state.Pages) {
				break
			}
			k.turn(Input{Text: "9"})
		}
		if want != 27 {
			t.Fatalf("in %+v the last number is %d", b, want-1)
		}
		kept := k.state.Encode()
		for n, typed := range map[int]string{0: "1", 7: "8", 8: "10", 24: "26", 10: "۱۲"} {
			k.say(typed, fmt.Sprintf("Тандалды %d\n", n))
			k.state, _ = Decode(kept)
		}
		for _, typed := range []string{"01", "27", "99", "-1", "100000000000000000000"} {
			k.say(typed, "Тизмеде жок")
			k.state, _ = Decode(kept)
		}
	}
}

// TestAnOlderStatesNumbers: pages that an older build wrote are numbered from 1 each;
// what is typed there means the page that is seen.
func TestAnOlderStatesNumbers(t *testing.T) {
	t.Parallel()
	k := shows(t, Screen{})
	options := choices("а", "б", "в", "г")
	k.state.Node, k.state.Page = "shown.screen", 1
	k.state.Pages = []Page{
		{Text: "1 а\n2 б", Options: []Next{options[0].Next, options[1].Next}},
		{Text: "1 в\n2 г", Options: []Next{options[2].Next, options[3].Next}},
	}
	kept := k.state.Encode()
	k.say("2", "Тандалды 3\n")
	k.state, _ = Decode(kept)
	k.say("3", "жок") // on no page that was shown with it
}

// TestRefusalsAddNothing is B13: wrong keys, as often as one likes, leave a screen
// as many pages and a state as large as the first of them did, the choices by their
// numbers and the other pages where they were.
func TestRefusalsAddNothing(t *testing.T) {
	t.Parallel()
	title := strings.Repeat("ж", 20) + " " + strings.Repeat("ш", 20)
	screens := map[string]Screen{
		"a title of 41 characters": {Body: []Message{Raw("title", title)}, Options: choices(title)},
		"two":                      {Body: []Message{Raw("title", title)}, Options: choices(title, title)},
		"a list":                   {Body: []Message{Raw("title", "Тизме")}, Options: choices(title, "а", "б", title, "в", "г", "д", "е", "ё", "ж", title)},
		"prose and options":        {Body: []Message{Raw("title", strings.Repeat("Сөз. ", 60))}, Options: choices("а", "б")},
		"a long question":          {Body: []Message{Raw("title", strings.Repeat("Суроо ", 30))}, Ask: AskText},
		"a question and options":   {Body: []Message{Raw("title", strings.Repeat("Суроо ", 30))}, Ask: AskText, Options: choices(title, title)},
		"prose":                    {Body: []Message{Raw("title", strings.Repeat("Сөз. ", 60))}},
	}
	for name, screen := range screens {
		for _, b := range []Budget{{Septets: 80, Units: 40}, {Septets: 160, Units: 70}, ussd, {Septets: 459, Units: 201}} {
			t.Run(fmt.Sprintf("%s %d", name, b.Units), func(t *testing.T) {
				t.Parallel()
				k := shows(t, screen)
				k.budget = b
				k.turn(Input{Start: true})
				k.turn(Input{Text: "1"})
				own := len(k.state.Pages)
				for page := range own {
					k.refused(own, page, len(screen.Options))
				}
				for i := range screen.Options {
					kept := k.state.Encode()
					k.say(strconv.Itoa(number(i)), fmt.Sprintf("Тандалды %d\n", i))
					k.state, _ = Decode(kept)
				}
			})
		}
	}
}

// refused presses forty wrong keys, on one page and on those that the refusal is on,
// and goes on to the page that followed.
func (k *dialler) refused(own, page, options int) {
	k.t.Helper()
	if of := k.state.Pages[k.state.Page].Of; of != page {
		k.t.Fatalf("page %d is seen, not %d", of, page)
	}
	most, size := own+3, 0 // the sentence itself may take three pages of the smallest screen
	for press := range 40 {
		k.turn(Input{Text: "777"})
		if press%3 == 2 && k.state.Pages[min(k.state.Page+1, len(k.state.Pages)-1)].Of == page {
			k.turn(Input{Text: "9"}) // within the refusal
			k.turn(Input{Text: "777"})
		}
		if len(k.state.Pages) > most {
			k.t.Fatalf("page %d: after %d wrong keys the screen has %d pages, %d without: %+v", page, press+1, len(k.state.Pages), own, k.state.Pages)
		}
		if now := len(k.state.Encode()); press == 0 {
			size = now
		} else if now > size+8 { // a count or a moment may be written longer
			k.t.Fatalf("page %d: after %d wrong keys the state has %d bytes, %d after the first", page, press+1, now, size)
		}
		shown, pages := 0, map[int]bool{}
		for _, p := range k.state.Pages {
			shown += len(p.Options)
			pages[p.Of] = true
		}
		if shown != options || len(pages) != own {
			k.t.Fatalf("page %d: %d of %d options and %d of %d pages are left", page, shown, options, len(pages), own)
		}
	}
	for k.state.Page+1 < len(k.state.Pages) && k.state.Pages[k.state.Page].Of <= page {
		k.turn(Input{Text: "9"})
	}
}

// TestOnlyUnfinishedWorkIsContinued is B2: a menu, and a screen that leaves nothing
// to do, is not what a redial is asked about.
func TestOnlyUnfinishedWorkIsContinued(t *testing.T) {
	t.Parallel()
	long := Raw("title", strings.Repeat("Сөз. ", 60))
	for name, c := range map[string]struct {
		screen Screen
		typed  []string
		want   bool
	}{
		"a last screen":             {Screen{Body: []Message{Raw("title", "Төлөм коду")}}, nil, false},
		"a question":                {Screen{Body: []Message{Raw("title", "Номер?")}, Ask: AskText}, nil, true},
		"a choice":                  {Screen{Body: []Message{Raw("title", "Кайсы?")}, Options: choices("а")}, nil, true},
		"pages to read":             {Screen{Body: []Message{long}}, nil, true},
		"pages that were read":      {Screen{Body: []Message{long}}, []string{"9", "9", "9", "9", "9", "9", "9", "9"}, false},
		"after a choice":            {Screen{Body: []Message{Raw("title", "Кайсы?")}, Options: choices("а")}, []string{"1"}, false},
		"a wrong key":               {Screen{Body: []Message{Raw("title", "Төлөм коду")}}, []string{"7"}, false},
		"a wrong key at a question": {Screen{Body: []Message{Raw("title", "Номер?")}, Ask: AskText}, []string{"7"}, true},
		"the main menu":             {Screen{Body: []Message{Raw("title", "Номер?")}, Ask: AskText}, []string{"00"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := shows(t, c.screen)
			k.turn(Input{Start: true})
			k.turn(Input{Text: "1"})
			for _, typed := range c.typed {
				k.turn(Input{Text: typed})
			}
			k.state, _ = Decode(k.state.Encode())
			if earlier := k.engine.Dropped(k.state); (earlier != nil) != c.want {
				t.Errorf("at %q it is %v that there is something to continue", k.state.Pages[k.state.Page].Text, earlier != nil)
			}
		})
	}
}

// TestAMenuIsNotContinued is B2 for a service's own menu.
func TestAMenuIsNotContinued(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.turn(Input{Start: true})
	k.say("1", "Меню")
	menu := k.engine.nodes["trial.menu"]
	if k.engine.Dropped(k.state) == nil {
		t.Fatal("a choice is nothing to continue")
	}
	menu.Menu = true
	k.engine.nodes["trial.menu"] = menu
	if k.engine.Dropped(k.state) != nil {
		t.Error("a menu is continued")
	}
}

// TestNothingIsCutInside is B11: no page ends inside an amount, a date, a number or a
// plate, wherever on the page it falls, and nothing but plain spaces is sent.
func TestNothingIsCutInside(t *testing.T) {
	t.Parallel()
	for _, thing := range []string{
		"10 000 сом", "1 500 000 сомдон", "10 000 som", "1 500 с.", "500 сом,", "25 тыйын", "10 000 KGS", "12.05.2026 10:30",
		"+996 555 00 00 01", "№ 128", "№ 128 456", "01 KG 123 ABC", "01 KG 123 ABC,", "B 1234 AB", "47 000 000 001", "3 000 сом", "ID 1234567",
	} {
		for _, b := range []Budget{ussd, {Septets: 80, Units: 40}, {Septets: 160, Units: 70}} {
			for before := range 2 * b.Units {
				body := strings.Repeat("ж ", before/2) + strings.Repeat("ж", before%2) + " " + thing + " " + strings.Repeat("сөз ", 20)
				found := false
				for _, p := range layout(b, sheet{body: body, more: "9 Дагы", footer: "0 Артка"}) {
					found = found || strings.Contains(p.Text, thing)
					if strings.ContainsAny(p.Text, "\u00a0\u202f\u2060") {
						t.Fatalf("%q has a no-break space", p.Text)
					}
				}
				if !found {
					t.Fatalf("%q in %+v after %d characters is cut", thing, b, before)
				}
			}
		}
	}
}

// TestWordsAreStillCut: what only looks like a number's neighbour is not kept with it.
func TestWordsAreStillCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"10 мүнөттөн кийин": 3, "SMS коду 6 сан": 4, "сом 10": 2, "а б": 2, "10\n20": 2, "№ гүл": 2, "A B": 2, "ПАСПОРТ 12": 2, " 10": 1, "10 ": 2, "": 0,
	} {
		if got := splitWords(text); len(got) != want || strings.Join(got, "") != text {
			t.Errorf("%q is cut into %q, want %d words", text, got, want)
		}
	}
}

// TestTheLanguageScreenSpeaksItsOwnLanguage is B12: the way back, the way on and a
// refusal are in the citizen's language; the languages each in their own.
func TestTheLanguageScreenSpeaksItsOwnLanguage(t *testing.T) {
	t.Parallel()
	for loc, want := range map[locales.Locale][]string{
		locales.RU: {"0 Назад", "Такого пункта нет", "9 Ещё"}, locales.KY: {"0 Артка", "Тизмеде жок", "9 Дагы"},
		locales.KYLatn: {"0 Artka", "Tizmede jok", "9 Dagy"}, "": {"3 Kyrgyzcha", "Тизмеде жок", "9 Дагы"},
	} {
		t.Run(string(loc), func(t *testing.T) {
			t.Parallel()
			k, _ := newDialler(t, loc)
			first := k.turn(Input{Start: true}).Text
			if loc != "" {
				first = k.turn(Input{Text: "2"}).Text
			}
			if !strings.HasPrefix(first, "Тил / Язык\n1 Кыргызча\n2 Русский\n3 Kyrgyzcha") || !strings.HasSuffix(first, want[0]) {
				t.Errorf("the screen is %q", first)
			}
			k.say("7", want[1])
			k.budget = MinBudget
			k.say("7", want[1][:6])
			if text := k.state.Pages[0].Text; !strings.Contains(text, want[2]) {
				t.Errorf("on a small screen: %q", text)
			}
		})
	}
}

// TestAWrongArgumentIsAskedAgain is B4: what follows a command's word answers the
// question; refused, it is asked for again, and the next text is taken.
func TestAWrongArgumentIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, loc := range map[string]locales.Locale{"a first text": "ky first", "in a conversation": locales.KY, "before the language": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, _ := newDialler(t, locales.KY)
			k.c.Channel, k.budget = caller.SMS, Budget{Septets: 459, Units: 201}
			at := k.engine.exact[locales.Fold("айып")]
			k.engine.commands[at] = Command{Words: []string{"айып"}, Ask: "trial.ask", Bare: "trial.ask"}
			in := Input{Text: "айып жок", Start: loc != locales.KY}
			if k.state.Locale = loc; loc == "ky first" {
				k.state.Locale = locales.KY
			}
			if loc == locales.KY {
				k.turn(Input{Start: true})
			}
			reply := k.turn(in)
			if loc == "" {
				reply = k.turn(Input{Text: "1"})
			}
			if !strings.Contains(reply.Text, "Тизмеде жок") || !strings.Contains(reply.Text, "Номер?") {
				t.Fatalf("the answer is %q", reply.Text)
			}
			k.say("жок", "Номер?")
			k.say("01KG123ABC", "Алынды: 01KG123ABC")
			k.say("айып 02KG", "Алынды: 02KG")
			k.say("0", "Номер?")
		})
	}
}

// TestSubTalksDoNotPileUp: a command leaves a sub-conversation, however often, and the state
// stays small.
func TestSubTalksDoNotPileUp(t *testing.T) {
	t.Parallel()
	k, _ := newDialler(t, locales.KY)
	k.c.Channel = caller.SMS
	k.turn(Input{Start: true})
	size := 0
	for n := range 60 {
		k.turn(Input{Text: "меню"})
		k.turn(Input{Text: "1"})
		k.say("3", "Код?")
		if now := len(k.state.Encode()); n == 20 {
			size = now
		} else if n > 20 && now > size {
			t.Fatalf("after %d sub-conversations the state has %d bytes, %d before", n, now, size)
		}
	}
	k.say("482913", "Бүттү")
}
