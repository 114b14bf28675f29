package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// estimated runs the command over a gateways' file and gives its lines, with the
// cells apart by one space.
func estimated(t *testing.T, file string) (lines []string, exit int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateways.toml")
	testworld.OK(t, os.WriteFile(path, []byte("[[ussd]]\nformat = \"plain\"\n"+file), 0o600))
	var out, complaints bytes.Buffer
	exit = run([]string{"sms", "estimate", "--gateways", path}, strings.NewReader(""), &out, &complaints)
	for line := range strings.Lines(out.String() + complaints.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines, exit
}

func TestEstimateCommand(t *testing.T) {
	t.Setenv("E2E_SECRET", "a-secret-of-enough-length")
	texts, err := locales.Load()
	testworld.OK(t, err)
	n := len(texts.Messages())
	parts := n + 1 // of one part each but identity.disputed_silent_sms, which says all of a cut at once
	lines, exit := estimated(t, `[[sms]]
provider = "twilio"
prices = {Beeline = 4.5, MegaCom = 4.5, "O!" = 0.05}
[[sms]]
provider = "africastalking"
price = 5.0
prices = {MegaCom = 0.9}
username = "eshik"
api_key_env = "E2E_SECRET"
secret_env = "E2E_SECRET"
`)
	all := "\n" + strings.Join(lines, "\n") + "\n"
	for _, want := range []string{
		"Beeline twilio 4.50", "MegaCom africastalking 0.90", "O! twilio 0.05", "Aktel africastalking 5.00", "other africastalking 5.00",
		"payment.refund_sms ky short UCS-2 65 1 4.50 0.90 0.05 5.00 5.00",
		"payment.refund_sms ky-Latn full GSM-7 140 1 4.50 0.90 0.05 5.00 5.00",
		fmt.Sprintf("ky-Latn %d %d 1 %.2f %.2f %.2f %[6]d.00 %[6]d.00", n, parts, 4.5*float64(parts), 0.9*float64(parts), 0.05*float64(parts), 5*parts),
	} {
		if !strings.Contains(all, "\n"+want+"\n") {
			t.Errorf("no line %q in%s", want, all)
		}
	}
	if exit != 0 {
		t.Errorf("exit code %d", exit)
	}
	lines, _ = estimated(t, "[[sms]]\nprovider = \"twilio\"\nprices = {MegaCom = 1.0}")
	if all = "\n" + strings.Join(lines, "\n") + "\n"; !strings.Contains(all, "\nother - -\n") || !strings.Contains(all, " - 1.00 - - -\n") {
		t.Errorf("operators that nobody serves:%s", all)
	}
	if lines, _ = estimated(t, ""); !strings.Contains(strings.Join(lines, "\n"), "There are no prices") {
		t.Errorf("without prices: %q", lines)
	}
	if lines, exit = estimated(t, "[[sms]]\nprovider = \"pigeon\""); exit != 2 || len(lines) == 0 {
		t.Errorf("a broken file gave %d and %q", exit, lines)
	}
}
