package fine_test

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// bySMS has a conversation be held by SMS.
func (k *conversation) bySMS() *conversation {
	k.channel, k.budget = caller.SMS, dialog.Budget{Septets: 459, Units: 201}
	return k
}

// choose takes the option with a label of the screen that was read, and reads what comes whole.
func (k *conversation) choose(label string) string {
	k.t.Helper()
	found := regexp.MustCompile(`(?m)^(\d+) ` + regexp.QuoteMeta(label)).FindStringSubmatch(k.last)
	if found == nil {
		k.t.Fatalf("no %q in %q", label, k.last)
	}
	return k.read(found[1])
}

// pager are the lines of a page's own.
var pager = regexp.MustCompile(`(?m)^[09] .*$`)

// flat is what was read, without where its pages end.
func flat(read string) string {
	return strings.Join(strings.Fields(pager.ReplaceAllString(read, "")), " ")
}

var appealWord = map[locales.Locale]string{locales.KY: "Даттануу", locales.RU: "Обжаловать"}

// TestConversationAppealsAFine: from the fines of a plate, over both channels, with the day until
// which the discount runs said before it is confirmed; the number comes back, and by SMS to a phone
// that dialled. The list shows it, and it is withdrawn only when that is confirmed.
func TestConversationAppealsAFine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loc                                                  locales.Locale
		channel                                              caller.Channel
		details, one, ground, clock, sure, done              string
		appeals, withdraw, asked, confirm, withdrew, waiting string
	}{
		{locales.KY, caller.USSD, "Чоо-жайы", "светофор", "Белги көрүнбөйт", "мөөнөтү: 23.12.2026", "Даттанам", "даттануу берилди", "Даттануулар", "Кайтарып алуу", "кайтарып аласызбы", "Ооба, кайтарам", "Айып калат", "кабыл алынды"},
		{locales.RU, caller.USSD, "Подробнее", "светофор", "Не видно знака", "до 23.12.2026 не ждёт", "Подать", "подана", "Мои жалобы", "Отозвать", "Отозвать жалобу", "Да, отозвать", "Штраф остаётся", "получена"},
		{locales.KY, caller.SMS, "Чоо-жайы", "светофор", "Белги көрүнбөйт", "мөөнөтү: 23.12.2026", "Даттанам", "даттануу берилди", "Даттануулар", "Кайтарып алуу", "кайтарып аласызбы", "Ооба, кайтарам", "Айып калат", "кабыл алынды"},
		{locales.RU, caller.SMS, "Подробнее", "светофор", "Не видно знака", "до 23.12.2026 не ждёт", "Подать", "подана", "Мои жалобы", "Отозвать", "Отозвать жалобу", "Да, отозвать", "Штраф остаётся", "получена"},
	} {
		t.Run(fmt.Sprint(c.channel, " ", c.loc), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			w.city.fines["101"].Delivered = w.Now()
			k := newConversation(t, w, c.loc)
			if c.channel == caller.SMS {
				k.bySMS()
			}
			k.start("")
			k.say("1")
			k.read(plate)
			k.choose(c.details)
			k.choose(appealWord[c.loc])
			k.expect(flat(k.choose(c.one)), "23.11.2026", "Чүй проспектиси", "1 500")
			k.choose(appealWord[c.loc])
			k.choose(c.ground)
			k.expect(k.read("12345"), "5", "1000") // no words
			k.expect(flat(k.read("Знак закрыт деревом.")), "№101", c.clock, c.sure)
			if n := w.records("fine.appeal"); n != 0 {
				t.Fatalf("%d appeals before it is confirmed", n)
			}
			number := regexp.MustCompile(`58\d{9}`).FindString(k.choose(c.sure))
			k.expect(k.last, c.done)
			a, err := w.AppealOf(t.Context(), w.ownerOn(aigul), number)
			testworld.OK(t, err)
			if a.Text != "Знак закрыт деревом." || a.Ground != "sign" || a.Bill != "101" || a.DiscountUntil.IsZero() {
				t.Errorf("%+v", a)
			}
			if sent, want := w.queued("purpose = 'receipt'"), map[caller.Channel]int{caller.USSD: 1}[c.channel]; sent != want {
				t.Errorf("%d messages", sent)
			}
			k.expect(k.choose(c.appeals), number+": "+c.waiting)
			k.expect(flat(k.choose("№"+number)), number, c.clock)
			k.expect(flat(k.choose(c.withdraw)), number, c.asked)
			if n := w.records("fine.appeal_withdraw"); n != 0 {
				t.Fatal("withdrawn before it is confirmed")
			}
			k.expect(flat(k.choose(c.confirm)), number, c.withdrew)
			if a, err := w.AppealOf(t.Context(), w.ownerOn(aigul), number); err != nil || a.State != fine.AppealWithdrawn {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
}

// TestAWordLeadsToAppeals: by SMS, in both languages; a new appeal begins there, and a ground that
// says it all needs no text, as over REST.
func TestAWordLeadsToAppeals(t *testing.T) {
	t.Parallel()
	for word, c := range map[string]struct {
		loc                                  locales.Locale
		none, anew, one, ground, skip, asked string
	}{
		"ДАТТАНУУ": {locales.KY, "Даттануу жок", "Жаңы даттануу", "кур", "Төлөнгөн", "Жазбайм", "даттанасызбы"},
		"Жалоба":   {locales.RU, "Жалоб нет", "Новая жалоба", "ремень", "Уже оплачен", "Не писать", "Подать жалобу"},
	} {
		w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
		k := newConversation(t, w, c.loc).bySMS()
		k.expect(k.start(word), c.none)
		k.choose(c.anew)
		k.expect(k.read("01 kg 123 авс"), plate)
		k.choose(c.one)
		k.choose(appealWord[c.loc])
		k.choose(c.ground)
		asked := k.choose(c.skip)
		k.expect(asked, "№103", c.asked)
		if strings.Contains(asked, "2026") {
			t.Errorf("a discount that there is not: %q", asked)
		}
		k.expect(k.say(lastNumber(asked)), "58")
		list, err := w.Appeals(t.Context(), w.ownerOn(aigul))
		if err != nil || len(list) != 1 || list[0].Text != "" || list[0].Ground != "paid" || list[0].Bill != "103" {
			t.Errorf("%+v, %v", list, err)
		}
		k.expect(k.start(word), list[0].Number)
	}
}

// lastNumber is that of the last option of a screen.
func lastNumber(screen string) string {
	found := regexp.MustCompile(`(?m)^([1-9]\d*) `).FindAllStringSubmatch(screen, -1)
	return found[len(found)-1][1]
}

// confirming comes by SMS to the question whether to appeal the first fine.
func (k *conversation) confirming(text string) string {
	k.t.Helper()
	k.start("Жалоба")
	k.choose("Новая жалоба")
	k.read(plate)
	k.choose("светофор")
	k.choose("Обжаловать")
	k.choose("Не видно знака")
	return k.read(text)
}

// TestAnAppealIsMadeOnce: of confirmations at once, by one turn that comes twice or by two phones;
// what an app made meanwhile is told in a sentence of its own above the list, and none is made twice.
func TestAnAppealIsMadeOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		k := newConversation(t, w, locales.RU).bySMS()
		confirm := lastNumber(k.confirming("Знак закрыт деревом."))
		kept := k.state.Encode()
		var group sync.WaitGroup
		answers := make([]string, 4)
		for i := range answers {
			group.Go(func() {
				again := newConversation(t, w, locales.RU).bySMS()
				again.state, _ = dialog.Decode(kept)
				answers[i] = again.turn(dialog.Input{Text: confirm})
			})
		}
		group.Wait()
		for _, answer := range answers {
			if answer != answers[0] || !strings.Contains(answer, "58") {
				t.Errorf("one is answered %q, another %q", answer, answers[0])
			}
		}
		if n := w.Number("SELECT COUNT(*) FROM fine_appeals"); n != 1 || w.records("fine.appeal") != 1 {
			t.Errorf("%d appeals are made", n)
		}
		// With other words, which were on the way while the first was made.
		late := newConversation(t, w, locales.RU).bySMS()
		late.state, _ = dialog.Decode(kept)
		other := w.ownerOn(bakyt)
		_, err := w.WithdrawAppeal(t.Context(), other, w.number(t))
		testworld.OK(t, err)
		rest := grievance()
		rest.Text = "Через приложение."
		_, err = w.Appeal(t.Context(), other, rest)
		testworld.OK(t, err)
		late.expect(flat(late.read(confirm)), "Этот штраф уже обжалуется", "получена", "отозвана")
		if n := w.records("fine.appeal"); n != 2 {
			t.Errorf("%d appeals are made", n)
		}
	})
}

