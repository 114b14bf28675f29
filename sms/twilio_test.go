package sms_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// fakeTwilio answers one call with what the test says and shows what it got.
func fakeTwilio(t *testing.T, answer http.HandlerFunc) (*sms.Twilio, <-chan url.Values) {
	t.Helper()
	got := make(chan url.Values, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/2010-04-01/Accounts/AC1/Messages.json" || user != "AC1" || password != "token" {
			t.Errorf("called %s as %s", r.URL, user)
		}
		_ = r.ParseForm()
		got <- r.PostForm
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	sender, err := sms.NewTwilio(sms.TwilioConfig{
		AccountSID: "AC1", AuthToken: "token", From: "1414", BaseURL: server.URL,
		StatusURL: "https://eshik.example/sms/twilio/status", Timeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return sender, got
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

var letter = notify.MT{ID: "1", To: "+996555000001", Text: "код 482913"}

func TestTwilioSends(t *testing.T) {
	t.Parallel()
	sender, got := fakeTwilio(t, reply(201, `{"sid":"SM42","status":"queued"}`))
	id, err := sender.Send(t.Context(), letter)
	if err != nil || id != "SM42" {
		t.Fatalf("sent as %q, %v", id, err)
	}
	want := url.Values{
		"To": {letter.To}, "From": {"1414"}, "Body": {letter.Text},
		"StatusCallback": {"https://eshik.example/sms/twilio/status?message=1"},
	}
	if posted := <-got; posted.Encode() != want.Encode() {
		t.Errorf("posted %v", posted)
	}
}

// A code that is over reaches nobody: Twilio forgets it in time.
func TestTwilioForgetsWhatIsOver(t *testing.T) {
	t.Parallel()
	sender, got := fakeTwilio(t, reply(201, `{"sid":"SM42"}`))
	for left, bounds := range map[time.Duration][2]int{10 * time.Minute: {590, 600}, 24 * time.Hour: {36000, 36000}} {
		m := letter
		m.ExpiresAt = time.Now().Add(left)
		if _, err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		said := (<-got).Get("ValidityPeriod")
		if seconds, err := strconv.Atoi(said); err != nil || seconds < bounds[0] || seconds > bounds[1] {
			t.Errorf("with %s left it was told %q", left, said)
		}
	}
}

func TestTwilioFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		forGood bool
	}{
		"no such number":  {reply(400, `{"code":21211,"status":400,"message":"The 'To' number +996555000001 is not valid: код 482913"}`), true},
		"unsubscribed":    {reply(400, `{"code":21610,"status":400,"message":"unsubscribed"}`), true},
		"bad credentials": {reply(401, `{"code":20003,"status":401,"message":"Authenticate +996555000001"}`), false},
		"too fast":        {reply(429, `{"code":20429,"status":429,"message":"Too Many Requests"}`), false},
		"their fault":     {reply(503, `<html>+996555000001</html>`), false},
		"no id":           {reply(201, `{}`), false},
		"cut short":       {reply(201, `{"sid":"SM`), false},
		"a redirect":      {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, false},
		"no answer": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender, got := fakeTwilio(t, c.answer)
			ctx := t.Context()
			if name == "no answer" {
				soon, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
				defer cancel()
				ctx = soon
			}
			_, err := sender.Send(ctx, letter)
			if err == nil || errors.Is(err, notify.ErrRefused) != c.forGood {
				t.Fatalf("gave %v", err)
			}
			if strings.Contains(err.Error(), "996555") || strings.Contains(err.Error(), "482913") {
				t.Errorf("the error tells too much: %v", err)
			}
			if len(got) != 1 {
				t.Errorf("called %d times", len(got))
			}
		})
	}
}

// TestTwilioTookItAndHungUp: Twilio takes a message and reports on it, but the
// answer to our call is lost. The citizen gets one message, not two.
func TestTwilioTookItAndHungUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, false)
		twilio, got := fakeTwilio(t, func(_ http.ResponseWriter, r *http.Request) {
			callback := r.PostForm.Get("StatusCallback")
			form := url.Values{"MessageSid": {"SM42"}, "MessageStatus": {"sent"}, "To": {r.PostForm.Get("To")}}
			if status, body := w.post(strings.TrimPrefix(callback, publicURL), form, sign(callback, form)); status != http.StatusOK {
				t.Errorf("the report was answered %d %s", status, body)
			}
			panic(http.ErrAbortHandler)
		})
		router, err := sms.NewRouter(db, time.Now, sms.Route{Provider: twilio, Prices: map[string]int64{"": 90}})
		if err != nil {
			t.Fatal(err)
		}
		w.provider.next = router
		w.Work()
		w.text("SMin", "салам")
		kept := func() []notify.Stored {
			list, err := w.Outbox.List(t.Context(), aigul)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && (len(kept()) != 1 || kept()[0].State != notify.Sent); {
			time.Sleep(10 * time.Millisecond)
		}
		form := url.Values{"MessageSid": {"SM42"}, "MessageStatus": {"delivered"}, "To": {aigul}}
		path := "/sms/twilio/status?message=" + kept()[0].ID
		if status, _ := w.post(path, form, sign(publicURL+path, form)); status != http.StatusOK {
			t.Errorf("the second report was answered %d", status)
		}
		if m := kept()[0]; m.State != notify.Delivered || m.ProviderID != "SM42" || len(got) != 1 {
			t.Errorf("kept %+v after %d calls", m, len(got))
		}
	})
}

func TestTwilioSettings(t *testing.T) {
	t.Parallel()
	good := sms.TwilioConfig{AccountSID: "AC1", AuthToken: "token", From: "1414"}
	for _, spoil := range []func(c *sms.TwilioConfig){
		func(c *sms.TwilioConfig) { c.AccountSID = "" },
		func(c *sms.TwilioConfig) { c.AuthToken = "" },
		func(c *sms.TwilioConfig) { c.From = "" },
		func(c *sms.TwilioConfig) { c.BaseURL = "localhost" },
		func(c *sms.TwilioConfig) { c.BaseURL = "ftp://localhost" },
	} {
		bad := good
		spoil(&bad)
		if _, err := sms.NewTwilio(bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
