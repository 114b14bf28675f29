package sms_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// STOP and START in the forms that people text end notices and bring them back; the
// same words in a sentence, or as the answer to an open question, do not (finding B10).
func TestStopInItsForms(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		n := 0
		text := func(text string) {
			t.Helper()
			n++
			m := w.from(azat, "m"+strconv.Itoa(n), text)
			m.At = w.Now()
			w.take(m)
			w.Pass(6 * time.Second) // a person reads before answering: see brake.go
		}
		wishes := []string{"токтотуңуз", "СТОП SMS", "отпишите меня", "не присылайте", "керек эмес", "Стоп, пожалуйста!", "жөнөтпөңүз", "stop sms please"}
		for _, wish := range wishes {
			text(wish)
		}
		text("баштаңыз")
		sentences := []string{
			"стоп машина", "токтогон унаа", "мага керек эмес китеп", "не присылайте курьера", "баштык", "не", "смс", "токтотпоңуз", "стопка", "больше", "керек",
		}
		for _, sentence := range sentences {
			text(sentence)
		}
		question := []string{}
		for _, said := range []string{"керек эмес", "не надо", "отказ", "отказываюсь", "хватит", "баш тартам", "отмена"} {
			question = append(question, "why "+said+"?", said)
		}
		for _, said := range question {
			text(said)
		}
		want := append(sentences, question...)
		law := []string{"СТОП", "токтотуңуз", "Отписка", "не присылайте", "хватит смс", "отмените подписку", "сообщения не нужны", "не хочу получать", "кабар керек эмес"}
		for _, said := range law { // the law's words, and what clearly speaks of messages
			text("or " + said + "?")
			text(said)
			want = append(want, "or "+said+"?")
		}
		text("отмена") // it is no wish where no conversation is either
		want = append(want, "отмена")
		if got := w.said(); !slices.Equal(got, want) {
			t.Errorf("the conversation heard %q, want %q", got, want)
		}
		if got := len(w.stops.changes); got != len(wishes)+1+len(law) {
			t.Errorf("%d changes of the list: %q", got, w.stops.changes)
		}
	})
}

// The ways in which people who are fed up text it, letter by letter too, and sentences
// with the same words about something else.
func TestStopFromTheFedUp(t *testing.T) {
	t.Parallel()
	for _, group := range []struct {
		does  string // "" for what the conversation hears
		texts []string
	}{
		{"stop", []string{
			"CANCEL", "stop it", "Stop texting me!", "do not text me", "don't text me", "remove my number", "stop spamming me", "S T O P", "s.t.o.p", "С Т О П",
		}},
		{"stop", []string{
			"перестаньте слать смс", "перестаньте писать", "хватит спамить", "надоели ваши смс", "уберите мой номер из рассылки", "удалите мой номер",
			"удалите меня из базы", "не хочу снова получать смс",
		}},
		{"stop", []string{
			"эми жазбагыла", "смсиңер керек эмес", "SMSинер керек эмес", "бул билдирүүлөрдү каалабайм", "мага кереги жок мындай билдирүүлөр", "номеримди өчүрүңүз",
		}},
		{"start", []string{"хочу снова получать смс", "хочу получать смс снова"}},
		{"", []string{
			"cancel my flight", "удалите штраф", "надоели эти пробки", "перестаньте шуметь", "хочу получать справку", "text", "мой номер", "s t", "а б в",
		}},
	} {
		storetest.Each(t, func(t *testing.T, db *store.DB) {
			w := newWorld(t, db, true)
			for i, text := range group.texts {
				m := w.from(azat, "m"+strconv.Itoa(i), text)
				m.At = w.Now()
				w.take(m)
				w.Pass(6 * time.Second)
			}
			var changes, heard []string
			if group.does == "" {
				heard = group.texts
			} else {
				changes = slices.Repeat([]string{group.does + " " + azat}, len(group.texts))
			}
			if got := w.said(); !slices.Equal(got, heard) || !slices.Equal(w.stops.changes, changes) {
				t.Errorf("%q: the conversation heard %q; changes of the list: %q", group.texts, got, w.stops.changes)
			}
		})
	}
}
