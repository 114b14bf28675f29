package fine_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// talk is a citizen at a phone.
type talk struct {
	t       *testing.T
	w       *world
	engine  *dialog.Engine
	state   *dialog.State
	budget  dialog.Budget
	channel caller.Channel
	turns   int
}

func newTalk(t *testing.T, w *world, loc locales.Locale) *talk {
	t.Helper()
	proof := dialog.Service{Name: "identity", Nodes: []dialog.Node{{
		ID: "identity.start",
		Do: func(context.Context, *dialog.Talk) (dialog.Next, error) { w.proven = true; return dialog.Return(), nil },
	}}}
	engine, err := dialog.New(w.texts, dialog.Options{Log: slog.New(slog.DiscardHandler)}, w.Talk(), proof)
	must(t, err)
	return &talk{
		t: t, w: w, engine: engine, state: dialog.NewState(loc),
		budget: dialog.Budget{Septets: 182, Units: 80}, channel: caller.USSD,
	}
}

// turn takes one turn; the state survives nothing but its encoding.
func (k *talk) turn(in dialog.Input) string {
	k.t.Helper()
	k.turns++
	var err error
	k.state, err = dialog.Decode(k.state.Encode())
	must(k.t, err)
	c := k.w.caller(fmt.Sprintf("turn-%s-%d", k.t.Name(), k.turns))
	c.Channel, in.Budget = k.channel, k.budget
	reply, err := k.engine.Next(context.Background(), c, k.state, in)
	must(k.t, err)
	k.t.Logf("%q →\n%s", in.Text, reply.Text)
	if !k.budget.Fits(reply.Text) {
		k.t.Errorf("too long for a screen: %q", reply.Text)
	}
	return reply.Text
}

func (k *talk) start(text string) string { return k.turn(dialog.Input{Start: true, Text: text}) }

func (k *talk) say(text string) string { return k.turn(dialog.Input{Text: text}) }

// read is a screen with all its pages.
func (k *talk) read(text string) string {
	all := k.say(text)
	for page := all; strings.Contains(page, "\n9 "); {
		page = k.say("9")
		all += "\n" + page
	}
	return all
}

func (k *talk) expect(got string, wants ...string) {
	k.t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			k.t.Errorf("%q lacks %q", got, want)
		}
	}
}

var tenDigits = regexp.MustCompile(`\b\d{10}\b`)

func TestTalkPaysAFine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		k := newTalk(t, w, locales.KY)
		k.start("")
		k.expect(k.say("1"), "01KG123ABC")
		k.expect(k.say("эмне"), "Номер туура эмес")
		k.expect(k.read("01kg123авс"), "01KG123ABC: 3 айып, 10 000 сом", "1 = 1 500 сом", "= 7 500 сом", "Баарын төлөө", "Эскертүү")
		k.say("0")
		k.expect(k.say("1"), "1 айып", "Төлөнөт: 1 500 сом", "1 Төлөө")
		screen := k.say("1")
		code := tenDigits.FindString(screen)
		if !payment.ValidCode(code) {
			t.Fatalf("no payment code: %q", screen)
		}
		answer, err := w.payments.Accept(ctx, "demo-wallet", "1", code, 1500*payment.Som, w.now())
		must(t, err)
		if answer.Result != payment.OK {
			t.Fatalf("accept: %+v", answer)
		}
		again := newTalk(t, w, locales.RU)
		again.start("")
		again.say("1")
		again.expect(again.say(plate), "2 штрафа, 8 500 сом")
	})
}

func TestTalkPaysAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newTalk(t, w, locales.RU)
	k.start("")
	k.say("1")
	k.say(plate)
	screen := k.state.Pages[k.state.Page].Text
	for !strings.Contains(screen, "Оплатить все") {
		screen = k.say("9")
	}
	choice := regexp.MustCompile(`(\d) Оплатить все`).FindStringSubmatch(screen)[1]
	k.expect(k.say(choice), "3 штрафа", "К оплате: 10 000 сом")
	if code := tenDigits.FindString(k.say("1")); !payment.ValidCode(code) {
		t.Errorf("no payment code: %q", code)
	}
}

func TestTalkBySMS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for word, loc := range map[string]locales.Locale{
		"АЙЫП": locales.KY, "Штраф": locales.RU, "aiyp": locales.KYLatn, "ayip": locales.KYLatn, "SHTRAF": locales.RU,
	} {
		k := newTalk(t, w, loc)
		k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
		k.expect(k.start(word+" 01KG123ABC"), "01KG123ABC: 3")
		k.expect(k.start(word), "01KG123ABC")
	}
}

// Every answer about a plate fits a screen in every language, and the three
// kinds differ.
func TestTalkTellsUnknownFromClean(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for _, loc := range locales.All {
		seen := map[string]bool{}
		for _, typed := range []string{"01KG777AAA", "09KG999ZZZ", "D001234", plate} {
			k := newTalk(t, w, loc)
			k.start("")
			k.say("1")
			seen[strings.ReplaceAll(k.say(typed), typed, "")] = true
		}
		if len(seen) != 4 {
			t.Errorf("%s: the answers are alike: %v", loc, seen)
		}
	}
}

func TestTalkShowsDetailsToTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newTalk(t, w, locales.KY)
	k.start("")
	k.say("1")
	screen := k.say(plate)
	for !strings.Contains(screen, "Чоо-жайы") {
		screen = k.say("9")
	}
	choice := regexp.MustCompile(`(\d) Чоо-жайы`).FindStringSubmatch(screen)[1]
	k.expect(k.read(choice), "Жол чырактын кызыл түсүнө өтүү, 23.11.2026, Чүй проспектиси", "7 500 сом")
	if !w.proven {
		t.Error("the details were shown without identification")
	}
}

// TestTalkNamesBishkeksDay (A1): a violation of the minutes around both midnights.
func TestTalkNamesBishkeksDay(t *testing.T) {
	t.Parallel()
	for moment, want := range map[string]string{
		"2026-11-20T17:59:59Z": "20.11.2026", "2026-11-20T18:00:00Z": "21.11.2026",
		"2026-11-20T23:59:59Z": "21.11.2026", "2026-11-21T00:00:00Z": "21.11.2026",
	} {
		w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
		at, err := time.Parse(time.RFC3339, moment)
		must(t, err)
		for _, f := range w.city.fines {
			f.Date = at
		}
		k := newTalk(t, w, locales.KY)
		k.start("")
		k.say("1")
		screen := k.say(plate)
		for !strings.Contains(screen, "Чоо-жайы") {
			screen = k.say("9")
		}
		k.expect(k.read(regexp.MustCompile(`(\d) Чоо-жайы`).FindStringSubmatch(screen)[1]), want)
	}
}
