package web

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// VerifyView is what the page that verifies a certificate shows.
type VerifyView struct {
	Texts Texts
	// Path is the page's own path, /verify: the form asks it with ?number=.
	Path string
	// Typed is the number as it was typed; it stays in the field.
	Typed string
	// Problem is the sentence about a number that gives no answer, in the page's
	// language; empty: there is none.
	Problem string
	// Answer is what is known about the number; nil: nothing was asked, or Problem.
	Answer *VerifyAnswer
}

// VerifyAnswer is what anybody may learn about a certificate by its number.
type VerifyAnswer struct {
	Number    string // in groups
	Kind      string // in the page's language
	Initials  string
	BirthYear string // empty when unknown
	Issued    string // dd.MM.yyyy
	Revoked   string // dd.MM.yyyy; empty: the certificate is valid
}

// VerifyPolicy is the Content-Security-Policy that the verify page works under:
// its own style sheet and form, and no script.
const VerifyPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

//go:embed verify/verify.html
var verifyHTML string

// VerifyPage writes the page at /verify and /verify/{number} in the language
// loc. It needs no script: the form is a plain GET.
func VerifyPage(w io.Writer, loc locales.Locale, view VerifyView) error {
	page, err := template.New("verify").Parse(verifyHTML)
	if err != nil {
		return fmt.Errorf("read the verify page's template: %w", err)
	}
	if err := page.Execute(w, verifyData{VerifyView: view, Locale: loc}); err != nil {
		return fmt.Errorf("write the verify page: %w", err)
	}
	return nil
}

// verifyData is the view as the template sees it.
type verifyData struct {
	VerifyView
	Locale locales.Locale
}

// T is a sentence of the page.
func (d verifyData) T(key string, args ...any) string {
	return d.Texts.Text(d.Locale, "verify."+key, args...)
}

// Languages are the languages of the page, each in its own words.
func (d verifyData) Languages() []verifyLanguage {
	return []verifyLanguage{
		{Tag: locales.KY, Name: "Кыргызча", Current: d.Locale.Language() == locales.KY},
		{Tag: locales.RU, Name: "Русский", Current: d.Locale == locales.RU},
	}
}

// verifyLanguage is one link of the choice of languages.
type verifyLanguage struct {
	Tag     locales.Locale
	Name    string
	Current bool
}
