// Package e2e runs the built binary as a newcomer would and speaks to it as the
// gateways, the wallet and the apps do.
package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// binary is the built program, made once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	folder, err := os.MkdirTemp("", "eshik-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary = filepath.Join(folder, "eshik")
	out, err := exec.Command("go", "build", "-o", binary, "../cmd/eshik").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// The sandbox's fixed people.
const (
	aigul = "+996555000001"
	bakyt = "+996700000002"
	elena = "+996770000003"
)

// journal is what a process printed; it may be read while the process writes.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// String implements fmt.Stringer.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// door is a running server.
type door struct {
	t       *testing.T
	url     string
	admin   string
	data    string
	setup   []string // environment
	program string   // the binary that start runs
	process *exec.Cmd
	stderr  *journal
	client  *http.Client
	tokens  map[string]string // by phone; see token
}

// embedded opens a door without any setting: SQLite, sessions in the process.
func embedded(t *testing.T) *door { return open(t, nil) }

// full opens a door on PostgreSQL and Redis.
func full(t *testing.T) *door {
	redis := os.Getenv("ESHIK_TEST_REDIS")
	if redis == "" {
		t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
	}
	return open(t, []string{"ESHIK_DATABASE=" + storetest.NewPostgres(t), "ESHIK_REDIS=redis://" + redis + "/1"})
}

// each runs test on both kinds of door.
func each(t *testing.T, test func(t *testing.T, d *door)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, embedded(t)) })
	t.Run("full", func(t *testing.T) { t.Parallel(); test(t, full(t)) })
}

func open(t *testing.T, setup []string) *door {
	t.Helper()
	d := &door{t: t, data: t.TempDir(), setup: setup, program: binary, client: &http.Client{Timeout: 20 * time.Second}}
	d.start("127.0.0.1:0", "127.0.0.1:0")
	t.Cleanup(d.stop)
	return d
}

// start runs the server and reads from what it prints where it is.
func (d *door) start(listen, admin string) {
	d.t.Helper()
	d.stderr = &journal{}
	d.process = exec.Command(d.program, "serve", "--listen", listen, "--admin", admin, "--data", d.data)
	d.process.Env = append([]string{"PATH=" + os.Getenv("PATH")}, d.setup...)
	d.process.Stderr = d.stderr
	out, err := d.process.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for d.url == "" || d.admin == "" || !strings.Contains(lines.Text(), "short code") {
		if !lines.Scan() {
			d.t.Fatalf("the server did not open: %s", d.stderr)
		}
		fields := strings.Fields(lines.Text())
		if len(fields) == 2 && fields[0] == "phone" {
			d.url = strings.TrimSuffix(fields[1], "/phone")
		}
		if len(fields) == 2 && fields[0] == "health" {
			d.admin = strings.TrimSuffix(fields[1], "/readyz")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
}

// kill ends the server as a power cut would, and opens it again on its ports.
func (d *door) kill() {
	d.t.Helper()
	if err := d.process.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	_ = d.process.Wait() // "signal: killed"
	d.start(strings.TrimPrefix(d.url, "http://"), strings.TrimPrefix(d.admin, "http://"))
}

// stop ends the server politely; it must finish by itself.
func (d *door) stop() {
	if err := d.process.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Errorf("stop the server: %v", err)
	}
	if err := d.process.Wait(); err != nil {
		d.t.Errorf("the server ended with %v: %s", err, d.stderr)
	}
}

// post sends a form as a gateway does.
func (d *door) post(path string, form url.Values) string {
	d.t.Helper()
	response, err := d.client.PostForm(d.url+path, form)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %d %s %v", path, response.StatusCode, body, err)
	}
	return string(body)
}

// call is one USSD session; text grows as the gateway sends it.
type call struct {
	d     *door
	id    string
	phone string
	text  string
}

// sessions numbers them: a gateway never uses an id twice.
var sessions atomic.Int64

// dial starts a session at the main menu, whatever was left unfinished, and
// returns it with its first screen.
func (d *door) dial(phone string) (*call, string) {
	d.t.Helper()
	c, screen := d.ring(phone)
	if strings.Contains(screen, "\n0 ") { // the question whether to go on
		screen = c.say("", "0")
	}
	return c, screen
}

// ring starts a session and returns it with its first screen.
func (d *door) ring(phone string) (*call, string) {
	d.t.Helper()
	c := &call{d: d, id: fmt.Sprintf("ATUid_%d_%d", os.Getpid(), sessions.Add(1)), phone: phone}
	return c, c.send()
}

