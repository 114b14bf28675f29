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
		"no label":    {env: []string{"ESHIK_MASTER_KEY=unix:/run/eshik-hsm/socket"}, want: []string{"ESHIK_MASTER_KEY", "#LABEL"}},
		"one label":   {env: []string{"ESHIK_MASTER_KEY=unix:/run/a#m", "ESHIK_MASTER_KEY_FORMER=unix:/run/b#m"}, want: []string{"one label"}},
		"no database": {env: []string{"ESHIK_DATABASE=mysql://x"}, want: []string{"starts with sqlite: or postgres://"}},
		"production": {env: []string{"ESHIK_MODE=production"}, want: []string{
			"SQLite", "ESHIK_REDIS", "ESHIK_MASTER_KEY", "https://", "ESHIK_USSD_SECRET", "ESHIK_TWILIO_SID", "ESHIK_XROAD_URL", "ESHIK_PASSPORT_SECRET",
		}},
		"default secrets": {env: []string{
			"ESHIK_MODE=production", "ESHIK_TWILIO_SID=ACsandbox", "ESHIK_TWILIO_TOKEN=sandboxtoken", "ESHIK_PASSPORT_CLIENT=eshik",
			"ESHIK_PASSPORT_SECRET=sandbox-passport",
			"ESHIK_MASTER_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		}, want: []string{"ESHIK_TWILIO_SID is missing or the sandbox's", "ESHIK_TWILIO_TOKEN is missing or the sandbox's", "ESHIK_PASSPORT_SECRET is missing or the sandbox's", "repeated byte"}},
		"no proxy":        {args: []string{"--trusted-proxies", "foo,10.0.0.0/24"}, want: []string{`--trusted-proxies: "foo" is neither`}},
		"half a network":  {args: []string{"--trusted-proxies", "10.0.0.0/99"}, want: []string{`"10.0.0.0/99" is neither`}},
		"no code":         {args: []string{"--short-code", "abc"}, want: []string{`--short-code: "abc" cannot be dialled`}},
		"code without #":  {args: []string{"--short-code", "*1414"}, want: []string{`"*1414" cannot be dialled`}},
		"code with **":    {args: []string{"--short-code", "*14**14#"}, want: []string{"cannot be dialled"}},
		"no number":       {args: []string{"--sms-number", "abc"}, want: []string{`--sms-number: "abc" cannot be texted`}},
		"a step of -3s":   {args: []string{"--step-time=-3s"}, want: []string{"--step-time: -3s"}},
		"a step of 0":     {args: []string{"--step-time=0s"}, want: []string{"--step-time: 0s"}},
		"too long a step": {args: []string{"--step-time=10s"}, want: []string{"before which every gateway gives up"}},
		"resume before":   {args: []string{"--resume-window=-1m"}, want: []string{"--resume-window: -1m0s"}},
		"port 99999":      {args: []string{"--listen", "127.0.0.1:99999"}, want: []string{`"127.0.0.1:99999" is no address`}},
		"no origin":       {args: []string{"--cors-origins", "app.example"}, want: []string{`"app.example" is no origin`}},
		"origin and path": {args: []string{"--cors-origins", "https://app.example/"}, want: []string{`"https://app.example/" is no origin`}},
		"origin of stars": {args: []string{"--cors-origins", "https://*.example"}, want: []string{"is no origin"}},
		"any and one":     {args: []string{"--cors-origins", "*,https://app.example"}, want: []string{"* stands alone"}},
		"quiet hours":     {args: []string{"--quiet-hours", "late"}, want: []string{"21:00-08:00, or none"}},
		"public URL":      {args: []string{"--public-url", "ftp://eshik.example"}, want: []string{"ESHIK_PUBLIC_URL must look like"}},
		"X-Road URL":      {args: []string{"--xroad-url", "nowhere"}, want: []string{"ESHIK_XROAD_URL must look like"}},
		"Redis":           {args: []string{"--redis", "nowhere"}, want: []string{"ESHIK_REDIS must look like"}},
		"in production too": {env: []string{"ESHIK_MODE=production", "ESHIK_SHORT_CODE=abc", "ESHIK_TRUSTED_PROXIES=foo", "ESHIK_STEP_TIME=-3s"}, want: []string{
			"cannot be dialled", "--trusted-proxies", "--step-time",
		}},
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

// TestHelpTeaches: each page shows what its command uses and nothing else.
func TestHelpTeaches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args        []string
		shows, lack string
	}{
		{nil, "eshik serve", "ESHIK_LISTEN"},
		{[]string{"--help"}, "eshik serve", "ESHIK_LISTEN"},
		{[]string{"help"}, "eshik help serve", "ESHIK_LISTEN"},
		{[]string{"help", "serve"}, "ESHIK_LISTEN", "--xroad-url-"},
		{[]string{"serve", "--help"}, "--xroad-url", "--x-road"},
		{[]string{"help", "fsck"}, "ESHIK_DATABASE", "ESHIK_LISTEN"},
		{[]string{"flows", "check", "--help"}, "ESHIK_GATEWAYS", "ESHIK_DATABASE"},
		{[]string{"version"}, "eshik ", "Usage"},
		{[]string{"--version"}, "eshik ", "Usage"},
	} {
		out, err := exec.CommandContext(t.Context(), binary, c.args...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.shows) || strings.Contains(string(out), c.lack) {
			t.Errorf("eshik %s: %v: %s", strings.Join(c.args, " "), err, out)
		}
	}
}

// TestOneServerPerDataFolder: a second server is told why, tools may look in, and a
// killed server leaves no lock behind.
func TestOneServerPerDataFolder(t *testing.T) {
	t.Parallel()
	first := embedded(t)
	again := func() string {
		command := exec.CommandContext(t.Context(), binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", first.data)
		out, err := command.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if said := again(); !strings.Contains(said, "another server works on the data folder "+first.data) {
		t.Errorf("said %q", said)
	}
	if out, err := exec.CommandContext(t.Context(), binary, "fsck", "--data", first.data).CombinedOutput(); err != nil {
		t.Errorf("fsck beside the server: %v: %s", err, out)
	}
	first.kill() // and opens it again, on the same folder
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