// TestADraftIsSealed: what was written is in no state of the conversation, as it is about the person;
// and it is confirmed by nobody else who holds the phone.
func TestADraftIsSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	k := newConversation(t, w, locales.RU).bySMS()
	confirm := lastNumber(k.confirming("Знак закрыт деревом."))
	if strings.Contains(string(k.state.Encode()), "деревом") {
		t.Error("the state holds what was written")
	}
	w.holder = "citizen-2"
	if answer := k.read(confirm); strings.Contains(answer, "58") || w.records("fine.appeal") != 0 {
		t.Errorf("somebody else confirmed: %q", answer)
	}
	w.holder = ""
	confirm = lastNumber(k.confirming("Знак закрыт деревом."))
	w.proven, w.strong = false, false // it ran out: the proof comes first, then the fines again
	k.expect(k.read(confirm), plate, "светофор")
	confirm = lastNumber(k.confirming("Знак закрыт деревом."))
	w.strong = false // too weak by now: a strong proof, and it is made
	k.expect(k.read(confirm), "подана")
}

// TestADecisionIsReadInTheConversation: why, and what comes next, over both channels and in both
// languages; one that is decided while its withdrawal is confirmed stays so.
func TestADecisionIsReadInTheConversation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loc   locales.Locale
		to    fine.AppealState
		state string
		next  string
		over  string
	}{
		{locales.RU, fine.AppealAccepted, "удовлетворена", "Штраф отменяет реестр", "По жалобе уже есть решение"},
		{locales.RU, fine.AppealRejected, "отклонена", "Сколько осталось оплатить: ШТРАФ " + plate, "По жалобе уже есть решение"},
		{locales.KY, fine.AppealAccepted, "канааттандырылды", "Айыпты реестр жокко чыгарат", "Даттануу чечилген"},
		{locales.KY, fine.AppealRejected, "четке кагылды", "Канча төлөш керек экенин көрүү: АЙЫП " + plate, "Даттануу чечилген"},
	} {
		for _, channel := range []caller.Channel{caller.USSD, caller.SMS} {
			w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			a := w.taken(t, "dinara")
			k := newConversation(t, w, c.loc)
			if channel == caller.SMS {
				k.bySMS()
			}
			k.start("")
			k.say("1")
			k.choose(map[locales.Locale]string{locales.RU: "Мои машины", locales.KY: "Менин унааларым"}[c.loc])
			k.choose(map[locales.Locale]string{locales.RU: "Мои жалобы", locales.KY: "Даттануулар"}[c.loc])
			k.choose("№" + a.Number)
			asked := k.choose(map[locales.Locale]string{locales.RU: "Отозвать", locales.KY: "Кайтарып алуу"}[c.loc])
			testworld.OK(t, w.DecideAppeal(t.Context(), officer("dinara"), a.Number, c.to, strings.Repeat("Знак виден на фото. ", 20)))
			k.expect(flat(k.read(lastNumber(asked))), c.over, a.Number+": "+c.state)
			shown := flat(k.choose("№" + a.Number))
			k.expect(shown, c.state, c.next)
			if n := strings.Count(shown, "Знак"); n != 20 {
				t.Errorf("the answer is told in %d parts of 20: %q", n, shown)
			}
		}
	}
}
