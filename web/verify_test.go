package web

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// renderVerify draws the page and keeps it: run with -artifacts to look at it.
func renderVerify(t *testing.T, name string, loc locales.Locale, view VerifyView) string {
	t.Helper()
	cat, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	view.Texts, view.Path = cat, "/verify"
	var out bytes.Buffer
	if err := VerifyPage(&out, loc, view); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".html"), out.Bytes(), 0o600); err != nil {
		t.Error(err)
	}
	return out.String()
}

// TestVerifyPage draws every state of the page in its languages.
func TestVerifyPage(t *testing.T) {
	t.Parallel()
	valid := &VerifyAnswer{
		Number: "K7MN-4PQR-2XH", Kind: "Жашаган жери", Initials: "А. А. Б.", BirthYear: "1988", Issued: "23.11.2026",
	}
	revoked := *valid
	revoked.Revoked = "24.11.2026"
	script := `"><script>alert(1)</script>`
	for name, c := range map[string]struct {
		view       VerifyView
		want, lack []string
	}{
		"empty":   {want: []string{`id="number"`}, lack: []string{"<dl>", "role=\"alert\"", ">verify.", "1988"}},
		"valid":   {view: VerifyView{Typed: "k7mn4pqr2xh", Answer: valid}, want: []string{"✓", "А. А. Б.", "1988", "k7mn4pqr2xh"}, lack: []string{"✗"}},
		"revoked": {view: VerifyView{Answer: &revoked}, want: []string{"✗", "24.11.2026"}, lack: []string{"✓"}},
		"problem": {view: VerifyView{Typed: script, Problem: "Жок"}, want: []string{`aria-invalid="true"`, "Жок"}, lack: []string{"<script", "<dl>"}},
	} {
		for _, loc := range []locales.Locale{locales.KY, locales.RU} {
			page := renderVerify(t, name+"-"+string(loc), loc, c.view)
			for _, want := range append(c.want, `<html lang="`+string(loc)+`"`, `name="lang" value="`+string(loc)+`"`) {
				if !strings.Contains(page, want) {
					t.Errorf("%s %s lacks %q", name, loc, want)
				}
			}
			for _, lack := range append(c.lack, "ZgotmplZ") {
				if strings.Contains(page, lack) {
					t.Errorf("%s %s holds %q", name, loc, lack)
				}
			}
			if outside := regexp.MustCompile(`(?:src|href|action)="(?:https?:)?//[^"]*"`).FindString(page); outside != "" {
				t.Errorf("%s asks another host: %s", name, outside)
			}
		}
	}
}

// TestVerifyPageFiles checks that what the page refers to is embedded.
func TestVerifyPageFiles(t *testing.T) {
	t.Parallel()
	page := renderVerify(t, "files", locales.KY, VerifyView{})
	for _, ref := range regexp.MustCompile(`/static/([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if _, err := assets.Open("static/" + ref[1]); err != nil {
			t.Error(err)
		}
	}
}
