package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// signer is eshik-hsm beside a door, with a token of SoftHSM.
type signer struct {
	t       *testing.T
	program string
	socket  string
	setup   []string
	process *exec.Cmd
	said    *journal
}

// newSigner builds the program and makes a token with the key "master".
func newSigner(t *testing.T) *signer {
	t.Helper()
	library := os.Getenv("ESHIK_TEST_SOFTHSM")
	if library == "" {
		t.Fatal("ESHIK_TEST_SOFTHSM is not set: run the tests with `make test`")
	}
	folder, err := os.MkdirTemp("", "hsm") //nolint:usetesting // short, as it is in the address of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &signer{t: t, program: filepath.Join(folder, "eshik-hsm"), socket: filepath.Join(folder, "socket")}
	s.build(s.program, "1")
	for name, text := range map[string]string{"softhsm2.conf": "directories.tokendir = " + folder + "\n", "pin": "73914628\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.setup = []string{
		"PATH=" + os.Getenv("PATH"), "SOFTHSM2_CONF=" + filepath.Join(folder, "softhsm2.conf"), "ESHIK_HSM_MODULE=" + library,
		"ESHIK_HSM_TOKEN=eshik", "ESHIK_HSM_PIN=file:" + filepath.Join(folder, "pin"), "ESHIK_HSM_SOCKET=" + s.socket, "ESHIK_HSM_KEYS=master",
	}
	made := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "eshik", "--pin", "73914628", "--so-pin", "141414")
	made.Env = s.setup
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, code := s.run("make", "master"); code != 0 || !strings.HasPrefix(out, "Made: the key master ") {
		t.Fatalf("%d: %s", code, out)
	}
	return s
}

func (s *signer) build(to, cgo string) {
	s.t.Helper()
	build := exec.Command("go", "build", "-o", to, "../cmd/hsm")
	build.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("build: %v\n%s", err, out)
	}
}

// run runs a command that ends by itself, with more settings than its own as name=value.
func (s *signer) run(arguments ...string) (out string, code int) {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), s.program)
	command.Env = s.setup
	for _, argument := range arguments {
		if strings.Contains(argument, "=") {
			command.Env = append(command.Env, argument)
		} else {
			command.Args = append(command.Args, argument)
		}
	}
	text, _ := command.CombinedOutput() // the code says it
	return string(text), command.ProcessState.ExitCode()
}

// start starts it and waits until it answers.
func (s *signer) start() {
	s.t.Helper()
	s.said = &journal{}
	s.process = exec.Command(s.program, "serve")
	s.process.Env, s.process.Stderr = s.setup, s.said
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	process := s.process
	s.t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	for until := time.Now().Add(20 * time.Second); !strings.Contains(s.said.String(), "listening"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			s.t.Fatalf("it does not listen: %s", s.said)
		}
	}
}

// kill ends it as a power cut would: its socket stays behind.
func (s *signer) kill() {
	s.t.Helper()
	if err := s.process.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.process.Wait() // "signal: killed"
}

// TestMasterKeyInAModule: a database whose keys a file wraps is moved under a key in a security
// module as the guide says, goes on there, and is moved back. While the program that holds the
// module is gone, a server that runs goes on, one that starts does not and says what is missing,
// and starts when it is there again.
func TestMasterKeyInAModule(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	s.start()
	each(t, func(t *testing.T, d *door) {
		in := d.signInOn(elena)
		setup, key, file := d.setup, "unix:"+s.socket+"#master", "file:"+d.data+"/master.key"
		restart := func(with ...string) {
			t.Helper()
			d.stop()
			d.setup = append(append([]string{}, setup...), with...)
			d.start(strings.TrimPrefix(d.url, "http://"), strings.TrimPrefix(d.admin, "http://"))
		}
		move := func(to, from string) {
			t.Helper()
			restart("ESHIK_MASTER_KEY="+to, "ESHIK_MASTER_KEY_FORMER="+from)
			if out, err := d.as("administrator", "", "keys", "rotate", "master"); err != nil || !strings.HasPrefix(out, "Rewrapped: ") {
				t.Fatalf("rotated: %v\n%s", err, out)
			}
			restart("ESHIK_MASTER_KEY=" + to)
			if status := d.json(http.MethodGet, "/v1/sign-ins", in.Access, nil, nil); status != http.StatusOK {
				t.Errorf("a request under %s: %d", to, status)
			}
			d.fsck()
		}
		move(key, file)
		d.kill()
		if out, err := d.as("administrator", "", "keys", "rotate", "data"); err != nil || !strings.HasPrefix(out, "Made: data key 2 ") {
			t.Fatalf("a key made under the module's: %v\n%s", err, out)
		}
		d.sealedAnew(in.Access)
		if out, err := d.run("keys", "list"); err != nil || strings.Count(out, "hsm:master") != 2 {
			t.Errorf("the list: %v\n%s", err, out)
		}
		move(file, key)
		if out, err := d.run("keys", "list"); err != nil || strings.Contains(out, "hsm:") {
			t.Errorf("the list after the way back: %v\n%s", err, out)
		}
	})
}