// send delivers the text as it stands: again, it is a gateway's retry.
func (c *call) send() string {
	c.d.t.Helper()
	screen := c.d.post("/ussd/africastalking", url.Values{
		"sessionId": {c.id}, "phoneNumber": {c.phone}, "networkCode": {"43705"}, "serviceCode": {"*1414#"}, "text": {c.text},
	})
	if !strings.HasPrefix(screen, "CON ") && !strings.HasPrefix(screen, "END ") {
		c.d.t.Fatalf("neither CON nor END: %q", screen)
	}
	return screen
}

// say types inputs one after another; the last screen must hold want.
func (c *call) say(want string, inputs ...string) string {
	c.d.t.Helper()
	screen := ""
	for _, input := range inputs {
		if c.text != "" {
			c.text += "*"
		}
		c.text += input
		screen = c.send()
	}
	if !strings.Contains(screen, want) {
		c.d.t.Fatalf("after %q: %q lacks %q", inputs, screen, want)
	}
	return screen
}

// choose picks the option whose label holds label, turning pages to find it.
func (c *call) choose(screen, label, want string) string {
	c.d.t.Helper()
	for range 20 {
		for line := range strings.SplitSeq(screen, "\n") {
			number, rest, _ := strings.Cut(line, " ")
			if len(number) == 1 && number >= "1" && number <= "8" && strings.Contains(rest, label) {
				return c.say(want, number)
			}
		}
		if !strings.Contains(screen, "\n9 ") {
			break
		}
		screen = c.say("", "9")
	}
	c.d.t.Fatalf("no option %q on %q", label, screen)
	return ""
}

// message is one SMS as the sandbox lists it.
type message struct {
	Text string `json:"text"`
	From string `json:"from"`
}

// inbox lists the messages that reached a phone, newest first.
func (d *door) inbox(phone string) []message {
	d.t.Helper()
	var messages []message
	d.json(http.MethodGet, "/sandbox/sms?phone="+url.QueryEscape(phone), "", nil, &messages)
	return messages
}

// patience is how long effects may take: a job that a killed process had begun
// is taken up again after about a minute.
const patience = 2 * time.Minute

// await waits for a message that holds want and returns it.
func (d *door) await(phone, want string) string {
	d.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, m := range d.inbox(phone) {
			if strings.Contains(m.Text, want) {
				return m.Text
			}
		}
	}
	d.t.Fatalf("no message with %q reached the phone; there are %+v; log: %s", want, d.inbox(phone), d.stderr)
	return ""
}

// text sends an SMS to the service and waits for an answer that holds want.
func (d *door) text(phone, words, want string) string {
	d.t.Helper()
	d.json(http.MethodPost, "/sandbox/sms", "", map[string]string{"from": phone, "to": "1414", "text": words}, nil)
	return d.await(phone, want)
}

// json makes a request and reads the answer into out; the status is returned.
func (d *door) json(method, path, token string, in, out any, headers ...string) int {
	d.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			d.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	data := d.read(response)
	if raw, ok := out.(*[]byte); ok {
		*raw = data
	} else if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			d.t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, data)
		}
	}
	return response.StatusCode
}

// read gives an answer's body and closes it.
func (d *door) read(response *http.Response) []byte {
	d.t.Helper()
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

// metrics are the operators' figures as they stand.
func (d *door) metrics() string { d.t.Helper(); return d.operators("/metrics") }

// operators is what the operators' listener answers.
func (d *door) operators(path string) string {
	d.t.Helper()
	response, err := d.client.Get(d.admin + path)
	if err != nil {
		d.t.Fatal(err)
	}
	body := d.read(response)
	if response.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %d %s", path, response.StatusCode, body)
	}
	return string(body)
}

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code reads the newest one-time code from a phone's messages.
func (d *door) code(phone string, before int) string {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if messages := d.inbox(phone); len(messages) > before {
			if code := sixDigits.FindString(messages[0].Text); code != "" {
				return code
			}
		}
	}
	d.t.Fatal("no one-time code reached the phone")
	return ""
}

// signIn gives a token of the REST interface.
func (d *door) signIn(phone string) string {
	d.t.Helper()
	before := len(d.inbox(phone))
	if status := d.json(http.MethodPost, "/v1/codes", "", map[string]string{"phone": phone}, nil); status != http.StatusAccepted {
		d.t.Fatalf("codes: %d", status)
	}
	var token struct {
		Access string `json:"access_token"`
	}
	in := map[string]string{"phone": phone, "code": d.code(phone, before)}
	if status := d.json(http.MethodPost, "/v1/tokens", "", in, &token); status != http.StatusOK {
		d.t.Fatalf("tokens: %d", status)
	}
	return token.Access
}

// paid is what the wallet answers.
type paid struct {
	State  string `json:"state"`
	Result int    `json:"result"`
}

// wallet pays a code as a user of the demo wallet.
func (d *door) wallet(code string) paid {
	d.t.Helper()
	var p paid
	d.json(http.MethodPost, "/sandbox/wallet/payments", "", map[string]string{"code": code}, &p)
	return p
}
