package sms_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/session"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/sms"
)

const (
	token     = "authtoken"
	publicURL = "https://eshik.example"
	aigul     = testworld.Aigul
	azat      = testworld.Bakyt // speaks Russian
)

// conversations answers with what it was told; broken is its error. A text that says so
// takes until held is closed, or panics.
type conversations struct {
	mu     sync.Mutex
	turns  []session.Turn
	broken error
	word   string // that the phones were told, and that acts until it is taken
	held   chan struct{}
}

func (f *conversations) Turn(_ context.Context, turn session.Turn) (session.Answer, error) {
	switch {
	case strings.HasPrefix(turn.Text, "slow"):
		<-f.held
	case turn.Text == "panic":
		panic("canary 11503198800011")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turns = append(f.turns, turn)
	if turn.Text == f.word {
		f.word = ""
	}
	if f.broken != nil {
		return session.Answer{}, f.broken
	}
	text := strings.TrimPrefix("you said "+turn.Text, "you said silence")
	return session.Answer{Text: text, Unclear: strings.HasPrefix(turn.Text, "эмне") || turn.Text == "77"}, nil
}

// Standing implements sms.Conversations.
func (f *conversations) Standing(_ context.Context, turn session.Turn, loc locales.Locale) (dialog.Standing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := dialog.Standing{Help: turn.Text == "ЖАРДАМ", Told: strings.HasPrefix(turn.Text, "БЛОК"), Acts: turn.Text == f.word}
	if f.word != "" {
		s.Open = string(loc) + " answer " + f.word
	}
	return s, f.broken
}

// Awaits implements sms.Conversations: what was said last is a question if it ends so.
func (f *conversations) Awaits(_ context.Context, turn session.Turn) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	last := ""
	for _, heard := range f.turns {
		if heard.Phone == turn.Phone {
			last = heard.Text
		}
	}
	return strings.HasSuffix(last, "?"), f.broken
}

func (f *conversations) heard() []session.Turn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.turns)
}

func (f *conversations) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = err
}

// provider keeps what the outbox, a real one, gives it.
type provider struct {
	testworld.Phones
	next notify.Sender // nil: the message is taken
}

func (p *provider) Send(ctx context.Context, m notify.MT) (notify.Submission, error) {
	taken, err := p.Phones.Send(ctx, m)
	if p.next != nil {
		return p.next.Send(ctx, m)
	}
	taken.Provider, taken.ID = "twilio", "SMout"+m.ID
	return taken, err
}

type sentences struct{}

func (sentences) Message(loc locales.Locale, key string, args ...any) (full, short string) {
	said := fmt.Sprint(append([]any{string(loc) + " " + key}, args...)...)
	return said, said
}

// languages knows one phone's.
type languages struct{}

func (languages) Locale(_ context.Context, phone string) (locales.Locale, error) {
	if phone == aigul {
		return "", nil
	}
	return locales.RU, nil
}

// stops is the list of phones that want no notices, with every change of it.
type stops struct {
	mu      sync.Mutex
	changes []string
}

func (s *stops) Stop(_ context.Context, _ *store.Tx, phone string) error {
	return s.change("stop " + phone)
}

func (s *stops) Start(_ context.Context, _ *store.Tx, phone string) error {
	return s.change("start " + phone)
}

func (s *stops) change(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, what)
	return nil
}

// world is what takes texts in, with the outbox that answers them.
type world struct {
	*testworld.World
	*conversations
	*provider
	*stops
	inbound *sms.Inbound
	url     string

	mu      sync.Mutex
	refused []string
	left    map[string]int // texts without an answer, by provider and reason
	n       int            // of the text that was written last
}

