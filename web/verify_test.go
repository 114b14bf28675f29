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
	var out bytes.Buffer
	if err := testPages(t).Verify(&out, loc, view); err != nil {
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
	signed := *valid
	signed.Signed = []VerifyWords{
		{Locale: locales.KY, Title: "Маалымкат", Lines: []VerifyLine{{Label: "Дареги", Value: "Достук <12>"}}},
		{Locale: locales.RU, Title: "Справка", Lines: []VerifyLine{{Label: "Адрес", Value: "Достук <12>"}, {Value: "2. Бакыт"}}},
	}
	revoked := *valid
	revoked.Revoked = "24.11.2026"
	script := `"><script>alert(1)</script>`
	for name, c := range map[string]struct {
		view       VerifyView
		want, lack []string
	}{
		"empty":     {want: []string{`id="number"`}, lack: []string{"<dl>", "role=\"alert\"", ">verify.", "1988"}},
		"valid":     {view: VerifyView{Typed: "k7mn4pqr2xh", Answer: valid}, want: []string{"✓", "А. А. Б.", "1988", "k7mn4pqr2xh"}, lack: []string{"✗"}},
		"by number": {view: VerifyView{Answer: valid}, want: []string{`class="notice bad"`}, lack: []string{`class="signed"`}},
		"signed": {view: VerifyView{Answer: &signed}, want: []string{
			`class="signed" lang="ky"`, `class="signed" lang="ru"`, "<h3>Справка</h3>", "Достук &lt;12&gt;", "2. Бакыт",
		}, lack: []string{`class="notice bad"`, "<dt></dt>"}},
		"forged":  {view: VerifyView{Scanned: script, CodeProblem: "Жасалма"}, want: []string{"Жасалма", `id="qrproblem"`}, lack: []string{"<script>", "<dl>"}},
		"revoked": {view: VerifyView{Answer: &revoked}, want: []string{"✗", "24.11.2026"}, lack: []string{"✓"}},
		"problem": {view: VerifyView{Typed: script, Problem: "Жок"}, want: []string{`aria-invalid="true"`, "Жок"}, lack: []string{"<script>", "<dl>"}},
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

// TestVerifyVerdictFirst: whoever opens the page of a certificate, or hears it
// read, meets the verdict before the form, and an error where it can be mended.
func TestVerifyVerdictFirst(t *testing.T) {
	t.Parallel()
	answer := &VerifyAnswer{Number: "K7MN-4PQR-2XW", Kind: "Жашаган жери", Initials: "А. А. Б.", Issued: "23.11.2026"}
	valid := renderVerify(t, "first", locales.RU, VerifyView{Typed: "k7mn4pqr2xw", Answer: answer})
	if !regexp.MustCompile(`(?s)<title>✓ Справка действительна.*tabindex="-1" autofocus>✓ Справка действительна.*<form`).MatchString(valid) {
		t.Errorf("the verdict is not first: %s", valid)
	}
	if strings.Contains(valid, "aria-invalid") {
		t.Error("a valid number is marked as wrong")
	}
	wrong := renderVerify(t, "error", locales.RU, VerifyView{Typed: "k7", Problem: "Номер с ошибкой"})
	if !regexp.MustCompile(`(?s)<title>Ошибка: .*id="problem"[^>]*>Номер с ошибкой.*aria-describedby="problem hint" aria-invalid="true" autofocus`).MatchString(wrong) {
		t.Errorf("the focus is not on the error: %s", wrong)
	}
	if n := strings.Count(valid+wrong, "autofocus"); n != 2 {
		t.Errorf("%d places want the focus of two pages", n)
	}
	for _, page := range []string{valid, wrong} {
		if !strings.Contains(page, `<span class="number">`+exampleNumber+`</span>`) {
			t.Error("the example may break over two lines")
		}
	}
}
