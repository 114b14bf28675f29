package sms_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

const callbackSecret = "a-secret-of-a-callback"

func africasTalking(t *testing.T, base string, deps sms.CallbackDeps) *sms.AfricasTalking {
	t.Helper()
	made, err := sms.NewAfricasTalking(sms.AfricasTalkingConfig{
		Username: "eshik", APIKey: "key", From: "1414", BaseURL: base, Secret: callbackSecret,
	}, deps)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestAfricasTalkingSend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		body   string
		id     string
		kind   error // nil: an error of unknown outcome, or none with an id
	}{
		"sent":        {201, `{"SMSMessageData":{"Message":"Sent to 1/1","Recipients":[{"statusCode":101,"number":"+996555000001","status":"Success","cost":"KES 0.8000","messageId":"ATPid_1"}]}}`, "ATPid_1", nil},
		"queued":      {201, `{"SMSMessageData":{"Recipients":[{"statusCode":102,"messageId":"ATPid_2"}]}}`, "ATPid_2", nil},
		"no number":   {201, `{"SMSMessageData":{"Recipients":[{"statusCode":403,"number":"+996555000001","status":"InvalidPhoneNumber"}]}}`, "", notify.ErrRefused},
		"no money":    {201, `{"SMSMessageData":{"Recipients":[{"statusCode":405,"status":"InsufficientBalance"}]}}`, "", notify.ErrUnavailable},
		"nobody":      {201, `{"SMSMessageData":{"Message":"InvalidSenderId","Recipients":[]}}`, "", sms.ErrNotTaken},
		"not allowed": {401, `The supplied authentication is invalid`, "", sms.ErrNotTaken},
		"broken":      {500, `to +996555000001`, "", nil},
		"rubbish":     {201, `<html>`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked url.Values
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = r.ParseForm()
				asked = r.PostForm
				asked.Set("path", r.URL.Path)
				asked.Set("key", r.Header.Get("apiKey"))
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			id, err := africasTalking(t, server.URL, called()).Send(t.Context(), notify.MT{ID: "m", To: aigul, Text: "Салам"})
			want := url.Values{"username": {"eshik"}, "to": {aigul}, "message": {"Салам"}, "from": {"1414"}, "path": {"/version1/messaging"}, "key": {"key"}}
			if asked.Encode() != want.Encode() {
				t.Errorf("asked with %v", asked)
			}
			if id != test.id || (err == nil) != (test.id != "") || (test.kind != nil && !errors.Is(err, test.kind)) ||
				(test.kind == nil && (errors.Is(err, sms.ErrNotTaken) || errors.Is(err, notify.ErrRefused))) {
				t.Errorf("%q, %v", id, err)
			}
			if err != nil && strings.Contains(err.Error(), "996555000001") {
				t.Errorf("the error tells the number: %v", err)
			}
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	unknown := httptest.NewTLSServer(http.NotFoundHandler())
	defer unknown.Close()
	for name, base := range map[string]string{"that is not there": server.URL, "whose certificate nobody knows": unknown.URL} {
		if _, err := africasTalking(t, base, called()).Send(t.Context(), notify.MT{To: aigul}); !errors.Is(err, sms.ErrNotTaken) {
			t.Errorf("a provider %s: %v", name, err)
		}
	}
}

func TestAfricasTalkingCallbacks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		heard := &reports{known: map[string]bool{"ATPid_1": true}, heard: make(chan string, 10)}
		var refused []string
		app := fiber.New(fiber.Config{DisableStartupMessage: true})
		africasTalking(t, "", sms.CallbackDeps{
			Deliveries: heard, Receiver: w.inbound, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Refused: func(reason string) { refused = append(refused, reason) },
		}).Register(app)
		post := func(path string, form url.Values) int {
			t.Helper()
			request := httptest.NewRequest(http.MethodPost, "/sms/africastalking/"+path, strings.NewReader(form.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			response, err := app.Test(request, -1)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode
		}
		message := url.Values{"id": {"in-1"}, "from": {aigul}, "to": {"1414"}, "text": {"КЕЗЕК"}, "date": {"2026-11-24 09:00:00"}}
		report := url.Values{"id": {"ATPid_1"}, "status": {"Success"}, "phoneNumber": {aigul}}
		for _, c := range []struct {
			path string
			form url.Values
			want int
		}{
			{callbackSecret, message, 200}, {callbackSecret, message, 200}, {callbackSecret, url.Values{"from": {aigul}}, 400},
			{callbackSecret, url.Values{"id": {"in-2"}, "from": {"Beeline"}}, 200}, {"another-secret-of-it", message, 403},
			{callbackSecret + "/report", report, 200}, {callbackSecret + "/report", url.Values{"id": {"unknown"}, "status": {"Failed"}}, 200},
			{callbackSecret + "/report", url.Values{"id": {"ATPid_1"}}, 400}, {"another-secret-of-it/report", report, 403},
			{callbackSecret, url.Values{"text": {strings.Repeat("a", 70<<10)}}, 413},
		} {
			if got := post(c.path, c.form); got != c.want {
				body, _ := json.Marshal(c.form)
				t.Errorf("%s %.200s: %d, want %d", c.path, body, got, c.want)
			}
		}
		if turns := w.heard(); len(turns) != 1 || turns[0].Text != "КЕЗЕК" {
			t.Errorf("heard %+v", turns)
		}
		if got := <-heard.heard; got != "africastalking ATPid_1 Success" || len(heard.heard) != 0 {
			t.Errorf("heard %q", got)
		}
		if got := strings.Join(refused, " "); got != "malformed sender secret orphan_receipt malformed secret too_large" {
			t.Errorf("counted %q", got)
		}
	})
}

// Their answer to a message is lost: their report names its phone, and the message is
// not sent again.
func TestAfricasTalkingReportOfALostAnswer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, true)
		var callbacks string
		api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			form := url.Values{"id": {"ATPid_9"}, "status": {"Success"}, "phoneNumber": {aigul}}
			go func() { // while the call breaks off
				if response, err := http.PostForm(callbacks+"/sms/africastalking/"+callbackSecret+"/report", form); err == nil {
					_ = response.Body.Close()
				}
			}()
			panic(http.ErrAbortHandler) // the connection breaks
		}))
		defer api.Close()
		provider := africasTalking(t, api.URL, sms.CallbackDeps{
			Deliveries: w.Outbox, Receiver: w.inbound, Now: time.Now, Log: slog.New(slog.DiscardHandler), Refused: w.refuse,
		})
		callbacks = serve(t, provider)
		w.sendBy(provider, 90)
		if kept := w.kept(notify.Delivered); kept.ProviderID != "ATPid_9" || kept.Cost != 90 || len(w.provider.Sent()) != 1 {
			t.Errorf("kept %+v after %d tries", kept, len(w.provider.Sent()))
		}
	})
}

func TestAfricasTalkingConfig(t *testing.T) {
	t.Parallel()
	for _, bad := range []sms.AfricasTalkingConfig{
		{}, {Username: "a", APIKey: "b", Secret: "short"}, {Username: "a", APIKey: "b", Secret: callbackSecret, BaseURL: "ftp://x"},
	} {
		if _, err := sms.NewAfricasTalking(bad, called()); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
