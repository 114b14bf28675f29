package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

func testView(t *testing.T) PhoneView {
	t.Helper()
	cat, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	return PhoneView{
		Texts: cat, ShortCode: "*1414#", SMSNumber: "1414",
		Numbers: []PhoneNumber{
			{Number: "+996555000001", Name: "Айгүл", Operator: "MegaCom"},
			{Number: "+996700000002", Name: "Бакыт", Operator: "O!"},
			{Number: "+996770000003", Name: "Елена", Operator: "Beeline"},
		},
	}
}

func TestPhonePageSpeaksItsLanguage(t *testing.T) {
	t.Parallel()
	view := testView(t)
	for loc, want := range map[locales.Locale]string{
		locales.KY: "Браузердеги телефон", locales.RU: "Телефон в браузере", locales.KYLatn: `lang="ky-Latn"`, locales.EN: "A phone in the browser",
	} {
		var page bytes.Buffer
		if err := PhonePage(&page, loc, view); err != nil {
			t.Fatal(err)
		}
		// A number in an attribute: html/template writes + as &#43;.
		for _, part := range []string{want, "&#43;996770000003", `data-code="*1414#"`, "error_app_unreachable"} {
			if !strings.Contains(page.String(), part) {
				t.Errorf("%s: the page lacks %q", loc, part)
			}
		}
		if strings.Contains(page.String(), "phone.") && strings.Contains(page.String(), `"phone.`) {
			t.Errorf("%s: a key without a text", loc)
		}
	}
}

// outside finds what a browser would ask another host for.
var outside = regexp.MustCompile(`(?i)(?:src|href|url|@import|fetch)\s*[=(]?\s*["'(]?\s*(?:https?:)?//`)

func TestPagesAskNoOtherHost(t *testing.T) {
	t.Parallel()
	var phone, docs bytes.Buffer
	if err := PhonePage(&phone, locales.KY, testView(t)); err != nil {
		t.Fatal(err)
	}
	if err := DocsPage(&docs); err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{"/phone": phone.String(), "/docs": docs.String()}
	static, err := Static()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"eshik.css", "phone.css", "phone.js", "gsm.js"} {
		b, err := fs.ReadFile(static, name)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = string(b)
	}
	for name, text := range pages {
		if found := outside.FindString(text); found != "" {
			t.Errorf("%s asks another host: %q", name, found)
		}
	}
	if !strings.Contains(docs.String(), `load-fonts="false"`) || !strings.Contains(docs.String(), `spec-url="/v1/openapi.yaml"`) {
		t.Error("the reference page must load our contract and no fonts")
	}
}

func TestStaticHoldsWhatPagesName(t *testing.T) {
	t.Parallel()
	var phone, docs bytes.Buffer
	if err := PhonePage(&phone, locales.RU, testView(t)); err != nil {
		t.Fatal(err)
	}
	if err := DocsPage(&docs); err != nil {
		t.Fatal(err)
	}
	static, err := Static()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.StripPrefix("/static/", http.FileServerFS(static)))
	defer srv.Close()
	names := regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(phone.String()+docs.String(), -1)
	if len(names) < 6 {
		t.Fatalf("only %d files are named", len(names))
	}
	for _, m := range append(names, []string{"", "/static/vendor/rapidoc-LICENSE.txt"}) {
		resp, err := http.Get(srv.URL + m[1])
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", m[1], resp.Status)
		}
	}
}
