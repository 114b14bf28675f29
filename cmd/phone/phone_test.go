package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/dialog/transcript"
	"github.com/eshik-kg/eshik/sandbox"
)

// service is a sandbox in front of an application with two screens.
func service(t *testing.T, menu string) *httptest.Server {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		switch {
		case r.URL.Path == "/sms/twilio":
			_, _ = io.WriteString(w, "<Response><Message>"+menu+"</Message><Message>2</Message></Response>")
		case r.PostForm.Get("text") == "":
			_, _ = io.WriteString(w, "CON "+menu+"\n\n1 Айыптар")
		default:
			_, _ = io.WriteString(w, "END Рахмат")
		}
	}))
	return inFront(t, app)
}

// inFront is a sandbox in front of an application.
func inFront(t *testing.T, app *httptest.Server) *httptest.Server {
	t.Helper()
	t.Cleanup(app.Close)
	p, err := sandbox.NewPhones(sandbox.PhonesConfig{BaseURL: func() string { return app.URL }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	srv := httptest.NewServer(p.Handler())
	t.Cleanup(srv.Close)
	return srv
}

func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "conversation.txt")
	srv := service(t, "Кызматтар")
	o := options{App: srv.URL, From: "+996555000001", To: "1414", Record: file}
	var out bytes.Buffer
	if err := run(t.Context(), o, strings.NewReader("*1414#\n1\n"), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dial> ", "20/80 UCS-2", "6/80 UCS-2, end", "2 turns written"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the phone did not show %q:\n%s", want, out.String())
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "> *1414#\nКызматтар\n\n1 Айыптар\n\n> [Айыптар]\nРахмат\n"; string(kept) != want {
		t.Errorf("the conversation is\n%s\nwant\n%s", kept, want)
	}
	again := options{App: srv.URL, From: "+996555000001", Replay: file}
	if err := run(t.Context(), again, nil, io.Discard); err != nil {
		t.Errorf("replayed: %v", err)
	}
	again.App = service(t, "Башкача").URL
	if err := run(t.Context(), again, nil, io.Discard); !errors.Is(err, errDiffers) {
		t.Errorf("replayed on another service: %v", err)
	}
}

func TestTexting(t *testing.T) {
	t.Parallel()
	srv := service(t, "Services")
	var out bytes.Buffer
	o := options{App: srv.URL, From: "+996555000001", To: "1414", SMS: true, Record: filepath.Join(t.TempDir(), "conversation.txt")}
	if err := run(t.Context(), o, strings.NewReader("menu\n"), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "Services\n  [1 part(s) GSM-7]") {
		t.Errorf("the phone showed\n%s", out.String())
	}
	conversation, err := transcript.ReadFile(o.Record)
	if err != nil {
		t.Fatal(err)
	}
	if len(conversation) != 1 || len(conversation[0].Shown) != 2 || conversation[0].Shown[1] != "2" {
		t.Errorf("the conversation is %+v", conversation)
	}
}

// A phone that dials shows the messages that reach it meanwhile, and no older ones.
func TestDiallingShowsMessages(t *testing.T) {
	t.Parallel()
	srv := service(t, "Services")
	o := options{App: srv.URL, From: "+996555000001", To: "1414", SMS: true}
	if err := run(t.Context(), o, strings.NewReader("before\n"), io.Discard); err != nil {
		t.Fatal(err)
	}
	typed, keyboard := io.Pipe()
	screen := &paper{}
	ended := make(chan error, 1)
	go func() { ended <- run(t.Context(), options{App: srv.URL, From: "+996555000001"}, typed, screen) }()
	screen.until(t, "dial> ")
	if _, err := io.WriteString(keyboard, "*1414#\n"); err != nil {
		t.Fatal(err)
	}
	screen.until(t, "UCS-2]")
	if err := run(t.Context(), o, strings.NewReader("now\n"), io.Discard); err != nil {
		t.Fatal(err)
	}
	screen.until(t, "SMS: Services")
	screen.until(t, "SMS: 2")
	if err := errors.Join(keyboard.Close(), <-ended); err != nil {
		t.Errorf("run: %v", err)
	}
	if strings.Count(screen.String(), "SMS: ") != 2 {
		t.Errorf("older messages were shown:\n%s", screen)
	}
}

// paper keeps what is printed while it is read.
type paper struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// until waits until something was printed.
func (p *paper) until(t *testing.T, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(p.String(), want); time.Sleep(askEvery / 10) {
		if time.Now().After(end) {
			t.Fatalf("the phone did not show %q:\n%s", want, p)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	srv.Close()
	err := run(t.Context(), options{App: srv.URL}, strings.NewReader("*1414#\n"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "eshik serve") {
		t.Errorf("said %v", err)
	}
}

func TestDoubleDash(t *testing.T) {
	t.Parallel()
	got := strings.Join(doubleDash([]string{"-record", "a.txt", "-sms", "--from=+1", "-h"}), " ")
	if want := "--record a.txt --sms --from=+1 -h"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
