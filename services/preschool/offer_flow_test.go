package preschool

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// offeredPhone is Айгүл's phone on the list of what is offered to her: the first of her
// choices.
func offeredPhone(t *testing.T, s *Service, w *world, loc locales.Locale, channel caller.Channel, choices ...string) (*phone, Position) {
	t.Helper()
	made := enrol(t, s, w.parent("t1"), choices...)
	if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, choices[0]); err != nil {
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

// confirms types the only choice of the screen.
func (p *phone) confirms(t *testing.T) string {
	t.Helper()
	page := p.state.Pages[p.state.Page]
	if len(page.Options) != 1 {
		t.Fatalf("%q is no confirmation", page.Text)
	}
	return p.says(t, page.Number(0))
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
		if done := p.confirms(t); p.state.Node != "preschool.accepted" || !strings.Contains(done, "№ 1 «Күнчө»") {
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
		p.confirms(t)
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

// However many places are offered, none of the keys that led to a confirmation confirms it,
// whichever offer was chosen and however it is answered.
func TestNoKeyThatLedToAConfirmationConfirms(t *testing.T) {
	t.Parallel()
	const many = 12
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, many)
		s := newService(t, w)
		for i := range many - 1 {
			w.families[aigul] = append(w.families[aigul], Minor{PIN: fmt.Sprintf("109052023001%02d", i), Name: "Бала", Born: w.families[aigul][0].Born})
		}
		children, err := s.Children(t.Context(), w.parent(""))
		if err != nil {
			t.Fatal(err)
		}
		for i, child := range children {
			made, err := s.Register(t.Context(), w.parent(fmt.Sprint(i)), child.Ref, []string{"K01"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K01"); err != nil {
				t.Fatal(err)
			}
		}
		list := onTheList(t, s, locales.KY, caller.SMS)
		for list.state.Page+1 < len(list.state.Pages) { // it is chosen from whichever page is read
			list.says(t, "9")
		}
		for place := range many {
			opens := strconv.Itoa(place + 1)
			if place > 7 {
				opens = strconv.Itoa(place + 2)
			}
			for _, answer := range []string{"1", "2"} {
				p := onTheList(t, s, locales.KY, caller.SMS)
				before := []string{"1", "3", opens, answer}
				if p.says(t, before[2:]...); !strings.HasSuffix(p.state.Node, "_sure") {
					t.Fatalf("%q leads to %s", before, p.state.Node)
				}
				for _, late := range before {
					at := p.state.Node
					if p.says(t, late); p.state.Node != at {
						t.Fatalf("after %q a late %q leads to %s", before, late, p.state.Node)
					}
				}
			}
		}
		if open, err := s.Offers(t.Context(), w.parent("")); err != nil || len(open) != many {
			t.Errorf("%d are open, %v", len(open), err)
		}
	})
}

// The server is killed after an answer was taken and before that was said: who goes on with
// the conversation, or whose text is tried again, is told what became of the offer.
func TestAnAnswerThatWasTakenIsToldLater(t *testing.T) {
	t.Parallel()
	for key, node := range map[string]string{"1": "preschool.accepted", "2": "preschool.declined"} {
		eachWay(t, func(t *testing.T, db *store.DB, loc locales.Locale, channel caller.Channel) {
			w := newWorld(t, db, 5)
			s := newService(t, w)
			p, _ := offeredPhone(t, s, w, loc, channel, "K01", "K02")
			p.says(t, "1", key)
			asked := p.state.Encode()
			said := p.confirms(t)
			if p.state.Node != node {
				t.Fatalf("it was answered at %s", p.state.Node)
			}
			p.state = decoded(t, asked)
			if again := p.confirms(t); again != said {
				t.Errorf("tried again it says %q, not %q", again, said)
			}
			p.state = dialog.NewState(loc)
			p.send(t, dialog.Input{Start: true, Earlier: p.engine.Dropped(decoded(t, asked))})
			if resumed := p.says(t, "1"); resumed != said {
				t.Errorf("it goes on with %q, not %q", resumed, said)
			}
		})
	}
}

func decoded(t *testing.T, state []byte) *dialog.State {
	t.Helper()
	s, err := dialog.Decode(state)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is confirmed is the offer that was read: one that came in its place since is neither
// accepted nor declined with it.
func TestAnAnswerIsToTheOfferThatWasRead(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, db *store.DB, loc locales.Locale, channel caller.Channel) {
		w := newWorld(t, db, 5)
		s := newService(t, w)
		p, made := offeredPhone(t, s, w, loc, channel, "K01", "K02")
		p.says(t, "1", "2")
		if _, err := s.Answer(t.Context(), w.parent("t2"), made.Number, lastOffer(s, made.Number), false); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Minute)
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, made.Number, "K02"); err != nil {
			t.Fatal(err)
		}
		said := p.confirms(t)
		if p.state.Node != "preschool.offers" || !strings.Contains(said, s.Texts.Text(loc, "problem.preschool_offer_other")) {
			t.Errorf("at %s it says %q", p.state.Node, said)
		}
		if open, err := s.Offers(t.Context(), w.parent("")); err != nil || len(open) != 1 || open[0].Kindergarten != "K02" {
			t.Errorf("open are %+v, %v", open, err)
		}
	})
}