func newWorld(t *testing.T, db *store.DB, allowLoopback bool) *world {
	t.Helper()
	w := &world{conversations: &conversations{held: make(chan struct{})}, provider: &provider{}, stops: &stops{}}
	w.World = testworld.New(t, db, testworld.Setup{Start: time.Now(), Provider: w.provider})
	w.restart()
	callbacks, err := sms.NewTwilioCallbacks(
		sms.TwilioCallbacksConfig{AuthToken: token, PublicURL: publicURL, AllowLoopback: allowLoopback},
		sms.CallbackDeps{Deliveries: w.Outbox, Receiver: current{w}, Now: w.Now, Refused: w.refuse, Log: w.Log})
	w.OK(err)
	w.url = serve(t, callbacks)
	return w
}

// restart has texts taken by a process that begins.
func (w *world) restart() {
	w.T.Helper()
	var err error
	w.inbound, err = sms.NewInbound(w.deps())
	w.OK(err)
}

// deps are what texts are taken with.
func (w *world) deps() sms.InboundDeps {
	return sms.InboundDeps{
		DB: w.DB, Conversations: w.conversations, Outbox: w.Outbox, Stops: w.stops, Sealer: w.Sealer,
		Texts: sentences{}, Languages: languages{}, ShortCode: "*1414#", Now: w.Now, Log: w.Log,
		Limiter: limit.NewMemory(w.Now), Unanswered: func(provider, reason string) { w.leave(provider + " " + reason) },
	}
}

// current is the process that takes texts now.
type current struct{ w *world }

func (c current) Take(ctx context.Context, mo sms.MO) error {
	return c.w.inbound.Take(ctx, mo)
}

func (c current) Acknowledged(ctx context.Context, provider, id string) error {
	return c.w.inbound.Acknowledged(ctx, provider, id)
}

func serve(t *testing.T, handlers ...interface{ Register(r fiber.Router) }) string {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	for _, h := range handlers {
		h.Register(app)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		_ = app.Shutdown()
		_ = listener.Close() // which Shutdown leaves where nothing was served yet
		<-served
	})
	return "http://" + listener.Addr().String()
}

func (w *world) refuse(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused = append(w.refused, reason)
}

func (w *world) leave(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == nil {
		w.left = map[string]int{}
	}
	w.left[what]++
}

// unanswered is how many texts of a provider had no answer, for a reason.
func (w *world) unanswered(what string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left[what]
}

func (w *world) counted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.refused)
}

// sign is Twilio's signature, written from its documentation ("Security",
// "Validating requests").
func sign(address string, form url.Values) string {
	keys := make([]string, 0, len(form))
	for key := range form {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		address += key + form.Get(key)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(address))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (w *world) post(path string, form url.Values, signature string) (int, string) {
	w.T.Helper()
	req, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if signature != "" {
		req.Header.Set("X-Twilio-Signature", signature)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.T.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.T.Fatal(err)
	}
	w.rest()
	return resp.StatusCode, string(body)
}

// rest waits until what was taken is worked on.
func (w *world) rest() {
	if err := w.inbound.Wait(context.Background()); err != nil {
		w.T.Error(err)
	}
}

func inbound(id, text string) url.Values {
	return url.Values{"MessageSid": {id}, "From": {aigul}, "To": {"1414"}, "Body": {text}, "NumSegments": {"1"}}
}

// text posts a signed message and expects the empty answer.
func (w *world) text(id, text string) {
	w.T.Helper()
	form := inbound(id, text)
	status, body := w.post("/sms/twilio", form, sign(publicURL+"/sms/twilio", form))
	if status != http.StatusOK || !strings.HasSuffix(body, "<Response/>") {
		w.T.Errorf("%s was answered %d %q", id, status, body)
	}
}

// sends waits until the provider has got just these texts.
func (w *world) sends(want ...string) {
	w.T.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		var got []string
		for _, m := range w.provider.Sent() {
			got = append(got, m.Text)
			if m.To != aigul && m.To != azat {
				w.T.Errorf("sent to %s", m.To)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) || len(got) > len(want) {
			w.T.Fatalf("sent %q, want %q", got, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
