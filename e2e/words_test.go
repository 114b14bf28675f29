package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTextedWords: the words that people text, as they write them, lead where
// they mean; anything else goes on with the conversation or offers the menu.
func TestTextedWords(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	for _, c := range []struct {
		phone, language, menu string
		texts                 [][2]string // texted, and what the answer holds
	}{
		{"+996555000101", "1", "Эшик", [][2]string{
			{"АЙЫП 01KG123ABC", "01KG123ABC: 3 айып"},
			{"аиып 01 kg 123 abc", "01KG123ABC: 3 айып"},
			{"КЕЗЕК 4711", "Мындай номер жок"},
			{"кезег", "Бала бакча кезеги\n1"},
			{"МААЛЫМКАТ", "Маалымкаттар\n1"},
			{"малымкат", "Маалымкаттар\n1"},
			{"ТЕКШЕР K7MN-4PQR-2XH", "11 белгини текшериңиз"},
			{"ЖАРДАМ", "АЙЫП 01KG123ABC\n"},
			{"жардм", "токтотуу: СТОП"},
			{"меню", "Эшик\n1"},
			{"айыптарымды текшериңиз", "Унаанын номерин"},
			{"керек", "Мисалы: 01KG123ABC"},
			{"токтотуңуз", "Билдирүүлөр токтоду"},
			{"STOP", "Билдирүүлөр токтоду"},
			{"БАШТОО", "Билдирүүлөр кайра"},
			{"салам", "Мисалы: 01KG123ABC"},
			{"меню", "Эшик\n1"},
			{"салам", "Эшик\n1"},
			{"1", "Унаанын номерин"},
			{"01KG123ABC", "01KG123ABC: 3 айып"},
		}},
		{"+996700000102", "2", "Эшик", [][2]string{
			{"ШТРАФ 01KG123ABC", "01KG123ABC: 3 штрафа"},
			{"штрав 01KG123ABC", "01KG123ABC: 3 штрафа"},
			{"ОЧЕРЕДЬ 4711", "Такого номера нет"},
			{"СПРАВКА", "Справки\n1"},
			{"ПРОВЕРИТЬ K7MN-4PQR-2XH", "Проверьте все 11 знаков"},
			{"ПОМОЩЬ", "рассылку: СТОП"},
			{"проверить штраф 01KG123ABC", "01KG123ABC: 3 штрафа"},
			{"нужна справка K7MN-4PQR-2XH", "Проверьте все 11 знаков"},
			{"отпишите меня", "Рассылка отключена"},
			{"СТОП", "Рассылка отключена"},
			{"СТАРТ", "Рассылка снова включена"},
		}},
		{"+996770000103", "3", "Eshik", [][2]string{
			{"aiyp 01kg123abc", "01KG123ABC: 3 aiyp"},
			{"aip 01kg123abc", "01KG123ABC: 3 aiyp"},
			{"kezek 4711", "Myndai nomer jok"},
			{"maalimkat", "Maalymkattar\n1"},
			{"teksher K7MN4PQR2XH", "11 belgini teksheringiz"},
			{"jardam", "toktotuu: STOP"},
			{"toktot", "Bildirüülör toktodu"},
		}},
	} {
		d.replies(c.phone, "салам", "Язык")
		d.replies(c.phone, c.language, c.menu)
		for _, text := range c.texts {
			d.replies(c.phone, text[0], text[1])
		}
	}
}

// texts are those that a phone sent: how many, and when those of them that were more
// than a choice.
type texts struct {
	n     int
	words []time.Time
}

// readsFirst lets the time pass that a person needs to read an answer, from a phone's
// fourteenth text on, and from the twelfth within two minutes that is more than a choice
// the time to write it: a phone that never does is taken for a machine (see
// sms/brake.go).
func (d *door) readsFirst(phone, text string) {
	if d.texted == nil {
		d.texted = map[string]*texts{}
	}
	sent := d.texted[phone]
	if sent == nil {
		sent = &texts{}
		d.texted[phone] = sent
	}
	sent.n++
	isChoice := len(text) <= 3 && strings.Trim(text, "0123456789") == ""
	lately := slices.DeleteFunc(slices.Clone(sent.words), func(at time.Time) bool { return time.Since(at) > 2*time.Minute })
	switch {
	case !isChoice && len(lately) >= 11:
		time.Sleep(5600 * time.Millisecond)
	case sent.n >= 14:
		time.Sleep(2200 * time.Millisecond)
	}
	if !isChoice {
		sent.words = append(lately, time.Now())
	}
}

// replies texts, and checks the next message to the phone.
func (d *door) replies(phone, text, want string) {
	d.t.Helper()
	before := len(d.inbox(phone))
	d.readsFirst(phone, text)
	d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": phone, "to": "1414", "text": text}, nil)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got := d.inbox(phone); len(got) > before {
			if !strings.Contains(got[0].Text, want) {
				d.t.Errorf("%q was answered %q, want %q", text, got[0].Text, want)
			}
			return
		}
	}
	d.t.Fatalf("%q was not answered; log: %s", text, d.stderr)
}

// TestMegabyteBySMS: a form of more than a megabyte is refused and counted, and
// what comes after it is answered.
func TestMegabyteBySMS(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	form := "MessageSid=SMhuge&From=996555000001&Body=" + strings.Repeat("a", 1<<20)
	response, err := d.client.Post(d.url+"/sms/twilio", "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	metrics := d.metrics()
	if response.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(metrics, `eshik_gateway_refused_total{gateway="twilio",reason="too_large"} 1`) {
		t.Errorf("answered %d; counted %s", response.StatusCode, metrics)
	}
	d.replies(aigul, "ЖАРДАМ", "Язык")
}
