package flowcheck

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/app"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// canaries look like what is secret, and belong to nobody: a personal number, an
// ID-card, a one-time code, and what somebody may type instead.
var canaries = []string{"20101198877665", "ID7391548", "739154", "канарейка-сыр-сөз"}

// TestSecretsLeaveNoTrace types canaries at every prompt that declares something
// secret, over USSD and by SMS, in what gateways repeat, in requests that are
// refused, and where a node panics. None is in an answer, the log, the metrics, a
// column, or a key or value of Redis.
func TestSecretsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	prompts := sensitive(t)
	for name, setup := range map[string]func(*testing.T, *app.Config){
		"embedded": func(*testing.T, *app.Config) {},
		"full": func(t *testing.T, c *app.Config) {
			redis := os.Getenv("ESHIK_TEST_REDIS")
			if redis == "" {
				t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
			}
			c.Database, c.Redis = storetest.NewPostgres(t), "redis://"+redis+"/5"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := openNest(t, prompts, setup)
			n.overUSSD()
			n.bySMS()
			n.overREST()
			n.search()
		})
	}
}

// sensitive finds every node whose screen asks for something secret: a walk reaches
// all screens.
func sensitive(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	watch := func(next engineNext) engineNext {
		return func(ctx context.Context, c caller.Caller, st *dialog.State, in dialog.Input) (dialog.Reply, error) {
			reply, err := next(ctx, c, st, in)
			found[st.Node] = found[st.Node] || st.Ask.Sensitive()
			return reply, err
		}
	}
	c, err := crawlAll(t.Context(), channels[0], locales.KYLatn, planted{engine: watch})
	if err != nil || len(c.faults) > 0 {
		t.Fatalf("the walk failed: %v, %q", err, c.faults)
	}
	maps.DeleteFunc(found, func(_ string, secret bool) bool { return !secret })
	if len(found) < 3 {
		t.Fatalf("only %d screens ask for something secret", len(found))
	}
	return slices.Sorted(maps.Keys(found))
}

// nest is a running server with a menu of all secret prompts, and one that panics.
type nest struct {
	*testing.T
	config  *app.Config
	server  *app.Server
	prompts []string
	log     lockedLog
	answers strings.Builder
	secrets []string // of a citizen
	calls   int
}

const nestPanics = "nest.panics"

