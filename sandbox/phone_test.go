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
	testToken = "sandbox-token"
)

func newPhones(t *testing.T, a *app, change func(*PhonesConfig)) (*Phones, *httptest.Server) {
	t.Helper()
	cfg := PhonesConfig{
		BaseURL: func() string { return a.URL }, PublicURL: func() string { return "https://eshik.example" },
		TwilioSID: testSID, TwilioToken: testToken, TwilioNumber: "1414",
		PartnerID: "demo-wallet", PartnerSecret: func() string { return "s3cret" },
		WalletPause: time.Millisecond, Now: time.Now,
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

func TestUSSDTalk(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(p post) (int, string) {
		if p.form.Get("text") == "2*1*Бишкек*ул" {
			return 200, "END Рахмат"
		}
		return 200, "CON Тилди тандаңыз\n1 Кыргызча"
	})
	_, srv := newPhones(t, a, nil)

	var s ussdScreen
	if status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"phone":"`+aigul+`","dial":"*1414*2*1#"}`, &s); status != 200 {
		t.Fatalf("status %d", status)
	}
	if s.End || s.Units != 29 || s.Septets != 0 || s.Encoding != "UCS-2" || s.Limit != 80 || s.Deliveries != 1 {
		t.Errorf("first screen %+v", s)
	}
	call(t, "POST", srv.URL+"/sandbox/ussd", `{"session":"`+s.Session+`","input":"Бишкек*ул"}`, &s)
	if !s.End || s.Text != "Рахмат" {
		t.Errorf("last screen %+v", s)
	}
	first := a.heard("/ussd/africastalking")[0].form
	want := url.Values{"sessionId": {s.Session}, "phoneNumber": {aigul}, "networkCode": {"43705"}, "serviceCode": {"*1414#"}, "text": {"2*1"}}
	if first.Encode() != want.Encode() {
		t.Errorf("posted %v, want %v", first, want)
	}
	end := a.heard("/ussd/africastalking/end")
	if len(end) != 1 || end[0].form.Get("status") != "Success" || end[0].form.Get("input") != "2*1*Бишкек*ул" || end[0].form.Get("hopsCount") != "2" {
		t.Errorf("end notices %v", end)
	}
	var no refusal
	if status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"session":"`+s.Session+`","input":"1"}`, &no); status != 410 || no.Code != "no_session" {
		t.Errorf("after the end: %d %+v", status, no)
	}
}

func TestUSSDKnobs(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	turns := 0
	a := newApp(t, func(p post) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		turns++
		switch p.form.Get("text") {
		case "bad":
			return 200, "hello"
		case "down":
			return 500, ""
		}
		return 200, "CON menu"
	})
	_, srv := newPhones(t, a, nil)
	dial := func(knob string) (int, ussdScreen, refusal) {
		var raw json.RawMessage
		status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"phone":"`+aigul+`","dial":"*1414#"`+knob+`}`, &raw)
		var s ussdScreen
		var no refusal
		_ = json.Unmarshal(raw, &s)
		_ = json.Unmarshal(raw, &no)
		return status, s, no
	}

	_, s, _ := dial(`,"drop_answer":true`)
	posts := a.heard("/ussd/africastalking")
	if s.Text != "menu" || s.Deliveries != 2 || len(posts) != 2 || posts[0].form.Encode() != posts[1].form.Encode() {
		t.Errorf("a dropped answer: %+v, posts %v", s, posts)
	}
	if status, _, no := dial(`,"drop_session":true`); status != 504 || no.Code != "dropped" {
		t.Errorf("a dropped session: %d %+v", status, no)
	}
	began := time.Now()
	if status, _, _ := dial(`,"delay_ms":80`); status != 200 || time.Since(began) < 80*time.Millisecond {
		t.Errorf("a delay: %d after %v", status, time.Since(began))
	}
	for input, code := range map[string]string{"bad": "app_answer", "down": "app_answer"} {
		_, s, _ := dial("")
		var no refusal
		if status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"session":"`+s.Session+`","input":"`+input+`"}`, &no); status != 502 || no.Code != code {
			t.Errorf("%s: %d %+v", input, status, no)
		}
	}
	_, s, _ = dial("")
	call(t, "POST", srv.URL+"/sandbox/ussd", `{"session":"`+s.Session+`","cancel":true}`, &s)
	ends := a.heard("/ussd/africastalking/end")
	if last := ends[len(ends)-1].form; last.Get("status") != "Incomplete" || !s.End {
		t.Errorf("cancelled: %v", last)
	}
	var no refusal
	if status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"phone":"`+aigul+`","dial":"*100#"}`, &no); status != 404 || no.Code != "unknown_code" {
		t.Errorf("another code: %d %+v", status, no)
	}
}

func TestUSSDSessionExpires(t *testing.T) {
	t.Parallel()
	a := newApp(t, func(post) (int, string) { return 200, "CON menu" })
	var mu sync.Mutex
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	_, srv := newPhones(t, a, func(c *PhonesConfig) { c.Now = clock })
	var s ussdScreen
	call(t, "POST", srv.URL+"/sandbox/ussd", `{"phone":"`+aigul+`","dial":"*1414#"}`, &s)
	mu.Lock()
	now = now.Add(sessionLasts + time.Second)
	mu.Unlock()
	var no refusal
	if status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"session":"`+s.Session+`","input":"1"}`, &no); status != 410 {
		t.Errorf("status %d", status)
	}
	if ends := a.heard("/ussd/africastalking/end"); len(ends) != 1 || ends[0].form.Get("status") != "Incomplete" {
		t.Errorf("end notices %v", ends)
	}
}

func TestUSSDApplicationDown(t *testing.T) {
	t.Parallel()
	a := newApp(t, nil)
	_, srv := newPhones(t, a, nil)
	a.Close()
	var no refusal
	if status := call(t, "POST", srv.URL+"/sandbox/ussd", `{"phone":"`+aigul+`","dial":"*1414#"}`, &no); status != 504 || no.Code != "app_unreachable" {
		t.Errorf("%d %+v", status, no)
	}
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

// The vectors are PROTOCOLS.md's, section 4.
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
