package e2e

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// readByCode scans a document's QR code with an independent reader and asks for the
// signed text, over REST and on the page (S1). It gives the code's text.
func readByCode(d *door, pdf []byte) string {
	d.t.Helper()
	file := filepath.Join(d.t.TempDir(), "certificate.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		d.t.Fatal(err)
	}
	text, picture := scan(d, "pdftotext", file, "-"), filepath.Join(filepath.Dir(file), "page")
	scan(d, "pdftoppm", "-r", "300", "-png", "-singlefile", file, picture)
	// QR alone: in the noise of one in 300 codes zbarimg finds a linear code too.
	code := strings.TrimSpace(scan(d, "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture+".png"))
	var v struct {
		Status      string
		TextChecked bool `json:"text_checked"`
		SignedText  []struct {
			Language, Title string
			Lines           []struct{ Label, Value string }
		} `json:"signed_text"`
	}
	status := d.json(http.MethodPost, "/v1/verifications", "", map[string]string{"qr": code}, &v)
	if status != http.StatusOK || v.Status != "valid" || !v.TextChecked || len(v.SignedText) != 2 {
		d.t.Fatalf("by the code over REST: %d %+v", status, v)
	}
	page := d.post("/verify?lang=ky", url.Values{"qr": {code}})
	for _, words := range v.SignedText {
		if !strings.Contains(page, words.Title) {
			d.t.Errorf("the page lacks the title %q", words.Title)
		}
		for _, line := range words.Lines {
			if !strings.Contains(page, line.Value) || !strings.Contains(page, line.Label) {
				d.t.Errorf("the page lacks %q", line)
			}
			for word := range strings.FieldsSeq(line.Value) {
				if !strings.Contains(text, word) {
					d.t.Errorf("the document lacks %q of the signed text", word)
				}
			}
		}
	}
	forged := code[:len(code)-8] + strings.Map(func(r rune) rune { return map[bool]rune{true: 'B', false: 'A'}[r == 'A'] }, code[len(code)-8:])
	var p struct{ Code string }
	if status := d.json(http.MethodPost, "/v1/verifications", "", map[string]string{"qr": forged}, &p); status != http.StatusBadRequest || p.Code != "problem.certificate_forged" {
		d.t.Errorf("a changed code: %d %+v", status, p)
	}
	ticket := d.post("/verify?lang=ru", url.Values{"qr": {"https://example.kg/ticket/14"}})
	if !strings.Contains(ticket, "не QR-код справки Eshik") || strings.Contains(ticket, "поддельн") {
		d.t.Errorf("a ticket's code: %s", ticket)
	}
	return code
}

// scan runs a program of the Debian packages that tools/withservers installs.
func scan(d *door, program string, arguments ...string) string {
	d.t.Helper()
	out, err := exec.CommandContext(d.t.Context(), program, arguments...).Output() // #nosec G204 -- a test's own programs
	if err != nil {
		d.t.Fatalf("%s: %v; run the tests with `make test`, which installs it", program, err)
	}
	return string(out)
}
