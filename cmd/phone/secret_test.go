package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/sandbox"
)

// TestNothingSecretIsRecorded: what is typed reaches the service, the file only
// names it, and a replay types it again.
func TestNothingSecretIsRecorded(t *testing.T) {
	t.Parallel()
	var typed atomic.Value // all of the last session
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch {
		case r.URL.Path == "/sms/twilio":
			_, _ = io.WriteString(w, "<Response><Message>Код: 739154</Message></Response>")
		case r.PostForm.Get("status") == "":
			typed.Store(r.PostForm.Get("text"))
			_, _ = io.WriteString(w, "CON Код 739154?")
		}
	}))
	srv := inFront(t, app)
	o := options{
		App: srv.URL, From: "+996555000001", To: "1414", Record: filepath.Join(t.TempDir(), "conversation.txt"),
		Number: "20101198877665", Card: "ID7391548",
	}
	texting := o
	texting.SMS = true
	if err := run(t.Context(), texting, strings.NewReader("код\n"), io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, strings.NewReader("*1414#\n{secret}\n2010119 8877665\n{personal_number}\nID7391548\n1\n"), io.Discard); err != nil {
		t.Fatal(err)
	}
	if got, want := typed.Load(), "739154*2010119 8877665*20101198877665*ID7391548*1"; got != want {
		t.Errorf("typed was %v, want %q", got, want)
	}
	kept, err := os.ReadFile(o.Record)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"739154", "8877665", "ID7"} {
		if strings.Contains(string(kept), secret) {
			t.Errorf("%q is in the file:\n%s", secret, kept)
		}
	}
	again := o
	again.Record, again.Replay = "", o.Record
	if err := run(t.Context(), again, nil, io.Discard); err != nil {
		t.Error(err)
	}
	if got, want := typed.Load(), "739154*20101198877665*20101198877665*ID7391548*1"; got != want {
		t.Errorf("replayed was %v, want %q", got, want)
	}
}

// TestDialingAgainHangsUp: a code dialled in a session ends that one first.
func TestDialingAgainHangsUp(t *testing.T) {
	t.Parallel()
	var ended atomic.Int32
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.PostForm.Get("status") == "Incomplete" {
			ended.Add(1)
			return
		}
		_, _ = io.WriteString(w, "CON typed: "+r.PostForm.Get("text"))
	}))
	t.Cleanup(app.Close)
	p, err := sandbox.NewPhones(sandbox.PhonesConfig{BaseURL: func() string { return app.URL }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	srv := httptest.NewServer(p.Handler())
	t.Cleanup(srv.Close)
	var out strings.Builder
	o := options{App: srv.URL, From: "+996555000001"}
	if err := run(t.Context(), o, strings.NewReader("*1414#\n1\n*1414#\n2\n"), &out); err != nil {
		t.Fatal(err)
	}
	if ended.Load() != 1 || !strings.Contains(out.String(), "typed: 2\n") {
		t.Errorf("%d sessions were broken off:\n%s", ended.Load(), out.String())
	}
}
