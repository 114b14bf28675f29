package web

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// testPages are the pages of a server that has all of them, or these.
func testPages(t *testing.T, places ...Place) *Pages {
	t.Helper()
	if len(places) == 0 {
		places = []Place{Home, Phone, Verify, Docs}
	}
	return newPages(t, []byte(tinyContract), places)
}

func testPagesOf(t *testing.T, contract []byte) *Pages {
	t.Helper()
	return newPages(t, contract, []Place{Home, Phone, Verify, Docs})
}

func newPages(t *testing.T, contract []byte, places []Place) *Pages {
	t.Helper()
	cat, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := New(Site{Texts: cat, Places: places, ShortCode: "*1414#", SMSNumber: "1414", Contract: contract})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

var testNumbers = []PhoneNumber{
	{Number: "+996555000001", Name: "Айгүл", Operator: "MegaCom"},
	{Number: "+996700000002", Name: "Бакыт", Operator: "O!"},
	{Number: "+996770000003", Name: "Елена", Operator: "Beeline"},
}

// all draws every page in the language.
func all(t *testing.T, pages *Pages, loc locales.Locale) map[Place]string {
	t.Helper()
	out := map[Place]string{}
	for place, render := range map[Place]func(io.Writer) error{
		Home:   func(w io.Writer) error { return pages.Home(w, loc) },
		Phone:  func(w io.Writer) error { return pages.Phone(w, loc, testNumbers) },
		Verify: func(w io.Writer) error { return pages.Verify(w, loc, VerifyView{}) },
		Docs:   func(w io.Writer) error { return pages.Docs(w, loc) },
	} {
		if place == Docs && pages.contract == nil {
			continue // the site has none
		}
		var page bytes.Buffer
		if err := render(&page); err != nil {
			t.Fatal(err)
		}
		out[place] = page.String()
	}
	return out
}

func TestPhonePageSpeaksItsLanguage(t *testing.T) {
	t.Parallel()
	for loc, want := range map[locales.Locale]string{
		locales.KY: "Браузердеги телефон", locales.RU: "Телефон в браузере", locales.KYLatn: `lang="ky-Latn"`, locales.EN: "A phone in the browser",
	} {
		page := all(t, testPages(t), loc)[Phone]
		// A number in an attribute: html/template writes + as &#43;.
		for _, part := range []string{want, "&#43;996770000003", `data-code="*1414#"`, "error_app_unreachable"} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the page lacks %q", loc, part)
			}
		}
	}
}

// TestEveryTextOfThePages: no key stands where a sentence should.
func TestEveryTextOfThePages(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`[>"](site|home|phone|verify|docs)\.[a-z_]+[<"]|ZgotmplZ`)
	for _, loc := range locales.All {
		for place, page := range all(t, testPages(t), loc) {
			if found := key.FindString(page); found != "" {
				t.Errorf("%s in %s holds %q", place, loc, found)
			}
		}
	}
}

// outside finds what a browser would ask another host for.
var outside = regexp.MustCompile(`(?i)(?:src|href|url|@import|fetch)\s*[=(]?\s*["'(]?\s*(?:https?:)?//`)

func TestPagesAskNoOtherHost(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for place, page := range all(t, testPages(t), locales.KY) {
		texts[string(place)] = page
	}
	for _, name := range []string{"eshik.css", "home.css", "verify.css", "phone.css", "docs.css", "docs.js", "phone.js", "gsm.js", "record.js", "words.js", "scan.js", "verify.js", "jsqr.js"} {
		b, err := assets.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(b)
	}
	for name, text := range texts {
		if found := outside.FindString(text); found != "" {
			t.Errorf("%s asks another host: %q", name, found)
		}
	}
}

// TestPagesLinkToEachOther: from every page one gets to every other, in the same
// language, and to none that the server does not have.
func TestPagesLinkToEachOther(t *testing.T) {
	t.Parallel()
	for name, places := range map[string][]Place{
		"sandbox": {Home, Phone, Verify, Docs}, "production": {Home, Verify, Docs}, "a sandbox of its own": {Phone},
	} {
		for _, here := range places {
			page := all(t, testPages(t, places...), locales.RU)[here]
			for _, there := range []Place{Home, Phone, Verify, Docs} {
				linked := regexp.MustCompile(`href="` + string(there) + `\?lang=ru"`).MatchString(page)
				if has := slices.Contains(places, there); linked != has {
					t.Errorf("%s: %s links to %s: %v", name, here, there, linked)
				}
			}
			for _, language := range []string{"ky", "ru", "en"} {
				if !strings.Contains(page, `href="`+string(here)+`?lang=`+language+`"`) {
					t.Errorf("%s: %s does not lead to itself in %s", name, here, language)
				}
			}
		}
	}
}
