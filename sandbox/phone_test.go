package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	twilioapi "github.com/twilio/twilio-go/rest/api/v2010"
)

// app is an application under test: it notes every request and answers as told.
type app struct {
	*httptest.Server
	mu    sync.Mutex
	posts []post
	reply func(r post) (status int, body string)
}

type post struct {
	path, signature, user, password string
	form                            url.Values
}

func newApp(t *testing.T, reply func(post) (int, string)) *app {
	t.Helper()
	a := &app{reply: reply}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p := post{path: r.URL.Path, signature: r.Header.Get("X-Twilio-Signature"), form: r.Form}
		p.user, p.password, _ = r.BasicAuth()
		a.mu.Lock()
		a.posts = append(a.posts, p)
		a.mu.Unlock()
		status, body := a.reply(p)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *app) heard(path string) (out []post) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.posts {
		if p.path == path {
			out = append(out, p)
		}
	}
	return out
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

const (
	aigul     = "+996555000001"
	testSID   = "AC00000000000000000000000000000001"
	testToken = "sandboxtoken"
)

func newPhones(t *testing.T, a *app, change func(*PhonesConfig)) (*Phones, *httptest.Server) {
	t.Helper()
	cfg := PhonesConfig{
		BaseURL: func() string { return a.URL }, PublicURL: func() string { return "https://eshik.example" },
		TwilioSID: testSID, TwilioToken: testToken, TwilioNumber: "1414",
		PartnerID: "demo-wallet", PartnerSecret: func() string { return "s3cret" },
		WalletPause: time.Millisecond, DeliveryTime: time.Millisecond, Now: time.Now,
	}
	if change != nil {
		change(&cfg)
	}
	p, err := NewPhones(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/sandbox/", p.Handler())
	mux.Handle("/2010-04-01/", p.Twilio())
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, srv
}

// call sends JSON and reads JSON.
func call(t *testing.T, method, to, body string, into any) int {
	t.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// toSandbox sends what a twilio-go client asks of api.twilio.com to srv.
type toSandbox struct{ host string }

func (s toSandbox) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", s.host, s.host
	return http.DefaultTransport.RoundTrip(r)
}

func twilioClient(srv *httptest.Server, token string) *twilioapi.ApiService {
	c := &client.Client{
		Credentials: client.NewCredentials(testSID, token),
		HTTPClient:  &http.Client{Transport: toSandbox{strings.TrimPrefix(srv.URL, "http://")}},
	}
	c.SetAccountSid(testSID)
	return twilioapi.NewApiService(client.NewRequestHandler(c))
}

// The SMS provider is asked by Twilio's own client, and its callbacks are
// validated by Twilio's own validator.
func TestTwilioSendsAndReports(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(post) (int, string) { return 200, "" })
	_, srv := newPhones(t, a, nil)
	params := &twilioapi.CreateMessageParams{}
	params.SetTo(aigul).SetFrom("1414").SetBody("Код: 482913").SetStatusCallback("https://eshik.example/sms/twilio/status")
	sent, err := twilioClient(srv, testToken).CreateMessage(params)
	if err != nil {
		t.Fatal(err)
	}
	if *sent.Status != "queued" || *sent.NumSegments != "1" || !strings.HasPrefix(*sent.Sid, "SM") || *sent.Body != "Код: 482913" {
		t.Errorf("answered %+v", sent)
	}
	var list []Message
	call(t, "GET", srv.URL+"/sandbox/sms?phone="+url.QueryEscape(aigul), "", &list)
	if len(list) != 1 || list[0].Text != "Код: 482913" || list[0].From != "1414" || list[0].Encoding != "UCS-2" || list[0].Parts != 1 {
		t.Errorf("the phone holds %+v", list)
	}
	eventually(t, "two status callbacks", func() bool { return len(a.heard("/sms/twilio/status")) == 2 })
	validator := client.NewRequestValidator(testToken)
	for i, p := range a.heard("/sms/twilio/status") {
		if !validator.Validate("https://eshik.example/sms/twilio/status", flat(p.form), p.signature) {
			t.Errorf("callback %d has a bad signature", i)
		}
		if want := []string{"sent", "delivered"}[i]; p.form.Get("MessageStatus") != want || p.form.Get("MessageSid") != *sent.Sid {
			t.Errorf("callback %d: %v", i, p.form)
		}
	}
	if _, err := twilioClient(srv, "wrong").CreateMessage(params); err == nil || !strings.Contains(err.Error(), "20003") {
		t.Errorf("a wrong token: %v", err)
	}
	params.SetTo("hello")
	if _, err := twilioClient(srv, testToken).CreateMessage(params); err == nil || !strings.Contains(err.Error(), "21211") {
		t.Errorf("a wrong number: %v", err)
	}
}

