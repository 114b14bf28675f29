package fine_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// conversation is a citizen at a phone.
type conversation struct {
	t       *testing.T
	w       *world
	engine  *dialog.Engine
	state   *dialog.State
	budget  dialog.Budget
	channel caller.Channel
	phone   string
	turns   int
	last    string // what was read last
}

func newConversation(t *testing.T, w *world, loc locales.Locale) *conversation {
	t.Helper()
	proof := dialog.Flow{Name: "identity", Nodes: []dialog.Node{{
		ID: "identity.start",
		Do: func(context.Context, *dialog.Turn) (dialog.Next, error) { w.proven = true; return dialog.Return(), nil },
	}, {
		ID: "identity.strong",
		Do: func(context.Context, *dialog.Turn) (dialog.Next, error) {
			w.proven, w.strong = true, true
			return dialog.Return(), nil
		},
	}}}
	engine, err := dialog.New(w.Texts, dialog.Options{Log: slog.New(slog.DiscardHandler)}, w.Flow(), proof)
	testworld.OK(t, err)
	return &conversation{
		t: t, w: w, engine: engine, state: dialog.NewState(loc),
		budget: dialog.Budget{Septets: 182, Units: 80}, channel: caller.USSD, phone: aigul,
	}
}

// turn takes one turn; the state survives nothing but its encoding.
func (k *conversation) turn(in dialog.Input) string {
	k.t.Helper()
	k.turns++
	var err error
	k.state, err = dialog.Decode(k.state.Encode())
	testworld.OK(k.t, err)
	c := k.w.Caller(k.phone, fmt.Sprintf("turn-%s-%s-%d", k.t.Name(), k.phone, k.turns))
	c.Channel, in.Budget = k.channel, k.budget
	reply, err := k.engine.Next(context.Background(), c, k.state, in)
	testworld.OK(k.t, err)
	k.last = reply.Text
	k.t.Logf("%q →\n%s", in.Text, reply.Text)
	if !k.budget.Fits(reply.Text) {
		k.t.Errorf("too long for a screen: %q", reply.Text)
	}
	return reply.Text
}

func (k *conversation) start(text string) string {
	return k.turn(dialog.Input{Start: true, Text: text})
}

func (k *conversation) say(text string) string { return k.turn(dialog.Input{Text: text}) }

// read is a screen with all its pages.
func (k *conversation) read(text string) string {
	all := k.say(text)
	for page := all; strings.Contains(page, "\n9 "); {
		page = k.say("9")
		all += "\n" + page
	}
	k.last = all
	return all
}

func (k *conversation) expect(got string, wants ...string) {
	k.t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			k.t.Errorf("%q lacks %q", got, want)
		}
	}
}

var tenDigits = regexp.MustCompile(`\b\d{10}\b`)

func TestConversationPaysAFine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		k := newConversation(t, w, locales.KY)
		k.start("")
		k.expect(k.say("1"), "01KG123ABC")
		k.expect(k.say("эмне"), "Номер туура эмес")
		k.expect(k.read("01kg123авс"), "01KG123ABC: 3 айып\n1 Баары: 10 000 с.\n2 №103: 1 000 с.", "3 №102: 7 500 с.", "4 №101: 1 500 с.", "5 Чоо-жайы", "6 Эскертүү")
		k.expect(k.say("4"), "1 айып", "Төлөнөт: 1 500 сом", "1 Төлөө")
		screen := k.say("1")
		code := tenDigits.FindString(screen)
		if !payment.ValidCode(code) {
			t.Fatalf("no payment code: %q", screen)
		}
		answer, err := w.payments.Accept(ctx, payment.Partner{ID: "demo-wallet", Every: true}, "1", code, 1500*money.Som, w.Now())
		testworld.OK(t, err)
		if answer.Decision != payment.Approved {
			t.Fatalf("accept: %+v", answer)
		}
		again := newConversation(t, w, locales.RU)
		again.start("")
		again.say("1")
		again.expect(again.say(plate), "01KG123ABC: 2 штрафа\n1 Все: 8 500 с.\n2 №103: 1 000 с.")
	})
}

