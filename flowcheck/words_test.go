package flowcheck

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sms"
)

// The tables of testdata/words say what each text leads to: the node that answers
// (or STOP, START, or "-" where nothing is understood), and what the answer holds.
// {certificate} and {registration} are numbers that were issued here.
const (
	ledNowhere = "-"
	ledToStop  = "STOP"
	ledToStart = "START"
)

// texted is a row of a table.
type texted struct{ text, leads, holds string }

func readTable(t *testing.T, name string) []texted {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "words", name+".tsv"))
	testworld.OK(t, err)
	var rows []texted
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if strings.HasPrefix(line, "# ") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) < 2 || len(cells) > 3 {
			t.Fatalf("%s.tsv:%d has %d cells", name, i+1, len(cells))
		}
		rows = append(rows, texted{cells[0], cells[1], strings.Join(cells[2:], "")})
	}
	return rows
}

// post is the real way of a text from the channel to its answer: what the conversation
// shows, what is sent, and who stopped are noted on the way.
type post struct {
	*sms.Inbound
	Conversations
	mu   sync.Mutex
	node map[string]string // by phone
	sent map[string]string
	list map[string]string // STOP or START
	n    int
}

// Conversations is what holds conversations.
type Conversations = sms.Conversations

// Turn implements sms.Conversations.
func (p *post) Turn(ctx context.Context, turn session.Turn) (session.Answer, error) {
	answer, err := p.Conversations.Turn(ctx, turn)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.node[turn.Phone] = answer.Node
	return answer, err
}

// SendAll implements sms.Outbox.
func (p *post) SendAll(_ context.Context, _ *store.Tx, list []notify.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range list {
		p.sent[m.To] = m.Text
	}
	return nil
}

// Stop implements sms.Stops.
func (p *post) Stop(_ context.Context, _ *store.Tx, phone string) error {
	p.noted(phone, ledToStop)
	return nil
}

// Start implements sms.Stops.
func (p *post) Start(_ context.Context, _ *store.Tx, phone string) error {
	p.noted(phone, ledToStart)
	return nil
}

func (p *post) noted(phone, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list[phone] = what
}

// wordsWorld is the whole service over the sandbox, with a mother's certificate and
// her child's registration.
func wordsWorld(t *testing.T) (*post, *crawl) {
	t.Helper()
	c, err := newCrawl(t.Context(), channels[2], locales.KY, planted{})
	testworld.OK(t, err)
	t.Cleanup(func() {
		c.ctx = context.Background()
		testworld.OK(t, c.close())
	})
	c.walk(visitors[0], "words", "")
	if c.found["certificate.done"] == "" || c.found["preschool.done"] == "" {
		t.Fatalf("there is no certificate %q or no registration %q; %v", c.found["certificate.done"], c.found["preschool.done"], c.faults)
	}
	p := &post{Conversations: c.app.Conversations, node: map[string]string{}, sent: map[string]string{}, list: map[string]string{}}
	p.Inbound, err = sms.NewInbound(sms.InboundDeps{
		DB: c.app.DB, Conversations: p, Outbox: p, Stops: p, Sealer: c.app.Sealer, Texts: c.app.Texts, Languages: c.app.Identity,
		ShortCode: "*1414#", Now: c.app.Clock, Log: slog.New(slog.DiscardHandler),
	})
	testworld.OK(t, err)
	return p, c
}

// text has phone text, and gives where it led.
func (p *post) text(t *testing.T, phone, text string) (leads, answer string) {
	t.Helper()
	p.mu.Lock()
	delete(p.node, phone)
	delete(p.list, phone)
	p.n++
	id := fmt.Sprintf("w%d", p.n)
	p.mu.Unlock()
	testworld.OK(t, p.Take(t.Context(), sms.MO{Provider: "smpp", ID: id, Phone: phone, Text: text, At: time.Now()}))
	testworld.OK(t, p.Wait(t.Context()))
	p.mu.Lock()
	defer p.mu.Unlock()
	if what := p.list[phone]; what != "" {
		return what, p.sent[phone]
	}
	return p.node[phone], p.sent[phone]
}