func flat(form url.Values) map[string]string {
	out := map[string]string{}
	for name := range form {
		out[name] = form.Get(name)
	}
	return out
}

func TestTextTheService(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(post) (int, string) {
		return 200, `<?xml version="1.0" encoding="UTF-8"?><Response><Message>in TwiML</Message></Response>`
	})
	_, srv := newPhones(t, a, nil)
	var m Message
	if status := call(t, "POST", srv.URL+"/sandbox/sms", `{"from":"`+aigul+`","to":"1414","text":"айып 01KG123ABC"}`, &m); status != 200 {
		t.Fatalf("status %d", status)
	}
	in := a.heard("/sms/twilio")
	if len(in) != 1 || in[0].form.Get("Body") != "айып 01KG123ABC" || in[0].form.Get("From") != aigul || in[0].form.Get("NumSegments") != "1" {
		t.Fatalf("the application heard %v", in)
	}
	validator := client.NewRequestValidator(testToken)
	if !validator.Validate("https://eshik.example/sms/twilio", flat(in[0].form), in[0].signature) {
		t.Error("the inbound text has a bad signature")
	}
	var list []Message
	call(t, "GET", srv.URL+"/sandbox/sms?thread=1&phone="+url.QueryEscape(aigul), "", &list)
	if len(list) != 2 || list[0].Text != "in TwiML" || !list[1].Sent {
		t.Errorf("the thread is %+v", list)
	}
	call(t, "GET", srv.URL+"/sandbox/sms?phone="+aigul, "", &list) // the plus unescaped
	if len(list) != 1 {
		t.Errorf("reached the phone: %+v", list)
	}
}

func TestMessagesOutliveAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, err := openInbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range keptPerPhone + 1500 {
		if err := in.add(Message{To: aigul, Text: strings.Repeat("a", i%7), ID: string(rune('a' + i%26))}); err != nil {
			t.Fatal(err)
		}
	}
	last := in.list(aigul, false)[0]
	// Killed while writing: half a line at the end, and no close.
	if _, err := in.file.WriteString(`{"at":"2026-`); err != nil {
		t.Fatal(err)
	}
	again, err := openInbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.close()
	list := again.list(aigul, false)
	if len(list) != keptPerPhone || list[0] != last {
		t.Errorf("%d messages, the newest %+v; want %d, %+v", len(list), list[0], keptPerPhone, last)
	}
	kept, _ := os.ReadFile(filepath.Join(dir, "sms.jsonl"))
	if lines := bytes.Count(kept, []byte("\n")); lines != keptPerPhone {
		t.Errorf("%d lines are kept", lines)
	}
	if err := in.close(); err != nil {
		t.Error(err)
	}
}

// The vectors are texts whose parts others count wrongly.
func TestParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, encoding string
		parts          int
	}{
		{strings.Repeat("{", 229), "GSM-7", 4},
		{strings.Repeat("😀", 71), "UCS-2", 3},
		{"a" + strings.Repeat("ж", 300), "UCS-2", 5},
		{strings.Repeat("ж", 60) + strings.Repeat("a", 40), "UCS-2", 2},
		{strings.Repeat("a", 160), "GSM-7", 1},
		{strings.Repeat("a", 161), "GSM-7", 2},
		{strings.Repeat("ж", 70), "UCS-2", 1},
	} {
		if parts, encoding := smsParts(c.text); parts != c.parts || encoding != c.encoding {
			t.Errorf("%.8s…: %d %s, want %d %s", c.text, parts, encoding, c.parts, c.encoding)
		}
	}
}

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	a := newApp(t, nil)
	p, _ := newPhones(t, a, nil)
	for name, change := range map[string]func(*http.Request){
		"another machine": func(r *http.Request) { r.RemoteAddr = "192.0.2.7:4000" },
		"another host":    func(r *http.Request) { r.Host = "evil.example" },
		"through a proxy": func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.7") },
		"another site":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		for _, h := range []http.Handler{p.Handler(), p.Twilio()} {
			r := httptest.NewRequest("GET", "http://127.0.0.1/sandbox/sms?phone="+url.QueryEscape(aigul), nil)
			r.RemoteAddr = "127.0.0.1:5000"
			change(r)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s: %d", name, w.Code)
			}
		}
	}
}
