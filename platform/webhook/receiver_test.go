package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/eshik-kg/eshik/platform/webhook"
)

// receiver is a partner's server, which keeps what it gets.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []http.Header
	bodies []string
	answer func(w http.ResponseWriter, r *http.Request)
	silent bool // it answers no challenge
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body json.RawMessage
		_ = json.NewDecoder(request.Body).Decode(&body)
		if word := r.challenge(body); word != "" {
			_, _ = fmt.Fprintf(w, `{"challenge":%q}`, word)
			return
		}
		r.mu.Lock()
		r.got, r.bodies = append(r.got, request.Header), append(r.bodies, string(body))
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, request)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// challenge is the word of a challenge that is answered; such requests are not kept.
func (r *receiver) challenge(body []byte) string {
	var event struct {
		Type string
		Data struct{ Challenge string }
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if json.Unmarshal(body, &event) != nil || event.Type != "endpoint.verify" || r.silent {
		return ""
	}
	return event.Data.Challenge
}

// hook has a partner's events sent to a receiver, which proves its address.
func (w *world) hook(s *webhook.Service, partner string, r *receiver) webhook.Webhook {
	w.T.Helper()
	made, err := s.Set(w.T.Context(), partner, r.URL)
	w.OK(err)
	proved, err := s.Probe(w.T.Context(), partner)
	if err != nil || !proved.Proved || made.Proved && made.Secret != "" {
		w.T.Fatalf("set %+v, proved %+v, %v", made, proved, err)
	}
	return made
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = status >= http.StatusMultipleChoices
	r.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}