// TestWords runs the tables of texts through the inbound path, each from a phone of
// its own that has chosen the language (findings B5, B6, B9, B10, and the forms that
// people text).
func TestWords(t *testing.T) {
	t.Parallel()
	p, c := wordsWorld(t)
	numbers := strings.NewReplacer("{certificate}", c.found["certificate.done"], "{registration}", c.found["preschool.done"])
	phones := 0
	for _, table := range []struct {
		name           string
		locale         locales.Locale
		least, nowhere int
	}{{"ky", locales.KY, 150, 40}, {"ky_plain", locales.KY, 150, 40}, {"ru", locales.RU, 150, 40}, {"en", locales.EN, 30, 8}} {
		rows, nowhere := readTable(t, table.name), 0
		notUnderstood := c.app.Texts.Text(table.locale, "problem.words")
		for _, row := range rows {
			phones++
			phone := fmt.Sprintf("+99655520%04d", phones)
			testworld.OK(t, c.app.Identity.SetLocale(t.Context(), phone, table.locale, ""))
			leads, answer := p.text(t, phone, numbers.Replace(row.text))
			if strings.HasPrefix(answer, notUnderstood) {
				leads = ledNowhere
				if parts := gsm.Measure(answer).Parts; parts > 2 {
					t.Errorf("%s: %q is answered in %d parts, more than 2: %q", table.name, row.text, parts, answer)
				}
			}
			if leads != row.leads || !strings.Contains(answer, numbers.Replace(row.holds)) {
				t.Errorf("%s: %q leads to %s, want %s; it was answered %q", table.name, row.text, leads, row.leads, answer)
			}
			if row.leads == ledNowhere {
				nowhere++
			}
		}
		if len(rows) < table.least || nowhere < table.nowhere {
			t.Errorf("%s has %d texts, of which %d lead nowhere", table.name, len(rows), nowhere)
		}
	}
}

// A certificate's number is one, whatever its groups look like: a one-time code, a card's
// number, a word of a command.
func TestEveryCertificateNumberIsRead(t *testing.T) {
	t.Parallel()
	p, c := wordsWorld(t)
	phones := 0
	for _, number := range []string{
		"9557-35HT-WCU", "NXTX-J325-676", "QW76-5989-NT4", "8936-42SS-QUJ", "DKCS-SPGR-RUW", "892V-RUSX-XTJ", "76U3-SAYK-GAY", "2P2B-A9D2-JQE",
	} {
		for _, text := range []string{number, "справка " + number, "ТЕКШЕР " + strings.ToLower(number), "ушул " + number + " номер туурабы"} {
			for _, locale := range []locales.Locale{locales.KY, ""} {
				phones++
				phone := fmt.Sprintf("+99655522%04d", phones)
				if locale != "" {
					testworld.OK(t, c.app.Identity.SetLocale(t.Context(), phone, locale, ""))
				}
				_, answer := p.text(t, phone, text)
				if locale == "" { // the number waits for the language
					_, answer = p.text(t, phone, "1")
				}
				if !strings.Contains(answer, "берилген эмес") {
					t.Errorf("%q in %q is answered %q", text, locale, answer)
				}
			}
		}
	}
}

