package sms_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// T2: over every channel, what answers all of our answers is answered a few times, then
// no more, counted, and shown to the operator; so it stays in the next process; and
// after a while the phone is answered again.
func TestLoopEnds(t *testing.T) {
	t.Parallel()
	channels := map[string]func(t *testing.T, w *world) func(n int, text string){
		"twilio": func(_ *testing.T, w *world) func(int, string) {
			return func(n int, text string) { w.text(fmt.Sprintf("SM%d", n), text) }
		},
		"africastalking": func(t *testing.T, w *world) func(int, string) {
			a, err := sms.NewAfricasTalking(
				sms.AfricasTalkingConfig{Username: "eshik", APIKey: "key", Secret: callbackSecret},
				sms.CallbackDeps{Deliveries: w.Outbox, Receiver: current{w}, Now: w.Now, Refused: w.refuse, Log: w.Log})
			if err != nil {
				t.Fatal(err)
			}
			w.url = serve(t, a)
			return func(n int, text string) {
				w.post("/sms/africastalking/"+callbackSecret, url.Values{"id": {fmt.Sprintf("AT%d", n)}, "from": {aigul}, "text": {text}}, "")
			}
		},
		"megacom": func(t *testing.T, w *world) func(int, string) {
			c := newCentreOf(t, current{w}, w.Outbox)
			return func(_ int, text string) {
				if status := c.smsc.Deliver(map[string]any{
					"source_addr": aigul[1:], "destination_addr": "1414", "data_coding": 8, "short_message": "0x" + units(text),
				}); status != 0 {
					t.Errorf("answered with %d", status)
				}
				w.rest()
			}
		},
	}
	for name, open := range channels {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				sends := open(t, w)
				for n := range 20 {
					sends(n, "Абонент азыр бош эмес")
				}
				if n := len(w.heard()); n < 3 || n > 6 {
					t.Errorf("answered %d of 20", n)
				}
				if n := w.unanswered(name+" same") + w.unanswered(name+" silenced"); n != 20-len(w.heard()) {
					t.Errorf("counted %d: %v", n, w.left)
				}
				list, err := sms.Brakes(t.Context(), db, w.Sealer)
				if err != nil || len(list) != 1 || list[0].Phone != aigul || list[0].Reason != "same" || list[0].Provider != name ||
					list[0].Silenced != int64(20-len(w.heard())) {
					t.Errorf("shown %+v, %v", list, err)
				}
				w.isTold(1)
				w.isServedAgain(sends)
			})
		})
	}
}

// T2: a machine behind the centre that answers each of our messages, with a text of its
// own or with ours, is not answered for ever: it is told so once, and the outbox is at
// rest after its answer to that.
func TestLoopOverTheWire(t *testing.T) {
	t.Parallel()
	for name, machine := range map[string]struct {
		echo string
		vary bool
		most int
	}{"its own text": {"Мен азыр айдап баратам", false, 6}, "ours": {"", false, 6}, "ever new text": {"Мен азыр айдап баратам", true, 13}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db, true)
				// A text comes a second after the answer before it, however busy the machine is.
				c := newCentreAt(t, w.inbound, w.Outbox, 0, func() time.Time { w.Pass(time.Second); return w.Now() })
				c.smsc.Do(map[string]any{"echo": machine.echo, "vary": machine.vary})
				c.smsc.Until("done")
				w.route(c)
				c.smsc.Deliver(map[string]any{"source_addr": aigul[1:], "destination_addr": "1414", "short_message": "0x6b657a656b", "data_coding": 0})
				for deadline := time.Now().Add(30 * time.Second); len(w.braked()) == 0 || w.braked()[0].Silenced < 2; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("%d rounds and no end", len(w.heard()))
					}
				}
				if n := w.queued("you said"); n > machine.most {
					t.Errorf("answered %d times", n)
				}
				if list := w.braked(); len(list) != 1 || list[0].Silenced != 2 {
					t.Errorf("shown %+v", list)
				}
				w.isTold(1)
			})
		})
	}
}

// braked are the phones that are not answered.
func (w *world) braked() []sms.Brake {
	w.T.Helper()
	list, err := sms.Brakes(w.T.Context(), w.DB, w.Sealer)
	if err != nil {
		w.T.Fatal(err)
	}
	return list
}