// TestTheModuleIsGone: a database that was begun under a key in a module.
func TestTheModuleIsGone(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	s.start()
	d := open(t, []string{"ESHIK_MASTER_KEY=unix:" + s.socket + "#master"})
	in := d.signInOn(elena)
	works := func(when string) {
		t.Helper()
		if status := d.json(http.MethodGet, "/v1/sign-ins", in.Access, nil, nil); status != http.StatusOK {
			t.Errorf("%s: %d", when, status)
		}
	}
	starts := func() (string, int) {
		t.Helper()
		command := exec.CommandContext(t.Context(), binary, "keys", "list", "--data", d.data)
		command.Env = d.setup
		out, _ := command.CombinedOutput()
		return string(out), command.ProcessState.ExitCode()
	}
	if info, err := os.Stat(s.socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}
	d.kill()
	works("after a restart")
	s.kill()
	works("without the module")
	if out, code := starts(); code == 0 || !strings.Contains(out, "the master key hsm:master cannot be asked: eshik-hsm at "+s.socket) || strings.Contains(out, "backup") {
		t.Errorf("started without the module: %d\n%s", code, out)
	}
	if out, code := s.run("serve", "ESHIK_HSM_KEYS=other"); code != 2 || !strings.Contains(out, "eshik-hsm make other") {
		t.Errorf("a key that is not there: %d\n%s", code, out)
	}
	if out, code := s.run("serve", "ESHIK_HSM_PIN=4141"); code != 2 || !strings.Contains(out, "does not take the PIN") || strings.Contains(out, "4141") {
		t.Errorf("a wrong PIN: %d\n%s", code, out)
	}
	if out, code := s.run("serve", "ESHIK_HSM_TOKEN=another"); code != 1 || !strings.Contains(out, `no token has the label "another"`) {
		t.Errorf("a token that may come: %d\n%s", code, out)
	}
	s.start() // over the socket that the killed one left
	works("with the module again")
	d.kill()
	works("started with the module again")
	d.fsck()
	if out, code := s.run("serve"); code != 2 || !strings.Contains(out, "another program answers") {
		t.Errorf("two at one socket: %d\n%s", code, out)
	}
	for _, secret := range []string{"73914628", in.Access} {
		if strings.Contains(s.said.String(), secret) {
			t.Errorf("the program's log holds a secret: %s", s.said)
		}
	}
	if !strings.Contains(s.said.String(), `"msg":"a key was used"`) {
		t.Errorf("the use of a key is not in the log: %s", s.said)
	}
}

// TestTheModuleInProduction: with such a master key production starts.
func TestTheModuleInProduction(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	s.start()
	d := production(t, "ESHIK_MASTER_KEY=unix:"+s.socket+"#master")
	response, err := d.client.Get(d.url + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	if body := d.read(response); response.StatusCode != http.StatusOK {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

// TestTheModuleHangs: a program that takes the question and never answers keeps nobody
// waiting for longer than seconds.
func TestTheModuleHangs(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "hsm") //nolint:usetesting // short, as it is in the address of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "s")
	at, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = at.Close() })
	command := exec.CommandContext(t.Context(), binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", t.TempDir())
	command.Env = []string{"PATH=" + os.Getenv("PATH"), fmt.Sprintf("ESHIK_MASTER_KEY=unix:%s#master", socket)}
	out, err := command.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("no whole answer within 3s")) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestBuiltWithoutC: the program that was built without C says so, and how it is built.
func TestBuiltWithoutC(t *testing.T) {
	t.Parallel()
	s := &signer{t: t, program: filepath.Join(t.TempDir(), "eshik-hsm"), setup: []string{
		"ESHIK_HSM_MODULE=/x", "ESHIK_HSM_TOKEN=eshik", "ESHIK_HSM_PIN=1414", "ESHIK_HSM_KEYS=master",
	}}
	s.build(s.program, "0")
	if out, code := s.run("serve"); code != 2 || !strings.Contains(out, "built without C") || !strings.Contains(out, "make hsm") {
		t.Errorf("%d: %s", code, out)
	}
}
