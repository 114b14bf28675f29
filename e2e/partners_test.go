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

// TestPartnersGuide pastes the example of the partners' guide into a shell, as a wallet's
// engineer would.
func TestPartnersGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/guides/partners.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(guide), "<!-- osmp:begin -->\n```sh\n")
	example, _, ended := strings.Cut(rest, "```\n<!-- osmp:end -->")
	if !begun || !ended {
		t.Fatal("the guide has no example between its marks")
	}
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