// A soft "no" on a screen that waits for an answer is about the screen: it stops no
// notices; a word that cancels leads to the main menu; the law's words stop them.
func TestSoftWordsInAConversation(t *testing.T) {
	t.Parallel()
	p, c := wordsWorld(t)
	phones := 0
	for _, open := range [][]string{{"меню"}, {"штраф"}, {"штраф", "01KG123ABC"}, {"справка"}, {"справка", "1"}, {"садик"}, {"садик", "1"}, {"язык"}} {
		for text, want := range map[string]string{
			"отказ": "", "не надо": "", "отказываюсь": "", "керек эмес": "", "хватит": "", "баш тартам": "", "не хочу!": "", "Отмена": "menu.main",
			"отмен": "menu.main", "жокко чыгаруу": "menu.main", "отменить.": "menu.main", "токтотуңуз": ledToStop, "СТОП": ledToStop, "хватит смс": ledToStop,
		} {
			phones++
			phone := fmt.Sprintf("+99655521%04d", phones)
			testworld.OK(t, c.app.Identity.SetLocale(t.Context(), phone, locales.RU, ""))
			before := ""
			for _, said := range open {
				before, _ = p.text(t, phone, said)
			}
			leads, answer := p.text(t, phone, text)
			if want == "" {
				want = before
			}
			if leads != want || answer == "" {
				t.Errorf("%q after %q (%s) leads to %s, want %s; it was answered %q", text, open, before, leads, want, answer)
			}
		}
	}
}

// Of two requests in one text one is done, and the text is answered with that each needs its
// own; two words of one request ("check the queue") are none.
func TestOneRequestInAText(t *testing.T) {
	t.Parallel()
	p, c := wordsWorld(t)
	numbers := strings.NewReplacer("{certificate}", c.found["certificate.done"], "{registration}", c.found["preschool.done"])
	phones := 0
	for _, row := range []struct {
		text, leads string
		two         bool
	}{
		{"КЕЗЕК {registration} ТЕКШЕР {certificate}", "preschool.position", true},
		{"ТЕКШЕР {certificate} КЕЗЕК {registration}", "certificate.verified", true},
		{"ОЧЕРЕДЬ {registration}, ПРОВЕРИТЬ {certificate}", "preschool.position", true},
		{"КЕЗЕК {registration} ТЕКШЕР DKCS-SPGR-RUW", "preschool.position", true},
		{"КЕЗЕК {registration} ТЕКШЕР 9557-35HT-WCU", "preschool.position", true},
		{"КЕЗЕК ТЕКШЕР {certificate}", "certificate.verified", true},
		{"кезек жана справка", "preschool.menu", true},
		{"КЕЗЕК 47123456789 ТЕКШЕР K7MN4PQR2XX", "preschool.ask_number", true},
		{"ТЕКШЕР K7MN4PQR2XX КЕЗЕК 47123456789", "preschool.ask_number", true},
		{"АЙЫП 01KG123ABC МААЛЫМКАТ", "fine.list", true},
		{"штраф 01KG123ABC и очередь", "fine.list", true},
		{"АЙЫП, КЕЗЕК", "fine.plate", true},
		{"КЕЗЕК ТЕКШЕР", "preschool.menu", false},
		{"ТЕКШЕР КЕЗЕК {registration}", "preschool.position", false},
		{"кезегимди текшер {registration}", "preschool.position", false},
		{"проверить очередь {registration}", "preschool.position", false},
		{"проверить штраф 01KG123ABC", "fine.list", false},
		{"справка {certificate} проверить", "certificate.verified", false},
		{"справка для садика", "certificate.menu", false},
		{"КЕЗЕК {registration}", "preschool.position", false},
		{"жардам КЕЗЕК {registration}", "preschool.position", false},
	} {
		for _, locale := range []locales.Locale{locales.KY, locales.RU} {
			for _, before := range []string{"", "меню"} {
				phones++
				phone := fmt.Sprintf("+99655523%04d", phones)
				testworld.OK(t, c.app.Identity.SetLocale(t.Context(), phone, locale, ""))
				if before != "" {
					p.text(t, phone, before)
				}
				leads, answer := p.text(t, phone, numbers.Replace(row.text))
				if strings.Contains(row.text, "47123456789") && !strings.Contains(answer, c.app.Texts.Text(locale, "problem.preschool_number")) {
					t.Errorf("%q is refused with %q", row.text, answer)
				}
				if told := strings.Contains(answer, c.app.Texts.Text(locale, "dialog.one_request")); leads != row.leads || told != row.two {
					t.Errorf("%q after %q leads to %s, want %s; it was answered %q", row.text, before, leads, row.leads, answer)
				}
			}
		}
	}
}