func openNest(t *testing.T, prompts []string, setup func(*testing.T, *app.Config)) *nest {
	t.Helper()
	n := &nest{T: t, prompts: append(slices.Clone(prompts), nestPanics)}
	n.config = &app.Config{
		Mode: "sandbox", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Data: t.TempDir(), ShortCode: "*1414#",
		XRoadClient: "central-server/GOV/70000099/eshik", StepTime: 3 * time.Second, ResumeWindow: 15 * time.Minute,
	}
	setup(t, n.config)
	menu := func(module.Env) (module.Module, error) {
		return module.Module{Name: "nest", Service: n, Flow: n.service()}, nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	opened, served := make(chan *app.Server, 1), make(chan error, 1)
	go func() {
		log := slog.New(slog.NewJSONHandler(&n.log, nil))
		served <- app.Serve(ctx, n.config, log, app.Added{Services: []module.Constructor{{Make: menu}}}, func(s *app.Server) { opened <- s })
	}()
	select {
	case n.server = <-opened:
	case err := <-served:
		cancel()
		t.Fatal("the server did not open:", err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *nest) service() dialog.Flow {
	ask := func(context.Context, *dialog.Turn) (dialog.Screen, error) {
		return dialog.Screen{Body: []dialog.Message{dialog.Say("fine.entry")}, Ask: dialog.AskSecret}, nil
	}
	panics := func(_ context.Context, _ *dialog.Turn, input string) (dialog.Next, error) { panic(input) }
	menu := func(context.Context, *dialog.Turn) (screen dialog.Screen, _ error) {
		for _, prompt := range n.prompts {
			screen.Options = append(screen.Options, dialog.Option{Label: dialog.Say("payment.pay"), Next: dialog.Call(prompt, "nest.menu")})
		}
		return screen, nil
	}
	return dialog.Flow{
		Name:     "nest",
		Entry:    dialog.Option{Label: dialog.Say("fine.more"), Next: dialog.Go("nest.menu")},
		Nodes:    []dialog.Node{{ID: "nest.menu", Show: menu}, {ID: nestPanics, Show: ask, Answer: panics}},
		Commands: []dialog.Command{{Words: []string{"уялар"}, Node: "nest.menu"}},
	}
}

// send makes a request and keeps the answer.
func (n *nest) send(method, path, kind, body string, headers ...string) (string, http.Header) {
	n.Helper()
	request, err := http.NewRequestWithContext(n.Context(), method, n.server.URL()+path, strings.NewReader(body))
	testworld.OK(n.T, err)
	request.Header.Set("Content-Type", kind)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	testworld.OK(n.T, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	testworld.OK(n.T, err)
	n.answers.WriteString(string(answer) + "\n")
	for _, values := range response.Header {
		n.answers.WriteString(strings.Join(values, "\n") + "\n")
	}
	return string(answer), response.Header
}

const formType = "application/x-www-form-urlencoded"

// dial types inputs in a session of its own and gives the last step shown.
func (n *nest) dial(phone string, inputs ...string) string {
	n.Helper()
	n.calls++
	form := url.Values{
		"sessionId": {"canary-" + strconv.Itoa(n.calls)}, "phoneNumber": {phone}, "networkCode": {"43705"}, "serviceCode": {"*1414#"},
	}
	step := ""
	for i := range len(inputs) + 1 {
		form.Set("text", strings.Join(inputs[:i], "*"))
		last, header := n.send(http.MethodPost, "/ussd/africastalking", formType, form.Encode())
		form.Set("lastAppResponse", last)
		step = header.Get("at-ussd-hop-metadata")
	}
	form.Set("status", "Incomplete")
	form.Set("input", form.Get("text"))
	form.Set("errorMessage", form.Get("text"))
	n.send(http.MethodPost, "/ussd/africastalking/end", formType, form.Encode())
	return step
}

// way leads from any first screen to a prompt: the nest is the menu's fourth line. No option has the
// number 9, which is for more of them.
func (*nest) way(prompt int) []string {
	number := prompt + 1
	if number >= 9 {
		number++
	}
	return []string{"00", "5", strconv.Itoa(number)}
}

// overUSSD types every canary at every prompt, and proves a citizen with what is
// really theirs, which must leave no trace either.
func (n *nest) overUSSD() {
	n.Helper()
	for i, prompt := range n.prompts {
		phone := "+99655500010" + strconv.Itoa(i)
		n.dial(phone, "1") // the language
		if step := n.dial(phone, n.way(i)...); !strings.Contains(step, prompt) {
			n.Fatalf("the way to %s leads to %s", prompt, step)
		}
		for _, canary := range canaries {
			n.dial(phone, append(n.way(i), canary)...)
			n.dial(phone, append(n.way(i), canary, "0", canary, canary)...)
			n.dial(phone, append(n.way(i), "мой код "+canary, "код: "+canary+" же "+canary)...)
			n.dial(phone, n.way(i)...)
			n.dial(phone, canary)            // where the conversation that broke off is offered again
			n.dial(phone, "код "+canary+".") // and in words
		}
	}
	who := visitors[0]
	n.dial(who.phone, "1", "2", "1")
	code := n.code(who.phone)
	if step := n.dial(who.phone, "00", "2", "1", code, who.pin, who.document); !strings.Contains(step, "certificate.kind") {
		n.Fatalf("the mother is not proved: %s", step)
	}
	n.secrets = append(n.secrets, code, who.pin, who.document)
}

// texts lists what reached a phone, newest first. It is the phone's own.
func (n *nest) texts(phone string) []string {
	n.Helper()
	request, err := http.NewRequestWithContext(n.Context(), http.MethodGet, n.server.URL()+"/sandbox/sms?phone="+url.QueryEscape(phone), nil)
	testworld.OK(n.T, err)
	response, err := http.DefaultClient.Do(request)
	testworld.OK(n.T, err)
	defer func() { _ = response.Body.Close() }()
	var messages []struct{ Text string }
	testworld.OK(n.T, json.NewDecoder(response.Body).Decode(&messages))
	texts := make([]string, len(messages))
	for i, m := range messages {
		texts[i] = m.Text
	}
	return texts
}

// code is the newest one-time code that reached a phone.
func (n *nest) code(phone string) string {
	n.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, text := range n.texts(phone) {
			if found := oneTime.FindString(text); found != "" {
				return found
			}
		}
	}
	n.Fatal("no one-time code reached " + phone)
	return ""
}

// text sends an SMS to us and waits for the answer.
func (n *nest) text(phone, body string) {
	n.Helper()
	n.calls++
	before := len(n.texts(phone))
	form := url.Values{"MessageSid": {"SMcanary" + strconv.Itoa(n.calls)}, "From": {phone}, "To": {"1414"}, "Body": {body}}
	n.send(http.MethodPost, "/sms/twilio", formType, form.Encode())
	for deadline := time.Now().Add(time.Minute); len(n.texts(phone)) == before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			n.Fatalf("no answer to %q; log: %s", body, n.log.text())
		}
	}
}

// bySMS does the same in texts.
func (n *nest) bySMS() {
	n.Helper()
	for i := range n.prompts {
		for j, canary := range canaries {
			// A phone each: one that texted them all this fast would be taken for a machine.
			phone := fmt.Sprintf("+9967000%02d%02d1", i, j)
			n.text(phone, "уялар")
			n.text(phone, "1")
			n.text(phone, strconv.Itoa(i+1))
			n.text(phone, canary)
			n.text(phone, "менин кодум "+canary)
			n.text(phone, "00")
			n.text(phone, "уялар")
		}
	}
}

// overREST sends canaries in requests of each kind that are refused.
func (n *nest) overREST() {
	n.Helper()
	const phone, kind = "+996555000199", "application/json"
	n.send(http.MethodPost, "/v1/codes", kind, `{"phone":"`+phone+`"}`)
	code := n.code(phone)
	var bearer string
	for _, typed := range append(slices.Clone(canaries), code) {
		answer, _ := n.send(http.MethodPost, "/v1/tokens", kind, `{"phone":"`+phone+`","code":"`+typed+`"}`)
		if _, rest, found := strings.Cut(answer, `"access_token":"`); found {
			bearer, _, _ = strings.Cut(rest, `"`)
		}
	}
	if bearer == "" {
		n.Fatal("no token")
	}
	for _, canary := range canaries {
		for _, body := range []string{
			`{"personal_number":"` + canary + `","document_number":"` + canary + `"}`, `{"personal_number":"` + canary + `"}`,
			`{"personal_number":["` + canary + `"],"document_number":1}`, `{"` + canary + `":1}`, `"` + canary + `"`, canary, `{"x":"` + canary,
		} {
			n.send(http.MethodPost, "/v1/proofs", kind, body, "Authorization", "Bearer "+bearer)
			n.send(http.MethodPost, "/v1/proofs", kind, body, "Authorization", "Bearer "+canary)
		}
		for _, path := range []string{"/ussd/africastalking", "/ussd/africastalking/end", "/sms/twilio", "/sms/twilio/status"} {
			n.send(http.MethodPost, path, formType, url.Values{"text": {canary}, "input": {canary}, "Body": {canary}}.Encode())
			n.send(http.MethodPost, path, kind, `{"text":"`+canary+`"}`)
		}
	}
}

// search looks for the secrets wherever something was kept or told.
func (n *nest) search() {
	n.Helper()
	places := map[string]string{
		"an answer": n.answers.String(), "the log": n.log.text(), "the database": storetest.Dump(n, storetest.Open(n, n.config.Database)),
		"the metrics": n.metrics(), "Redis": n.redis(),
	}
	for place, least := range map[string]int{"an answer": 10_000, "the log": 100, "the database": 10_000, "the metrics": 1000, "Redis": 0} {
		if len(places[place]) < least {
			n.Errorf("only %d characters are in %s: this test looks in the wrong place", len(places[place]), place)
		}
	}
	if n.config.Redis != "" && len(places["Redis"]) < 1000 {
		n.Error("Redis holds next to nothing")
	}
	if !strings.Contains(places["the log"], "panicked with a string at canary_test.go") {
		n.Error("the log does not tell of the panic")
	}
	for place, kept := range places {
		for _, secret := range append(n.secrets, canaries...) {
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret))[:len(secret)], url.QueryEscape(secret)} {
				if at := alone(kept, form); at >= 0 {
					n.Errorf("%s has %q: …%q…", place, form, kept[max(0, at-80):min(len(kept), at+len(form)+40)])
				}
			}
		}
	}
}

