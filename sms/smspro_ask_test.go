package sms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/sms"
)

// smsproServer answers every request with the same; asked is what was asked last.
func smsproServer(t *testing.T, code int, body string) (url string, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		*asked = r.URL.Path + " " + strings.TrimPrefix(string(got), `<?xml version="1.0" encoding="UTF-8"?>`+"\n")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// smsproSays is an answer as the gateway writes it.
func smsproSays(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><response xmlns="http://Giper.mobi/schema/X">` + body + "</response>"
}

// TestSMSPROAsked: what is asked, and what the answers to it mean.
func TestSMSPROAsked(t *testing.T) {
	t.Parallel()
	report := func(number, outcome string) string {
		return "<phone><number>" + number + "</number><report>" + outcome + "</report><sendTime>20261124090000</sendTime></phone>"
	}
	type row struct{ body, want string }
	dr := map[string]row{}
	for outcome, want := range []string{"accepted", "accepted", "rejected", "delivered", "undelivered", "failed", "accepted", "accepted"} {
		dr[fmt.Sprint("report ", outcome)] = row{report("996555000001", fmt.Sprint(outcome)), want}
	}
	dr["of another phone"] = row{report("996700000002", "3"), ""}
	dr["of nobody"] = row{"", ""}
	dr["written twice"] = row{report("996555000001", "1") + report("996555000001", "3") + report("996555000001", "3"), "delivered"}
	dr["among others"] = row{report("996700000002", "4") + report("+996555000001", "3"), "delivered"}
	dr["a report of later"] = row{report("996555000001", "99"), "accepted"}
	dr["no report in it"] = row{"<phone><number>996555000001</number></phone>", ""}
	for name, test := range dr {
		url, asked := smsproServer(t, 200, smsproSays("<status>0</status>"+test.body))
		got, err := smspro(t, url, called()).AskReport(t.Context(), notify.Unreported{ID: "m-1", Phone: aigul})
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
		if !strings.HasPrefix(*asked, "/api/dr <dr><login>eshik</login><pwd>pass&amp;word</pwd><id>") || !strings.HasSuffix(*asked, "</id><phone>996555000001</phone></dr>") {
			t.Errorf("asked %s", *asked)
		}
	}
	for told, want := range map[string]string{
		"MegaCom": "MegaCom", " megacom\n": "MegaCom", "Альфа Телеком (Мегаком)": "MegaCom", "Билайн": "Beeline", "Sky Mobile LLC": "Beeline",
		"O!": "O!", "НУР Телеком": "O!", "43709": "O!", "Aktel": "Aktel", "": "", "Fonex": "",
	} {
		url, asked := smsproServer(t, 200, smsproSays("<status>0</status><region>Ош</region><operator>"+told+"</operator><timezone>6</timezone>"))
		got, err := smspro(t, url, called()).OperatorOf(t.Context(), aigul)
		if err != nil || got != want {
			t.Errorf("the operator %q is %q, %v; want %q", told, got, err, want)
		}
		if !strings.HasPrefix(*asked, `/api/def <def xmlns="http://Giper.mobi/schema/PhoneDEF"><login>`) || !strings.HasSuffix(*asked, "<phone>996555000001</phone></def>") {
			t.Errorf("asked %s", *asked)
		}
	}
	for told, want := range map[string]sms.Credit{
		"<account>1250.50</account><smsprice>0.70</smsprice>": {Left: 125050, Price: 70}, "<account>7</account>": {Left: 700},
		"<account> 1250,5 </account><smsprice>0.6599</smsprice>": {Left: 125050, Price: 65}, "<account>-3.07</account><smsprice>much</smsprice>": {Left: -307},
		"<state>1</state><account>0</account><smsprice>-1</smsprice>": {},
	} {
		url, _ := smsproServer(t, 200, smsproSays("<status>0</status>"+told))
		if got, err := smspro(t, url, called()).Credit(t.Context()); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", told, got, err, want)
		}
	}
}

// TestSMSPROBadAnswers: what is no answer says nothing, whatever was asked.
func TestSMSPROBadAnswers(t *testing.T) {
	t.Parallel()
	whole := "<status>0</status><phone><number>996555000001</number><report>3</report></phone><operator>O!</operator><account>5.00</account><smsprice>1</smsprice>"
	answers := map[string]struct {
		code int
		body string
	}{
		"nothing": {200, ""}, "a page": {200, "<!DOCTYPE html><html><body>" + whole + "</body></html>"}, "broken": {500, smsproSays(whole)},
		"away": {503, "<html>"}, "forbidden": {403, smsproSays(whole)}, "elsewhere": {301, ""}, "JSON": {200, `{"status":0,"report":3}`},
		"cut JSON": {200, `{"status":0,`}, "no status": {200, smsproSays(strings.TrimPrefix(whole, "<status>0</status>"))},
		"an empty status": {200, smsproSays("<status/>" + whole[len("<status>0</status>"):])}, "a word": {200, smsproSays(strings.Replace(whole, ">0<", ">ok<", 1))},
		"two statuses": {200, smsproSays("<status>0</status>" + whole)}, "an entity": {200, `<!DOCTYPE r [<!ENTITY a "0">]>` + smsproSays(strings.Replace(whole, ">0<", ">&a;<", 1))},
		"another's entity": {200, smsproSays(strings.Replace(whole, ">0<", ">&zero;<", 1))}, "too long": {200, smsproSays(whole + strings.Repeat("<phone/>", 20_000))},
	}
	for status := 1; status <= 12; status++ {
		answers[fmt.Sprint("status ", status)] = struct {
			code int
			body string
		}{200, smsproSays(strings.Replace(whole, ">0<", fmt.Sprintf(">%d<", status), 1))}
	}
	for cut := 1; cut < len(smsproSays(whole))-1; cut += 23 {
		answers[fmt.Sprint("cut at ", cut)] = struct {
			code int
			body string
		}{200, smsproSays(whole)[:cut]}
	}
	for name, answer := range answers {
		url, _ := smsproServer(t, answer.code, answer.body)
		provider := smspro(t, url, called())
		if got, err := provider.AskReport(t.Context(), notify.Unreported{ID: "m-1", Phone: aigul}); err == nil || got != "" {
			t.Errorf("%s is taken for the report %q", name, got)
		}
		if got, err := provider.OperatorOf(t.Context(), aigul); got != "" || (err == nil) != (name == "status 7") {
			t.Errorf("%s is taken for the operator %q, %v", name, got, err)
		}
		if got, err := provider.Credit(t.Context()); err == nil || got != (sms.Credit{}) {
			t.Errorf("%s is taken for the money %+v", name, got)
		}
	}
	for name, account := range map[string]string{
		"no account": "", "an empty one": "<account/>", "a word": "<account>some</account>", "two": "<account>5</account><account>6</account>",
		"two points": "<account>1.2.3</account>", "endless": "<account>" + strings.Repeat("9", 40) + "</account>", "not a number": "<account>NaN</account>",
	} {
		url, _ := smsproServer(t, 200, smsproSays("<status>0</status>"+account))
		if got, err := smspro(t, url, called()).Credit(t.Context()); err == nil {
			t.Errorf("%s is taken for %+v", name, got)
		}
	}
	for name, report := range map[string]string{"a word": "done", "empty": "", "a fraction": "3.0", "below zero": "-3", "endless": "3333333"} {
		url, _ := smsproServer(t, 200, smsproSays("<status>0</status><phone><number>996555000001</number><report>"+report+"</report></phone>"))
		if got, err := smspro(t, url, called()).AskReport(t.Context(), notify.Unreported{ID: "m-1", Phone: aigul}); err == nil {
			t.Errorf("%s is taken for %q", name, got)
		}
	}
}

// TestSMSPROSlowAnswers: who does not answer in time, or drips, holds nobody up for
// longer than the account's time-out.
func TestSMSPROSlowAnswers(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path != "/api/info" { // this one begins to answer
			<-release
			return
		}
		_, _ = io.WriteString(w, "<response>")
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	provider, err := sms.NewSMSPRO(sms.SMSPROConfig{
		Login: "a", Password: "b", Sender: "ESHIK", BaseURL: server.URL, Secret: callbackSecret, Timeout: 50 * time.Millisecond,
	}, called())
	if err != nil {
		t.Fatal(err)
	}
	if id, err := provider.Send(t.Context(), notify.MT{To: aigul, Text: "a"}); outcome(id, err) != "unanswered" {
		t.Errorf("a message: %v", err)
	}
	if _, err := provider.AskReport(t.Context(), notify.Unreported{ID: "a", Phone: aigul}); err == nil {
		t.Error("a report came")
	}
	if _, err := provider.OperatorOf(t.Context(), aigul); err == nil {
		t.Error("an operator came")
	}
	if _, err := provider.Credit(t.Context()); err == nil {
		t.Error("money came")
	}
}

// TestSMSPROWithoutMoney: an account that had no money for a message is offered none for
// a minute, or until it says that it has; it is never the message's fault.
func TestSMSPROWithoutMoney(t *testing.T) {
	t.Parallel()
	status, account, messages := "4", "0", 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/message":
			messages++
			_, _ = io.WriteString(w, smsproSays("<status>"+status+"</status>"))
		case "/api/info":
			_, _ = io.WriteString(w, smsproSays("<status>0</status><account>"+account+"</account><smsprice>0.7</smsprice>"))
		case "/api/dr":
			_, _ = io.WriteString(w, smsproSays("<status>0</status><phone><number>996555000001</number><report>5</report></phone>"))
		}
	}))
	defer server.Close()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	deps := called()
	deps.Now = func() time.Time { return now }
	provider := smspro(t, server.URL, deps)
	send := func(want string, asked int) {
		t.Helper()
		id, err := provider.Send(context.Background(), notify.MT{ID: "m", To: aigul, Text: "a"})
		if err != nil {
			id = ""
		}
		if got := outcome(id, err); got != want || messages != asked || errors.Is(err, notify.ErrRefused) {
			t.Errorf("%s after %d messages, want %s after %d", got, messages, want, asked)
		}
	}
	send("unavailable", 1)
	send("unavailable", 1) // it is not even asked
	now = now.Add(time.Minute)
	send("unavailable", 2)
	if credit, err := provider.Credit(t.Context()); err != nil || credit.Left != 0 {
		t.Fatal(credit, err)
	}
	send("unavailable", 2)
	status, account = "0", "100"
	if credit, err := provider.Credit(t.Context()); err != nil || credit.Left != 100*money.Som {
		t.Fatal(credit, err)
	}
	send("taken", 3)
	if got, err := provider.AskReport(t.Context(), notify.Unreported{ID: "m", Phone: aigul}); got != "failed" || err != nil {
		t.Fatal(got, err)
	}
	send("unavailable", 3) // a report told it
}
