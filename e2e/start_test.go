package e2e

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestMistakesOfStarting: each is told in clear lines, with exit code 2.
func TestMistakesOfStarting(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	file := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args, env []string
		want      []string
	}{
		"port in use": {args: []string{"--listen", busy.Addr().String()}, want: []string{"cannot listen on " + busy.Addr().String()}},
		"bad address": {args: []string{"--listen", "nowhere"}, want: []string{`"nowhere" is no address`}},
		"bad folder":  {args: []string{"--data", filepath.Join(file, "under")}, want: []string{"cannot make the data folder"}},
		"bad flag":    {args: []string{"--colour", "red"}, want: []string{"unknown flag --colour"}},
		"bad mode":    {env: []string{"ESHIK_MODE=demo"}, want: []string{"--mode"}},
		"bad key":     {env: []string{"ESHIK_MASTER_KEY=abc"}, want: []string{"ESHIK_MASTER_KEY"}},
		"no database": {env: []string{"ESHIK_DATABASE=mysql://x"}, want: []string{"starts with sqlite: or postgres://"}},
		"production": {env: []string{"ESHIK_MODE=production"}, want: []string{
			"SQLite", "ESHIK_REDIS", "ESHIK_MASTER_KEY", "https://", "ESHIK_USSD_SECRET", "ESHIK_TWILIO_SID", "ESHIK_XROAD_URL",
		}},
		"default secrets": {env: []string{
			"ESHIK_MODE=production", "ESHIK_TWILIO_SID=ACsandbox", "ESHIK_TWILIO_TOKEN=sandboxtoken",
			"ESHIK_MASTER_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		}, want: []string{"ESHIK_TWILIO_SID is missing or the sandbox's", "ESHIK_TWILIO_TOKEN is missing or the sandbox's", "repeated byte"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "--admin", "127.0.0.1:0", "--data", t.TempDir()}, c.args...)
			if len(c.args) == 0 || c.args[0] != "--listen" {
				args = append(args, "--listen", "127.0.0.1:0")
			}
			command := exec.CommandContext(t.Context(), binary, args...)
			command.Env = c.env
			out, err := command.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 2 {
				t.Fatalf("%v: %s", err, out)
			}
			for _, want := range c.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q lacks %q", out, want)
				}
			}
		})
	}
}

func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), binary, "--help").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "eshik serve") || !strings.Contains(string(out), "ESHIK_LISTEN") {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestOnlyOneMistakeNeedsOneLine: a mistake is one line, not a page of help.
func TestOnlyOneMistakeNeedsOneLine(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), binary, "serve", "--listen", "nowhere", "--data", t.TempDir())
	out, _ := command.CombinedOutput() // the code is tested above
	if n := strings.Count(string(out), "\n"); n != 1 {
		t.Fatalf("%d lines: %s", n, out)
	}
}
