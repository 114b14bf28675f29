package preschool

import (
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// offeredPhone is Айгүл's phone on the list of what is offered to her: the first of her
// choices.
func offeredPhone(t *testing.T, s *Service, w *world, loc locales.Locale, channel caller.Channel, choices ...string) (*phone, Position) {
	t.Helper()
	made := enrol(t, s, w.parent("t1"), choices...)
	if _, err := s.Offer(t.Context(), "officer", made.Number, choices[0]); err != nil {
		t.Fatal(err)
	}
	return onTheList(t, s, loc, channel), made
}

func onTheList(t *testing.T, s *Service, loc locales.Locale, channel caller.Channel) *phone {
	t.Helper()
	p := newPhone(t, s, loc)
	if channel == caller.SMS {
		p.caller.Channel, p.budget = channel, dialog.Budget{Septets: 459, Units: 201}
	}
	p.send(t, dialog.Input{Start: true})
	p.send(t, dialog.Input{Text: "1"})
	p.send(t, dialog.Input{Text: "3"})
	if p.state.Node != "preschool.offers" {
		t.Fatalf("the list is %s", p.state.Node)
	}
	return p
}

// says types texts one after the other and gives the last screen.
func (p *phone) says(t *testing.T, texts ...string) (screen string) {
	t.Helper()
	for _, text := range texts {
		screen = p.send(t, dialog.Input{Text: text})
	}
	return screen
}

// channels and languages that a parent answers in.
func eachWay(t *testing.T, test func(t *testing.T, db *store.DB, loc locales.Locale, channel caller.Channel)) {
	for _, loc := range []locales.Locale{locales.KY, locales.RU} {
		for _, channel := range []caller.Channel{caller.SMS, caller.USSD} {
			t.Run(string(loc)+" "+string(channel), func(t *testing.T) {
				t.Parallel()
				storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, db, loc, channel) })
			})
		}
	}
}

// No text that arrives again answers an offer: neither the key that opened it, nor the one
// that accepts or declines, nor the words of a choice.
func TestARepeatedTextAnswersNoOffer(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, db *store.DB, loc locales.Locale, channel caller.Channel) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		_, made := offeredPhone(t, s, w, loc, channel, "K01", "K02")
		accept, decline := s.Texts.Text(loc, "preschool.do_accept"), s.Texts.Text(loc, "preschool.do_decline")
		for _, texts := range [][]string{
			{"1", "1"}, {"1", "1", "1"}, {"1", "2"}, {"1", "2", "2"}, {"1", "2", "1"}, {"1", accept, accept}, {"1", decline, decline},
		} {
			p := onTheList(t, s, loc, channel)
			p.says(t, texts...)
			if after, err := s.Position(t.Context(), w.parent(""), made.Number); err != nil || after.State != StateOffered {
				t.Fatalf("after %q the child is %s, %v", texts, after.State, err)
			}
		}
		// The confirmation says which place it is and what is given up.
		p := onTheList(t, s, loc, channel)
		asked := p.says(t, "1", "1")
		others := strings.SplitAfter(s.Texts.Text(loc, "preschool.accept_sure_others", "kindergarten", "№ 1 «Күнчө»"), "\n")[1]
		if p.state.Node != "preschool.accept_sure" || !strings.Contains(asked, "№ 1 «Күнчө»") || !strings.Contains(asked, others) {
			t.Errorf("accepting asks %q", asked)
		}
		if done := p.says(t, "3"); p.state.Node != "preschool.accepted" || !strings.Contains(done, "№ 1 «Күнчө»") {
			t.Errorf("it was answered %q", done)
		}
	})
}

// Of a child that waits for one place alone nothing is said of other queues; declining is
// confirmed by the same key.
func TestDecliningIsConfirmedAlike(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, db *store.DB, loc locales.Locale, channel caller.Channel) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		p, made := offeredPhone(t, s, w, loc, channel, "K01")
		if asked := p.says(t, "1", "1"); !strings.Contains(asked, s.Texts.Text(loc, "preschool.accept_sure", "kindergarten", "№ 1 «Күнчө»")) {
			t.Errorf("accepting asks %q", asked)
		}
		if asked := p.says(t, "0", "2"); p.state.Node != "preschool.decline_sure" || !strings.Contains(asked, "№ 1 «Күнчө»") {
			t.Errorf("declining asks %q", asked)
		}
		p.says(t, "3")
		if after, err := s.Position(t.Context(), w.parent(""), made.Number); err != nil || after.State != StateWaiting || p.state.Node != "preschool.declined" {
			t.Errorf("at %s the child is %s, %v", p.state.Node, after.State, err)
		}
	})
}

// An offer is answered in words too: they lead to where the answer is confirmed, and never
// confirm it. What says neither leads nowhere.
func TestAnOfferIsAnsweredInWords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, 1)
		s := newService(t, w)
		_, made := offeredPhone(t, s, w, locales.KY, caller.SMS, "K01", "K02")
		const accepts, declines = "preschool.accept_sure", "preschool.decline_sure"
		for text, leads := range map[string]string{
			"жок, рахмат": declines, "жок": declines, "Жок!": declines, "jok": declines, "нет": declines, "нет, спасибо": declines, "Нет спасибо, не надо": declines,
			"баш тартам": declines, "bash tartam": declines, "отказываюсь": declines, "отказываюсь от места": declines, "Мы отказываемся": declines,
			"кабыл албайм": declines, "албайм": declines, "не согласна": declines, "макул эмес": declines, "не принимаю": declines, "керек эмес, рахмат": declines,
			"ооба": accepts, "ooba": accepts, "Макул": accepts, "makul": accepts, "кабыл алам": accepts, "kabyl alam": accepts, "ооба, кабыл алам": accepts,
			"да": accepts, "Да, согласна": accepts, "согласен": accepts, "принимаю": accepts, "хорошо": accepts, "жакшы, рахмат": accepts,
			"не отказываюсь": "preschool.offer", "кабыл алам же жок": "preschool.offer", "да нет": "preschool.offer", "качан барам": "preschool.offer",
		} {
			for _, from := range []string{"preschool.offers", "preschool.offer"} {
				p := onTheList(t, s, locales.KY, caller.SMS)
				if from == "preschool.offer" {
					p.says(t, "1")
				}
				want := leads
				if leads == "preschool.offer" {
					want = from
				}
				got := p.says(t, text)
				if p.state.Node != want {
					t.Errorf("%q on %s leads to %s, want %s: %q", text, from, p.state.Node, want, got)
				}
				p.says(t, text)
				if after, err := s.Position(t.Context(), w.parent(""), made.Number); err != nil || after.State != StateOffered {
					t.Fatalf("%q twice on %s answers: the child is %s, %v", text, from, after.State, err)
				}
			}
		}
		p := onTheList(t, s, locales.KY, caller.SMS)
		if p.says(t, "жок", "жок"); p.state.Node != "preschool.offer" {
			t.Errorf("who thinks again is at %s", p.state.Node)
		}
	})
}
