package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerifyWithoutNetwork: with the trust bundle in a file the program says of a document whether
// it is genuine, in both languages, beside no server; after a revocation by the next bundle.
func TestVerifyWithoutNetwork(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	number, token := d.residence()
	folder := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var pdf []byte
	if status := d.json(http.MethodGet, "/v1/certificates/"+number+"/document", token, nil, &pdf); status != http.StatusOK {
		t.Fatalf("the document: %d", status)
	}
	document, trust := file("document.pdf", pdf), file("trust", d.read(d.get("/.well-known/certificate-trust")))
	verify := func(trust, paper string) (string, error) { return d.run("verify", "--trust", trust, paper) }
	out, err := verify(trust, document)
	for _, want := range []string{"outcome      genuine", "as of        ", "next update  ", "Чыныгы", "Подлинная", "Genuine", number, "Асанова", "Справка о месте жительства", "Дареги", "Адрес"} {
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("genuine: %v, no %q in:\n%s", err, want, out)
		}
	}
	code := readByCode(d, pdf)
	if out, err := verify(trust, file("altered", []byte(code[:len(code)-9]+"000000000"))); err == nil || !strings.Contains(out, "outcome      altered") || strings.Contains(out, "Асанова") {
		t.Errorf("altered: %v\n%s", err, out)
	}
	if out, err := verify(document, document); err == nil || !strings.Contains(out, "no trust bundle") {
		t.Errorf("no bundle: %v\n%s", err, out)
	}
	if out := d.both("operator", "", "staff", "revoke-certificate", "--number", number); !strings.Contains(out, "Revoked: ") {
		t.Fatalf("revoked: %s", out)
	}
	if out, err := verify(trust, document); err != nil {
		t.Errorf("by the bundle of before it was revoked: %v\n%s", err, out)
	}
	newer := file("newer", d.read(d.get("/.well-known/certificate-trust")))
	if out, err := verify(newer, document); err == nil || !strings.Contains(out, "outcome      revoked") || !strings.Contains(out, "жокко чыгарылган") {
		t.Errorf("revoked: %v\n%s", err, out)
	}
}

// publishedTrust gets the status list and the trust bundle, before and after the certificate was
// revoked: it is in both at once.
func (d *door) publishedTrust(number string) {
	d.t.Helper()
	get := func(path, kind string) string {
		response := d.get(path)
		body := string(d.read(response))
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != kind || response.Header.Get("Cache-Control") != "public, max-age=60" || strings.Count(body, ".") != 2 {
			d.t.Errorf("%s: %d %v", path, response.StatusCode, response.Header)
		}
		return body
	}
	list := func() string { return get("/.well-known/certificate-status/0", "application/vc+jwt") }
	trust := func() string { return get("/.well-known/certificate-trust", "application/jwt") }
	listed, trusted := list(), trust()
	if out := d.both("operator", "", "staff", "revoke-certificate", "--number", number); !strings.Contains(out, "Revoked: ") {
		d.t.Fatalf("revoked: %s", out)
	}
	if list() == listed || trust() == trusted {
		d.t.Error("a revocation is not published at once")
	}
	if response := d.get("/.well-known/certificate-status/1"); response.StatusCode != http.StatusNotFound {
		d.t.Errorf("a list that is not: %d", response.StatusCode)
	} else {
		_ = d.read(response) // closes it
	}
}
