package locales

import (
	"strings"
	"testing"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	c := load(t)
	amount := []any{"amount", "1 500", "code", "1234567890"}
	for loc, want := range map[Locale][2]string{
		KY:     {"Эшик. Төлөм коду: 1234567890. Суммасы: 1 500 сом.", "Эшик. Код: 1234567890, 1 500 сом, 24 саат."},
		KYLatn: {"Eshik. Tölöm kodu: 1234567890. Summasy: 1 500 som.", "Eshik. Kod: 1234567890, 1 500 som, 24 saat."},
		RU:     {"Эшик. Код оплаты: 1234567890. Сумма: 1 500 сом.", "Эшик. Код: 1234567890, 1 500 сом, 24 часа."},
		EN:     {"Eshik. Payment code: 1234567890. Sum: 1 500 som.", "Eshik. Payment code: 1234567890, 1 500 som."},
	} {
		full, short := c.Message(loc, "payment.code_sms", amount...)
		if !strings.HasPrefix(full, want[0]) || !strings.HasPrefix(short, want[1]) {
			t.Errorf("%s: %q and %q", loc, full, short)
		}
	}
	if full, short := c.Message(KY, "sms.started"); full != c.Text(KY, "sms.started") || short != full {
		t.Errorf("a message of one wording is %q and %q", full, short)
	}
	if full, short := c.Message(KY, "dialog.back"); full != "dialog.back" || short != full {
		t.Errorf("a text that is no message left as %q and %q", full, short)
	}
}

// TestShortWordings: the languages have the same variants of a message, and a
// short wording says nothing that the full one does not.
func TestShortWordings(t *testing.T) {
	t.Parallel()
	text := func(texts ...string) map[string]string {
		entry := map[string]string{"text": texts[0]}
		if len(texts) > 1 {
			entry[short] = texts[1]
		}
		return entry
	}
	for name, c := range map[string]struct {
		ky, ru map[string]string
		bounds map[string]int
		fault  string
	}{
		"alike":               {text("{n} a", "{n}"), text("{n} b", "{n}"), map[string]int{"x": 1}, ""},
		"without":             {text("a"), text("b"), map[string]int{"x": 1}, ""},
		"only in Kyrgyz":      {text("a", "a"), text("b"), map[string]int{"x": 1}, "only one"},
		"only in Russian":     {text("a"), text("b", "b"), map[string]int{"x": 1}, "only one"},
		"another placeholder": {text("{n} {m}", "{n}"), text("{n} {m}", "{m}"), map[string]int{"x": 1}, "placeholders"},
		"a new placeholder":   {text("{n}", "{m}"), text("{n}", "{m}"), map[string]int{"x": 1}, "not in its text"},
		"not listed":          {text("a", "a"), text("b", "b"), nil, "no message"},
		"listed, no text":     {text("a"), text("b"), map[string]int{"y": 1}, "no text"},
		"no bound":            {text("a"), text("b"), map[string]int{"x": 0}, "may take no part"},
	} {
		ky, err1 := compile(c.ky)
		ru, err2 := compile(c.ru)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		catalogue := &Catalogue{
			messages: map[Locale]map[string]message{KY: {"x": ky}, RU: {"x": ru}, EN: {"x": ky}},
			longest:  map[string]longestValue{"n": {value: "1"}, "m": {value: "1"}}, bounds: c.bounds,
		}
		err := catalogue.complete()
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: %v, want %q", name, err, c.fault)
		}
	}
}