// TestOnlyThePayerWaitsForTheSMS: while every fine of a plate is being paid, the phone
// that the SMS comes to is told to wait for it, and no other.
func TestOnlyThePayerWaitsForTheSMS(t *testing.T) {
	t.Parallel()
	for name, channel := range map[string]struct {
		of     caller.Channel
		budget dialog.Budget
		start  string
	}{
		"USSD": {caller.USSD, dialog.Budget{Septets: 182, Units: 80}, "1*" + plate},
		"SMS":  {caller.SMS, dialog.Budget{Septets: 459, Units: 201}, "ШТРАФ " + plate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			w.city.fines["102"].code, w.city.fines["103"].code = registry.CodeClosed, registry.CodeClosed
			w.paid(t, "t1", "101")
			for _, c := range []struct {
				phone   string
				loc     locales.Locale
				says    string
				waiting bool
			}{
				{aigul, locales.RU, "штрафы оплачиваются", true},
				{aigul, locales.KY, "айып пулдар төлөнүп жатат", true},
				{bakyt, locales.RU, "платит кто-то другой. Проверьте позже", false},
				{bakyt, locales.KY, "башка бирөө төлөп жатат. Кийин караңыз", false},
			} {
				k := newConversation(t, w, c.loc)
				k.phone, k.channel, k.budget = c.phone, channel.of, channel.budget
				screen := k.start(channel.start)
				k.expect(screen, c.says)
				if strings.Contains(screen, "SMS") != c.waiting {
					t.Errorf("%s: an SMS is promised, or is not: %q", c.phone, screen)
				}
			}
		})
	}
}

func TestConversationPaysAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, w, locales.RU)
	k.start("")
	k.say("1")
	k.say(plate)
	k.expect(k.say("1"), "3 штрафа", "К оплате: 10 000 сом")
	if code := tenDigits.FindString(k.say("1")); !payment.ValidCode(code) {
		t.Errorf("no payment code: %q", code)
	}
}

func TestConversationBySMS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for word, loc := range map[string]locales.Locale{
		"АЙЫП": locales.KY, "Штраф": locales.RU, "aiyp": locales.KYLatn, "ayip": locales.KYLatn, "SHTRAF": locales.RU,
	} {
		k := newConversation(t, w, loc)
		k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		k.expect(k.start(word+" 01KG123ABC"), "01KG123ABC: 3")
		k.expect(k.start(word), "01KG123ABC")
	}
}

// Every answer about a plate fits a screen in every language, and the three
// kinds differ.
func TestConversationTellsUnknownFromClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for _, loc := range locales.All {
		seen := map[string]bool{}
		for _, typed := range []string{"01KG777AAA", "09KG999ZZZ", "D001234", plate} {
			k := newConversation(t, w, loc)
			k.start("")
			k.say("1")
			seen[strings.ReplaceAll(k.say(typed), typed, "")] = true
		}
		if len(seen) != 4 {
			t.Errorf("%s: the answers are alike: %v", loc, seen)
		}
	}
}

// TestTheRightPlateAfterAWrongOne (B5): where a plate is not in the register, or is
// clean, the next one is typed at once.
func TestTheRightPlateAfterAWrongOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		for _, wrong := range []string{"01KG999ZZZ", "01KG123", "01KG777AAA"} {
			k := newConversation(t, w, locales.RU)
			k.channel = channel
			k.start("")
			k.say("1")
			k.expect(k.say(wrong), wrong+":")
			k.expect(k.say("01KG12"), "01KG12: формат необычный. Введите снова")
			k.expect(k.say("01 кг 123 авс"), "01KG123ABC: 3 штрафа")
		}
	}
}