// isTold checks how often phones were told that they are not answered for a while.
func (w *world) isTold(times int) {
	w.T.Helper()
	if n := w.queued("sms.paused"); n != times {
		w.T.Errorf("it is told %d times, want %d", n, times)
	}
}

// queued is how many of the messages that leave, or left, say what holds part.
func (w *world) queued(part string) (n int) {
	w.T.Helper()
	rows, err := w.DB.Reader().QueryContext(w.T.Context(), "SELECT text_sealed FROM notify_messages")
	if err != nil {
		w.T.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		if err := rows.Scan(&sealed); err != nil {
			w.T.Fatal(err)
		}
		text, err := w.Sealer.Open(sealed, "notify.text")
		if err != nil {
			w.T.Fatal(err)
		}
		if strings.Contains(string(text), part) {
			n++
		}
	}
	if err := rows.Err(); err != nil {
		w.T.Fatal(err)
	}
	return n
}

// isServedAgain: the next process knows of the brake, STOP holds all the same, and later
// all is as before.
func (w *world) isServedAgain(sends func(n int, text string)) {
	w.T.Helper()
	before := len(w.heard())
	w.restart()
	sends(100, "кезек")
	if n := len(w.heard()); n != before {
		w.T.Errorf("%d texts are answered after a restart", n-before)
	}
	sends(101, "STOP")
	if got := w.stops.changes; len(got) != 1 {
		w.T.Errorf("STOP changed %q", got)
	}
	w.Pass(11 * time.Minute)
	sends(102, "кезек")
	if n := len(w.heard()); n != before+1 {
		w.T.Errorf("%d texts are answered later", n-before)
	}
}

// T2: who is no machine is answered: a word that is tried again, a list that is paged
// through, and another phone's texts beside a loop.
func TestPersonIsAnswered(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		texts []string
		gap   time.Duration
		want  int
	}{
		"a word, tried again":          {repeated("кезек", 5), time.Second, 5},
		"a word, each quarter minute":  {repeated("кезек", 10), 15 * time.Second, 10},
		"paging":                       {repeated("9", 20), 4 * time.Second, 20},
		"a long conversation":          {distinct(50), 12 * time.Second, 50},
		"a machine with many texts":    {distinct(100), 6 * time.Second, 60},
		"a machine that answers":       {distinct(100), 5 * time.Second, 13},
		"a word and ever new plates":   {between("ШТРАФ", distinct(15)), 6 * time.Second, 30},
		"the same, more slowly":        {between("ШТРАФ", distinct(15)), 20 * time.Second, 30},
		"a word and one plate":         {between("ШТРАФ", repeated("01KG123ABC", 15)), 6 * time.Second, 30},
		"a machine that tries keys":    {between("77", repeated("1", 20)), 4 * time.Second, 26}, // 13 of the wrong ones
		"slips of the finger":          {between("77", repeated("1", 20)), 7 * time.Second, 40},
		"words nobody understands":     {unclear(20), 30 * time.Second, 7},
		"words now and then":           {between("эмне болду", distinct(20)), 10 * time.Second, 40},
		"words, hours apart":           {unclear(20), 61 * time.Minute, 20},
		"a menu known by heart":        {menu(60), 3 * time.Second, 60},
		"a machine with one text":      {repeated("автоответ", 40), 20 * time.Second, 10},
		"a machine that presses a key": {repeated("1", 100), time.Second, 16},
		"answers at once":              {distinct(40), time.Millisecond, 13}, // the first one answers nothing
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)), true)
			for n, text := range test.texts {
				w.text(fmt.Sprintf("SM%d", n), text)
				w.Pass(test.gap)
			}
			if n := w.queued("you said"); n != test.want {
				t.Errorf("answered %d of %d, want %d; left %v", n, len(test.texts), test.want, w.left)
			}
			if told := w.queued("sms.paused"); (told > 0) != (test.want < len(test.texts)) {
				t.Errorf("told %d times that it is not answered", told)
			}
		})
	}
}

func repeated(text string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = text
	}
	return list
}

func distinct(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("суроо %d", i)
	}
	return list
}

// unclear are texts that are not understood, each another one.
func unclear(n int) []string {
	list := distinct(n)
	for i := range list {
		list[i] = "эмне " + list[i]
	}
	return list
}

// menu are choices as a person makes them.
func menu(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(1 + i%4)
	}
	return list
}

// between has word before each text.
func between(word string, texts []string) (list []string) {
	for _, text := range texts {
		list = append(list, word, text)
	}
	return list
}
