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
	"strings"
	"sync"
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
	t        *testing.T
	url      string
	admin    string
	data     string
	setup    []string // environment
	program  string   // the binary that start runs
	process  *exec.Cmd
	stderr   *journal
	client   *http.Client
	tokens   map[string]string // by phone; see token
	texted   map[string]*texts // by phone; see readsFirst
	officers map[string]string // sessions of staff by account; see sits
	desk     string            // the file of the session of this terminal, once somebody signed in
	shown    string            // the offer that an app was shown last; see answer
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
	hold(d.t, request, response, data)
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
