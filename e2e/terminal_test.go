package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// terminal is a login of its own on the machine of the data folder.
type terminal struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func (d *door) terminal() *terminal {
	d.t.Helper()
	shell := exec.CommandContext(d.t.Context(), "sh")
	shell.Env, shell.SysProcAttr = d.setup, &syscall.SysProcAttr{Setsid: true}
	in, err := shell.StdinPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	shell.Stderr = shell.Stdout
	if err := shell.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _, _ = io.WriteString(in, "exit\n"); _ = shell.Wait() })
	return &terminal{d.t, in, bufio.NewReader(out)}
}

// run gives what a command of the officers' says there.
func (w *terminal) run(d *door, says string, args ...string) (out string) {
	w.t.Helper()
	quoted := []string{binary, "staff"}
	for _, a := range append(args, "--data", d.data) {
		quoted = append(quoted, "'"+a+"'")
	}
	const end = "that was all"
	if _, err := fmt.Fprintf(w.in, "printf '%s' | %s 2>&1; echo '%s'\n", says, strings.Join(quoted, " "), end); err != nil {
		w.t.Fatal(err)
	}
	for !strings.HasSuffix(out, end+"\n") {
		line, err := w.out.ReadString('\n')
		if err != nil {
			w.t.Fatalf("%v: %v\n%s", args, err, out)
		}
		out += line
	}
	return out
}

// signs has an account sign in there.
func (w *terminal) signs(d *door, name string) string {
	w.t.Helper()
	o := d.account(name)
	code, err := totp.GenerateCode(o.Secret, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return w.run(d, o.Password+`\n`+code+`\n`, "sign-in", name)
}

// TestOneTerminalIsOneOfficer: who signs in at another terminal does not go on in the name of the one
// who sits at this, so nobody approves there what they proposed themselves; nor does anybody sign in
// over somebody who is signed in.
func TestOneTerminalIsOneOfficer(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	says := func(out, want string) {
		t.Helper()
		if !strings.Contains(out, want) {
			t.Errorf("told %q, not %q", out, want)
		}
	}
	here, there := d.terminal(), d.terminal()
	says(here.signs(d, "operator"), "Signed in as operator (")
	out := here.run(d, "", "release-number", bakyt, "--reason", "case 5")
	says(out, "Proposed by operator: ")
	id := proposal.FindStringSubmatch(out)[1]
	says(there.signs(d, "inspector"), "Signed in as inspector (")
	says(here.run(d, "", "approve", id, "--reason", "case 5"), "Who proposes does not decide")
	says(here.signs(d, "administrator"), "operator is signed in here. Next: eshik staff sign-out")
	says(there.run(d, "", "approve", id, "--reason", "case 5"), "Approved by inspector. Released")
	says(here.run(d, "", "sign-out"), "Signed out.")
	says(here.run(d, "", "proposals", "--reason", "case 5"), "nobody is signed in")
	says(there.run(d, "", "proposals", "--reason", "case 5"), "Nothing waits")
	d.fsck()
}