// TestTheListSaysWhatEachFineIs is B3: to the owner, who was proved, each fine is named
// by its kind and its day, the newest first; "all" is first, numbers go on over the
// pages, and no sum stands beside an option's number. To others the register tells no
// more than numbers.
func TestTheListSaysWhatEachFineIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.proven, w.strong = true, true
	day := func(number string, at time.Time) { w.city.fines[number].Date = at }
	day("101", time.Date(2025, 5, 11, 20, 0, 0, 0, time.UTC)) // the 12th in Bishkek, another year
	day("102", time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC))
	day("103", time.Date(2026, 10, 31, 18, 0, 0, 0, time.UTC))
	for loc, want := range map[locales.Locale][]string{
		locales.KY: {
			"01KG123ABC: 3 айып\n1 Баары: 10 000 с.\n2 ылдамдык 01.11: 7 500 с.\n9 Дагы\n0 Артка", "3 кур 01.11: 1 000 с.\n4 светофор 12.05.25: 1 500 с.",
		},
		locales.RU: {
			"01KG123ABC: 3 штрафа\n1 Все: 10 000 с.\n2 скорость 01.11: 7 500 с.\n9 Ещё\n0 Назад", "3 ремень 01.11: 1 000 с.\n4 светофор 12.05.25: 1 500 с.",
		},
		locales.KYLatn: {"01KG123ABC: 3 aiyp\n1 Baary: 10 000 s.\n2 yldamdyk 01.11: 7 500 s.", "3 kur 01.11: 1 000 s.", "4 svetofor 12.05.25: 1 500 s."},
		locales.EN:     {"1 All: 10 000 som\n2 speed 01.11: 7 500 som", "3 belt 01.11: 1 000 som", "4 red light 12.05.25: 1 500 som"},
	} {
		k := newConversation(t, w, loc)
		k.start("")
		k.say("1")
		k.expect(k.read(plate), want...)
		k.expect(k.say("4"), "1 500") // chosen from the last page by the number it has
		k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		before, _, _ := strings.Cut(want[0], "\n9 ") // the message holds all on one page
		k.expect(k.start("штраф "+plate), before)
	}
	w.city.fines["103"].Type = "Что-то новое"
	k := newConversation(t, w, locales.RU)
	k.start("")
	k.say("1")
	k.expect(k.read(plate), "штраф 01.11: 1 000 с.")
}

// TestTheListStandsWithoutDetails: that the register keeps what fines are for to
// itself, since the car is another's or it fails, takes nothing from the list.
func TestTheListStandsWithoutDetails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.proven, w.city.closed = true, true
	k := newConversation(t, w, locales.RU)
	k.start("")
	k.say("1")
	k.expect(k.read(plate), "2 №103: 1 000 с.", "3 №102: 7 500 с.", "4 №101: 1 500 с.")
}

// TestAWrongPlateBehindTheWord is B4: the question comes again under what was wrong,
// and the next text is the plate.
func TestAWrongPlateBehindTheWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, w, locales.RU)
	k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
	for range 2 {
		k.expect(k.start("штраф 0"), "01KG123ABC)")
		k.expect(k.say("12345678901234"), "01KG123ABC)")
		k.expect(k.say(plate), "01KG123ABC: 3 штрафа")
		k.expect(k.say("штраф ???!!"), "01KG123ABC)")
		k.expect(k.say("штраф 1"), "01KG123ABC)")
		k.expect(k.say("01KG777AAA"), "01KG777AAA:")
	}
}

func TestConversationShowsDetailsToTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, w, locales.KY)
	k.start("")
	k.say("1")
	screen := k.read(plate)
	choice := regexp.MustCompile(`(\d) Чоо-жайы`).FindStringSubmatch(screen)[1]
	weak := k.read(choice)
	k.expect(weak, "Жол чырактын кызыл түсүнө өтүү, 23.11.2026\n", "7 500 сом")
	if !w.proven || strings.Contains(weak, "Чүй") {
		t.Errorf("the details were shown without identification, or where it was by a card's numbers: %q", weak)
	}
	w.strong = true
	where := regexp.MustCompile(`(\d) Кайда, качан`).FindStringSubmatch(weak)[1]
	k.expect(k.read(where), "Жол чырактын кызыл түсүнө өтүү, 23.11.2026, Чүй проспектиси")
}

