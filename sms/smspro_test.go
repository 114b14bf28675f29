package sms_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/sms"
)

func smspro(t *testing.T, base string, deps sms.CallbackDeps) *sms.SMSPRO {
	t.Helper()
	made, err := sms.NewSMSPRO(sms.SMSPROConfig{
		Login: "eshik", Password: "pass&word", Sender: "ESHIK", BaseURL: base, Secret: callbackSecret, Timeout: 2 * time.Second,
	}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// smsproPost is what SMSPRO reads of a message.
type smsproPost struct {
	XMLName xml.Name `xml:"message"`
	Login   string   `xml:"login"`
	Pwd     string   `xml:"pwd"`
	ID      string   `xml:"id"`
	Sender  string   `xml:"sender"`
	Text    string   `xml:"text"`
	Phones  []string `xml:"phones>phone"`
}

// outcome is what an answer means for a message.
func outcome(id string, err error) string {
	switch {
	case err == nil && id != "":
		return "taken"
	case errors.Is(err, notify.ErrRefused):
		return "refused"
	case errors.Is(err, sms.ErrNotTaken):
		return "not taken"
	case errors.Is(err, notify.ErrUnavailable):
		return "unavailable"
	case errors.Is(err, notify.ErrUnanswered):
		return "unanswered"
	case err != nil:
		return "again"
	}
	return fmt.Sprintf("%q, %v", id, err)
}

func TestSMSPROSend(t *testing.T) {
	t.Parallel()
	answer := func(status string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><response xmlns="http://Giper.mobi/schema/Message"><id>x</id><status>` + status +
			`</status><phones>1</phones><smscnt>1</smscnt><message>to 996555000001</message></response>`
	}
	for name, test := range map[string]struct {
		code       int
		body, want string
	}{
		"taken": {200, answer("0"), "taken"}, "our own again": {200, answer("10"), "taken"}, "a test account": {200, answer("11"), "taken"},
		"too slow": {200, answer("9"), "unanswered"}, "stop word": {200, answer("6"), "refused"}, "no phone": {200, answer("7"), "refused"},
		"format": {200, answer("1"), "not taken"}, "password": {200, answer("2"), "not taken"}, "our address": {200, answer("3"), "not taken"},
		"no money": {200, answer("4"), "unavailable"}, "sender": {200, answer("5"), "not taken"}, "time": {200, answer("8"), "not taken"},
		"a status of later": {200, answer("42"), "not taken"}, "no number": {200, answer("soon"), "again"}, "no status": {200, `<response/>`, "again"},
		"an empty status": {200, `<response><status/></response>`, "again"}, "two statuses": {200, `<response><status>4</status><status>0</status></response>`, "again"},
		"below zero": {200, answer("-1"), "again"}, "a fraction": {200, answer("0.0"), "again"}, "cut off": {200, answer("0")[:90], "again"},
		"a page": {200, "<!DOCTYPE html><html><body>Service unavailable</body></html>", "again"}, "JSON": {200, `{"status":0}`, "again"},
		"cut JSON": {200, `{"status":`, "again"}, "a page that is gone": {404, "<html/>", "not taken"}, "elsewhere": {302, "", "not taken"},
		"too many": {429, "", "not taken"}, "away": {503, answer("0"), "again"}, "another encoding": {200, "\xff\xfe<\x00", "again"},
		"spaces":    {200, answer(" 0\n"), "taken"},
		"forbidden": {403, answer("0"), "not taken"}, "broken": {502, "to 996555000001", "again"}, "rubbish": {200, "<html", "again"}, "nothing": {200, "", "again"},
		"a document type": {200, `<!DOCTYPE r [<!ENTITY a "0">]><response><status>&a;</status></response>`, "again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked smsproPost
			var kind string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Path != "/xml/api/message" || xml.Unmarshal(body, &asked) != nil {
					t.Errorf("asked %s with %s", r.URL.Path, body)
				}
				kind = r.Header.Get("Content-Type")
				w.WriteHeader(test.code)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			send := func(m notify.MT) (string, error) { // each time by a provider that remembers nothing
				return smspro(t, server.URL+"/xml/", called()).Send(t.Context(), m)
			}
			id, err := send(notify.MT{ID: "m-1", To: aigul, Text: "Код: <1> & ө"})
			if got := outcome(id, err); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "996555000001") {
				t.Errorf("the error tells the number: %v", err)
			}
			if asked.Login != "eshik" || asked.Pwd != "pass&word" || asked.Sender != "ESHIK" || asked.Text != "Код: <1> & ө" ||
				strings.Join(asked.Phones, " ") != "996555000001" || !strings.HasPrefix(kind, "application/xml") {
				t.Errorf("asked with %+v as %s", asked, kind)
			}
			if !regexp.MustCompile(`^[A-Za-z0-9]{12}$`).MatchString(asked.ID) || (id != "" && id != asked.ID) {
				t.Errorf("named %q, known as %q", asked.ID, id)
			}
			first := asked.ID
			if _, err := send(notify.MT{ID: "m-1", To: aigul, Text: "Код", Try: 2}); asked.ID != first {
				t.Errorf("the next try is named %q, not %q (%v)", asked.ID, first, err)
			}
			if _, err := send(notify.MT{ID: "m-2", To: aigul, Text: "Код"}); asked.ID == first {
				t.Errorf("another message has the same name (%v)", err)
			}
		})
	}
}

// A message that is too long never leaves; a provider that is not there has taken
// nothing; one that hangs up may have taken it (e2e TestSMSPRO goes on from there).
func TestSMSPROWithoutAnswer(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if _, err := smspro(t, gone.URL, called()).Send(t.Context(), notify.MT{To: aigul, Text: "a"}); !errors.Is(err, sms.ErrNotTaken) ||
		strings.Contains(err.Error(), gone.URL) {
		t.Errorf("a provider that is not there: %v", err)
	}
	if id, err := smspro(t, gone.URL, called()).Send(t.Context(), notify.MT{To: aigul, Text: strings.Repeat("ө", 801)}); outcome(id, err) != "refused" {
		t.Errorf("801 characters: %q, %v", id, err)
	}
	hangsUp := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer hangsUp.Close()
	if id, err := smspro(t, hangsUp.URL, called()).Send(t.Context(), notify.MT{To: aigul, Text: "a"}); outcome(id, err) != "unanswered" {
		t.Errorf("a provider that hangs up: %q, %v", id, err)
	}
}

func TestSMSPROReports(t *testing.T) {
	t.Parallel()
	heard := &reports{known: map[string]bool{"abcDEF123456": true, "second123456": true}, heard: make(chan string, 20)}
	var refused []string
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	smspro(t, "http://127.0.0.1:9", sms.CallbackDeps{
		Deliveries: heard, Receiver: untexted{}, Now: time.Now, Log: slog.New(slog.DiscardHandler), Refused: func(reason string) { refused = append(refused, reason) },
	}).Register(app)
	one := func(id, outcome string) string {
		return "<dr><id>" + id + "</id><phone><number>996555000001</number><report>" + outcome + "</report><sendTime>20261124090000</sendTime></phone></dr>"
	}
	for _, c := range []struct {
		name, secret, body string
		want               int
		heard              string
	}{
		{"delivered", callbackSecret, `<r:report xmlns:r="http://Giper.mobi/schema/Report">` + one("abcDEF123456", "3") + "</r:report>", 200, "smspro abcDEF123456 delivered"},
		{"twice", callbackSecret, "<report>" + one("abcDEF123456", "3") + "</report>", 200, "smspro abcDEF123456 delivered"},
		{"two", callbackSecret, "<report>" + one("abcDEF123456", "4") + one("second123456", "2") + "</report>", 200, "smspro abcDEF123456 undelivered, smspro second123456 rejected"},
		{"no end yet", callbackSecret, "<report>" + one("abcDEF123456", "1") + one("abcDEF123456", "7") + one("abcDEF123456", "99") + "</report>", 200, ""},
		{"no number", callbackSecret, "<report>" + one("abcDEF123456", "done") + "</report>", 400, ""},
		{"no report", callbackSecret, "<report><dr><id>abcDEF123456</id><phone><number>996555000001</number></phone></dr></report>", 200, ""},
		{"another root", callbackSecret, "<response><dr/></response>", 400, ""},
		{"rubbish", callbackSecret, "<report><dr>", 400, ""}, {"empty", callbackSecret, "", 400, ""}, {"nobody", callbackSecret, "<report/>", 400, ""},
		{"a document type", callbackSecret, `<!DOCTYPE report SYSTEM "http://127.0.0.1/x"><report>` + one("abcDEF123456", "3") + "</report>", 400, ""},
		{"too large", callbackSecret, "<report>" + strings.Repeat(" ", 70<<10) + one("abcDEF123456", "3") + "</report>", 413, ""},
		{"a stranger", "another-secret-of-it", "<report>" + one("abcDEF123456", "3") + "</report>", 403, ""},
	} {
		request := httptest.NewRequest(http.MethodPost, "/sms/smspro/"+c.secret+"/report", strings.NewReader(c.body))
		request.Header.Set("Content-Type", "application/xml")
		response, err := app.Test(request, -1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for len(heard.heard) > 0 {
			got = append(got, <-heard.heard)
		}
		if response.StatusCode != c.want || strings.Join(got, ", ") != c.heard {
			t.Errorf("%s: %d %v, want %d %s", c.name, response.StatusCode, got, c.want, c.heard)
		}
	}
	if got := strings.Join(refused, " "); got != "malformed malformed malformed malformed malformed malformed malformed too_large secret" {
		t.Errorf("counted %q", got)
	}
}

func TestSMSPROConfig(t *testing.T) {
	t.Parallel()
	good := sms.SMSPROConfig{Login: "a", Password: "b", Sender: "ESHIK", BaseURL: "https://x", Secret: callbackSecret}
	for name, spoil := range map[string]func(c *sms.SMSPROConfig){
		"login": func(c *sms.SMSPROConfig) { c.Login = "" }, "password": func(c *sms.SMSPROConfig) { c.Password = "" },
		"sender": func(c *sms.SMSPROConfig) { c.Sender = "" }, "address": func(c *sms.SMSPROConfig) { c.BaseURL = "ftp://x" },
		"secret": func(c *sms.SMSPROConfig) { c.Secret = "short" },
	} {
		bad := good
		spoil(&bad)
		if _, err := sms.NewSMSPRO(bad, called()); err == nil {
			t.Errorf("without a good %s it is taken", name)
		}
	}
	if _, err := sms.NewSMSPRO(good, called()); err != nil {
		t.Error(err)
	}
}
