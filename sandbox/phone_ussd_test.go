package sandbox

import (
	"encoding/json"
	"net/url"
	"sync"
	"testing"
	"time"
)

func TestUSSDConversation(t *testing.T) {
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
	if s.End || s.Units != 25 || s.Septets != 0 || s.Encoding != "UCS-2" || s.Limit != 80 || s.Deliveries != 1 {
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
