package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ofGuide is an example of the partners' guide, by its marks.
func ofGuide(t *testing.T, name string) string {
	t.Helper()
	guide, err := os.ReadFile("../docs/guides/partners.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(guide), "<!-- "+name+":begin -->\n```sh\n")
	example, _, ended := strings.Cut(rest, "```\n<!-- "+name+":end -->")
	if !begun || !ended {
		t.Fatalf("the guide has no example %q between its marks", name)
	}
	return example
}

// TestPartnersGuide pastes the example of the partners' guide into a shell, as a wallet's
// engineer would.
func TestPartnersGuide(t *testing.T) {
	t.Parallel()
	example := ofGuide(t, "osmp")
	d := embedded(t)
	_, code := d.quoted(elena, "7900000000003")
	secret, err := os.ReadFile(filepath.Join(d.data, "sandbox", "wallet.secret"))
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", example)
	shell.Env = append(os.Environ(), "URL="+d.url, "WALLET="+strings.TrimSpace(string(secret)), "CODE="+code)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	results := regexp.MustCompile(`<result>(\d+)</result>`).FindAllStringSubmatch(string(out), -1)
	var got []string
	for _, r := range results {
		got = append(got, r[1])
	}
	if !slices.Equal(got, []string{"0", "0", "0", "79"}) {
		t.Errorf("the results are %v: %s", got, out)
	}
	ours := regexp.MustCompile(`<prv_txn>(\d{18})</prv_txn>`).FindAllStringSubmatch(string(out), -1)
	if len(ours) < 2 || ours[0][1] != ours[1][1] {
		t.Errorf("the repeated payment has another number: %s", out)
	}
}

// TestPartnersGuideOverREST pastes the examples for REST: by code, and by plate.
func TestPartnersGuideOverREST(t *testing.T) {
	t.Parallel()
	example := ofGuide(t, "rest") + ofGuide(t, "plate")
	d := embedded(t)
	_, code := d.quoted(elena, "7900000000003")
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", example)
	shell.Env = append(os.Environ(), "URL="+d.url, "CLIENT="+d.clientSecret(), "CODE="+code)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	answers := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(answers) != 8 || !strings.Contains(answers[0], `"amount":100000`) || !strings.Contains(answers[4], `"count":1`) {
		t.Fatalf("the answers are %s", out)
	}
	if !strings.Contains(answers[5], `"none"`) || !strings.Contains(answers[5], `"unknown"`) || !strings.Contains(answers[6], `"state":"open"`) || !strings.Contains(answers[7], `"state":"accepted"`) {
		t.Errorf("by plate: %s", out)
	}
	for _, answer := range answers[1:5] {
		if !strings.Contains(answer, `"txn_id":"20261128003"`) || strings.Contains(answer, "problem.") {
			t.Errorf("a payment is answered with %s", answer)
		}
	}
}