// alone finds what stands by itself: six digits in a longer number or id are no
// code.
func alone(text, what string) int {
	const digits = "0123456789abcdefABCDEF"
	for from := 0; ; {
		at := strings.Index(text[from:], what)
		if at < 0 {
			return -1
		}
		at += from
		from = at + len(what)
		begins := at == 0 || !strings.Contains(digits, text[at-1:at])
		if ends := from == len(text) || !strings.Contains(digits, text[from:from+1]); begins && ends || len(what) > 10 {
			return at
		}
	}
}

func (n *nest) metrics() string {
	n.Helper()
	request, err := http.NewRequestWithContext(n.Context(), http.MethodGet, n.server.Admin()+"/metrics", nil)
	testworld.OK(n.T, err)
	response, err := http.DefaultClient.Do(request)
	testworld.OK(n.T, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	testworld.OK(n.T, err)
	return string(text)
}

// redis is every key and value, as Redis would write them to a file.
func (n *nest) redis() string {
	n.Helper()
	if n.config.Redis == "" {
		return ""
	}
	options, err := redis.ParseURL(n.config.Redis)
	testworld.OK(n.T, err)
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	var out strings.Builder
	keys := client.Scan(n.Context(), 0, "*", 1000).Iterator()
	for keys.Next(n.Context()) {
		value, err := client.Dump(n.Context(), keys.Val()).Result()
		if err != nil && !errors.Is(err, redis.Nil) { // it ran out meanwhile
			n.Fatal(err)
		}
		out.WriteString(keys.Val() + "\n" + value + "\n")
	}
	testworld.OK(n.T, keys.Err())
	return out.String()
}

// lockedLog is a log that many write.
type lockedLog struct {
	mu  sync.Mutex
	all strings.Builder
}

// Write implements io.Writer.
func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lockedLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