// TestConversationNamesBishkeksDay (A1): a violation of the minutes around both midnights.
func TestConversationNamesBishkeksDay(t *testing.T) {
	t.Parallel()
	for moment, want := range map[string]string{
		"2026-11-20T17:59:59Z": "20.11.2026", "2026-11-20T18:00:00Z": "21.11.2026",
		"2026-11-20T23:59:59Z": "21.11.2026", "2026-11-21T00:00:00Z": "21.11.2026",
	} {
		w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
		at, err := time.Parse(time.RFC3339, moment)
		testworld.OK(t, err)
		for _, f := range w.city.fines {
			f.Date = at
		}
		k := newConversation(t, w, locales.KY)
		k.start("")
		k.say("1")
		screen := k.say(plate)
		for !strings.Contains(screen, "Чоо-жайы") {
			screen = k.say("9")
		}
		k.expect(k.read(regexp.MustCompile(`(\d) Чоо-жайы`).FindStringSubmatch(screen)[1]), want)
	}
}

// TestAnUnsurePlateIsAskedAbout: what no published format has, the old or incomplete
// form in look-alike letters say, is looked up only when the citizen says so; a plate
// typed instead is taken.
func TestAnUnsurePlateIsAskedAbout(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
			for _, typed := range []string{"А 123 ВС", "a123bc", "0777", "01KG12ABC"} {
				k := newConversation(t, w, locales.RU)
				k.channel = channel
				if k.turn(dialog.Input{Start: true}); channel == caller.USSD {
					k.turn(dialog.Input{Text: "1"})
				} else {
					typed = "штраф " + typed
				}
				asked := len(w.city.calls)
				if got := k.turn(dialog.Input{Text: typed}); !strings.Contains(got, ": формат необычный. Введите снова или:\n1 Искать так\n0 Назад") {
					t.Errorf("%s: %q is answered %q", channel, typed, got)
				}
				if len(w.city.calls) != asked {
					t.Errorf("%s: the register was asked about %q", channel, typed)
				}
				kept := k.state.Encode()
				if got := k.turn(dialog.Input{Text: "1"}); !strings.Contains(got, "нет в реестре, формат необычный") {
					t.Errorf("%s: %q as it is: %q", channel, typed, got)
				}
				k.state, _ = dialog.Decode(kept)
				if got := k.turn(dialog.Input{Text: "01 kg 123 abc"}); !strings.HasPrefix(got, "01KG123ABC: ") {
					t.Errorf("%s: the right plate after %q: %q", channel, typed, got)
				}
			}
		}
	})
}

// TestAPaymentCodeIsNoPlate: where a plate is asked for, the code of a payment is told
// from a plate that nobody knows.
func TestAPaymentCodeIsNoPlate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		good := ""
		for n := 4061184760; good == ""; n++ {
			if code := strconv.Itoa(n); payment.ValidCode(code) {
				good = code
			}
		}
		slip := good[:9] + string('0'+(good[9]-'0'+1)%10)
		for typed, want := range map[string]string{
			good: "Похоже на код оплаты. Чтобы узнать", good[:3] + " " + good[3:6] + "-" + good[6:]: "Похоже на код оплаты. Чтобы узнать",
			slip: "Похоже на код оплаты, но с ошибкой", "0777": ": формат необычный",
		} {
			for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
				k := newConversation(t, w, locales.RU)
				k.channel = channel
				k.turn(dialog.Input{Start: true})
				k.turn(dialog.Input{Text: "1"})
				for range 2 { // also where an odd plate was asked about
					if got := k.turn(dialog.Input{Text: typed}); !strings.Contains(got, want) {
						t.Errorf("%s: %q is answered %q", channel, typed, got)
					}
					k.turn(dialog.Input{Text: "0777"})
				}
			}
		}
	})
}

