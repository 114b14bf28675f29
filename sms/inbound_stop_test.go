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
			m.At = w.inboundNow()
			w.take(m)
			w.pass(3 * time.Second) // a person reads before answering: see brake.go
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
		question := []string{"why?", "керек эмес", "why?", "токтотуңуз", "why?", "не надо"}
		for _, said := range question {
			text(said)
		}
		text("why?")
		text("СТОП") // letter by letter it is law
		want := append(append(sentences, question...), "why?")
		if got := w.said(); !slices.Equal(got, want) {
			t.Errorf("the talk heard %q, want %q", got, want)
		}
		if got := len(w.stops.changes); got != len(wishes)+2 {
			t.Errorf("%d changes of the list: %q", got, w.stops.changes)
		}
	})
}
