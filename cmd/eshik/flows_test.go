package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTextsCommand: the page goes into the file that --out names, the table is shown,
// and a guide that is not there is a mistake of whoever named it.
func TestTextsCommand(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "texts.html")
	var out, complaints bytes.Buffer
	if exit := run([]string{"flows", "texts", "--html", "--out", path}, strings.NewReader(""), &out, &complaints); exit != 0 || out.Len() > 0 {
		t.Fatalf("exit code %d: %s%s", exit, out.String(), complaints.String())
	}
	if page, err := os.ReadFile(path); err != nil || !strings.Contains(string(page), "</html>") {
		t.Errorf("the page is %q, %v", page, err)
	}
	if exit := run([]string{"flows", "texts"}, strings.NewReader(""), &out, &complaints); exit != 0 || !strings.HasPrefix(out.String(), "key\tky\tru\tky-Latn\n") {
		t.Errorf("exit code %d: %s%.100s", exit, complaints.String(), out.String())
	}
	if exit := run([]string{"flows", "texts", "--html", "--guide", "no-such-file"}, strings.NewReader(""), &out, &complaints); exit != 2 || !strings.Contains(complaints.String(), "--guide") {
		t.Errorf("without a guide: exit code %d, %s", exit, complaints.String())
	}
}