// TestOneOfTheListIsPaidMeanwhile (F2): of "all", while one is paid elsewhere, nobody
// hears that it is paid: the conversation leads to a new list, under a sentence that says
// why, from the list and from the confirm screen, and no way leads to the old sum.
func TestOneOfTheListIsPaidMeanwhile(t *testing.T) {
	t.Parallel()
	for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
		for loc, said := range map[locales.Locale]string{
			locales.RU: "Часть уже оплачена или закрыта. Выберите снова.", locales.KY: "Айрымдары төлөнгөн же жабылган. Кайра тандаңыз.",
		} {
			for _, late := range []bool{false, true} {
				w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
				k := newConversation(t, w, loc)
				k.channel = channel
				k.start("")
				k.say("1")
				k.expect(k.read(plate), "10 000 с.")
				if late {
					k.expect(k.say("1"), "10 000 сом")
				}
				paid := w.paid(t, "elsewhere", "103")
				testworld.OK(t, w.payments.Settle(t.Context(), paid.ID))
				again := k.read("1")
				k.expect(again, said, plate+": 2", "9 000 с.")
				if strings.Contains(again, "10 000") {
					t.Errorf("the old list is shown: %q", again)
				}
				k.expect(k.say("1"), "9 000 сом")
				k.expect(k.say("0"), plate+": 2")
				for range 9 {
					if back := k.say("0"); strings.Contains(back, "10 000") {
						t.Errorf("the way back shows the old sum: %q", back)
					}
				}
			}
		}
	}
}

// TestTheOnlyOneIsPaidMeanwhile (F2b, F4): a verdict on one fine stands above what the
// plate owes by now, and no number repeats it.
func TestTheOnlyOneIsPaidMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, w, locales.RU)
	k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
	k.expect(k.start("штраф "+plate), "2 №103: 1 000 с.\n3 №102: 7 500 с.\n4 №101: 1 500 с.")
	paid := w.paid(t, "elsewhere", "103")
	testworld.OK(t, w.payments.Settle(t.Context(), paid.ID))
	k.expect(k.say("2"), "Это уже оплачено. Платить снова не нужно.\n01KG123ABC: 2 штрафа\n1 Все: 9 000 с.\n2 №102: 7 500 с.")
	if got := k.say("7"); strings.Contains(got, "Это уже оплачено") || !strings.Contains(got, "Такого пункта нет") {
		t.Errorf("a number that is none: %q", got)
	}
	k.expect(k.say("3"), "К оплате: 1 500 сом")
}

// Details of whatever length are read whole, on pages that fit: also where a line is exactly
// as long as the screen, or one character longer or shorter.
func TestDetailsOfEveryLength(t *testing.T) {
	t.Parallel()
	for _, budget := range []dialog.Budget{{Septets: 182, Units: 80}, {Septets: 160, Units: 70}, dialog.MinBudget} {
		for shape, word := range map[string]string{"one word": "ж", "words": "жол ", "long words": "проспектиси ", "Latin": "kocho ", "pairs": "€{"} {
			t.Run(fmt.Sprint(budget.Units, " ", shape), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
				w.strong = true
				k := newConversation(t, w, locales.KY)
				k.budget = budget
				for length := 1; length <= 90; length++ {
					place := strings.TrimSpace(string([]rune(strings.Repeat(word, 90))[:length]))
					for _, f := range w.city.fines {
						f.Place = place
					}
					k.state = dialog.NewState(locales.KY)
					k.start("")
					k.say("1")
					list := k.read(plate)
					at := regexp.MustCompile(`(\d+) Чоо-жайы`).FindStringSubmatch(list)
					if at == nil {
						t.Fatalf("no details in %q", list)
					}
					said := k.read(at[1])
					var lines []string
					for line := range strings.SplitSeq(said, "\n") {
						if line != "0 Артка" && line != "9 Дагы" {
							lines = append(lines, line)
						}
					}
					bare := strings.Join(strings.Fields(strings.Join(lines, "")), "")
					want := strings.Join(strings.Fields(", 23.11.2026, "+place), "")
					if n := strings.Count(bare, want); n != len(w.city.fines) {
						t.Fatalf("a place of %d characters is told %d times whole: %q", length, n, said)
					}
				}
			})
		}
	}
}