// Thanks for an offer's SMS leave the offer as it is, and are told how it is answered: where
// no conversation is held and on the offer's screens. Who is offered nothing sees the menu.
func TestThanksForAnOffer(t *testing.T) {
	t.Parallel()
	for _, loc := range []locales.Locale{locales.KY, locales.RU} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			w := newWorld(t, db, 5)
			s := newService(t, w)
			thanked := s.Texts.Text(loc, "dialog.polite")
			p := newPhone(t, s, loc)
			p.caller.Channel, p.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
			if got := p.send(t, dialog.Input{Start: true, Text: "рахмат"}); strings.Contains(got, thanked) || p.state.Node != "menu.main" {
				t.Errorf("without an offer: %q at %s", got, p.state.Node)
			}
			_, made := offeredPhone(t, s, w, loc, caller.SMS, "K01")
			wanted := thanked + "\n" + s.Texts.Text(loc, "preschool.offer_open", "date", "14.12.2026")
			for _, text := range []string{"рахмат", "Чоң рахмат!", "спасибо", "Спасибо большое", "rahmat", "spasibo", "салам"} {
				if got := p.send(t, dialog.Input{Start: true, Text: text}); !strings.Contains(got, wanted) {
					t.Errorf("%q first is answered %q", text, got)
				}
				for on, keys := range map[string][]string{"preschool.offers": nil, "preschool.offer": {"1"}, "preschool.decline_sure": {"1", "2"}} {
					p := onTheList(t, s, loc, caller.SMS)
					p.says(t, keys...)
					if got := p.says(t, text); p.state.Node != on || !strings.Contains(got, wanted) {
						t.Errorf("%q on %s leads to %s: %q", text, on, p.state.Node, got)
					}
				}
			}
			if after, err := s.Position(t.Context(), w.parent(""), made.Number); err != nil || after.State != StateOffered {
				t.Errorf("the child is %s, %v", after.State, err)
			}
		})
	}
}

// What is answered on the list of one of those who share a phone, in words or by a key, answers no
// offer of another, who was proved there meanwhile: it is not even shown.
func TestAnAnswerIsOfWhomTheListIs(t *testing.T) {
	t.Parallel()
	const bakyt = "citizen-bakyt"
	eachWay(t, func(t *testing.T, db *store.DB, loc locales.Locale, channel caller.Channel) {
		w := newWorld(t, db, 2)
		s := newService(t, w)
		w.families[bakyt] = []Minor{{PIN: "21203202300045", Name: "Эмир", Born: time.Date(2023, time.March, 12, 0, 0, 0, 0, time.UTC)}}
		his := w.parent("t2")
		his.Subject = bakyt
		theirs := enrol(t, s, his, "K02")
		if _, err := s.Offer(t.Context(), staff.Act{Actor: "officer"}, theirs.Number, "K02"); err != nil {
			t.Fatal(err)
		}
		offeredPhone(t, s, w, loc, channel, "K01")
		changed, _, _ := strings.Cut(s.Texts.Text(loc, "problem.identity_changed"), ".")
		for _, texts := range [][]string{{"1"}, {"1", "1"}, {"1", "1", "3"}} {
			w.holder = ""
			p := onTheList(t, s, loc, channel)
			p.says(t, texts[:len(texts)-1]...)
			w.holder = bakyt
			answer := texts[len(texts)-1]
			if len(texts) == 1 && channel == caller.SMS {
				answer = "ооба"
			}
			if len(texts) == 3 {
				answer = p.state.Pages[0].Number(0)
			}
			if got := p.says(t, answer); !strings.Contains(got, changed) || strings.Contains(got, "№ 2 «Күнчө»") && len(texts) < 3 {
				t.Errorf("after %q he reads %q", texts, got)
			}
		}
		if after, err := s.Position(t.Context(), his, theirs.Number); err != nil || after.State != StateOffered {
			t.Errorf("his child is %s, %v", after.State, err)
		}
	})
}
