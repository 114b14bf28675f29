package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeWalk pastes the README's walk over REST into a shell, as a newcomer
// would, and finds a certificate.
func TestReadmeWalk(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(readme), "<!-- rest:begin -->\n```sh\n")
	walk, _, ended := strings.Cut(rest, "```\n<!-- rest:end -->")
	if !begun || !ended {
		t.Fatal("README.md has no walk over REST between its marks")
	}
	d := embedded(t)
	folder := t.TempDir()
	shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", strings.ReplaceAll(walk, "http://127.0.0.1:8080", d.url))
	shell.Dir = folder
	out, err := shell.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"valid"`) {
		t.Fatalf("%v: %s", err, out)
	}
	if pdf, err := os.ReadFile(filepath.Join(folder, "certificate.pdf")); err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Errorf("the certificate's document: %v, %.40q", err, pdf)
	}
}
