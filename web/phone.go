// Package web makes the pages: the phone in a browser, the check of a document
// by its number, the reference of the API. Pages are html/template with plain
// scripts and styles, embedded, without a build step or another host.
package web

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// Texts turns a key of the locale files into a sentence; *locales.Catalogue is
// one.
type Texts interface {
	Text(loc locales.Locale, key string, args ...any) string
}

// PhoneNumber is one of the numbers the phone page can hold.
type PhoneNumber struct {
	Number   string // E.164
	Name     string // whose it is
	Operator string
}

// PhoneView is what the phone page needs to know.
type PhoneView struct {
	Texts     Texts
	ShortCode string // "*1414#"
	SMSNumber string // "1414"
	Numbers   []PhoneNumber
}

// PhonePolicy is the Content-Security-Policy that the phone page works under: it
// asks its own host only and runs no inline script.
const PhonePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

//go:embed phone/phone.html
var phoneHTML string

// phoneScriptKeys are the sentences that the page's script says by itself.
var phoneScriptKeys = []string{
	"ended", "calling", "waiting", "error_bad_request", "error_unknown_code", "error_no_session",
	"error_dropped", "error_app_answer", "error_app_unreachable", "error_network", "redelivered",
	"sms_empty", "sms_new", "sms_sent", "wallet_paying", "wallet_paid", "wallet_refused", "wallet_going_on",
	"too_long", "bad_code",
}

// PhonePage writes the page at /phone in the language loc. The page talks to
// /sandbox/ussd, /sandbox/sms and /sandbox/wallet/payments of its own host.
func PhonePage(w io.Writer, loc locales.Locale, view PhoneView) error {
	page, err := template.New("phone").Parse(phoneHTML)
	if err != nil {
		return fmt.Errorf("read the phone page's template: %w", err)
	}
	if err := page.Execute(w, phoneData{PhoneView: view, Locale: loc}); err != nil {
		return fmt.Errorf("write the phone page: %w", err)
	}
	return nil
}

// phoneData is the view as the template sees it.
type phoneData struct {
	PhoneView
	Locale locales.Locale
}

// T is the sentence of the page's part with the given key.
func (d phoneData) T(key string) string { return d.Texts.Text(d.Locale, "phone."+key) }

// Said is what the script says, by key.
func (d phoneData) Said() map[string]string {
	said := make(map[string]string, len(phoneScriptKeys))
	for _, key := range phoneScriptKeys {
		said[key] = d.T(key)
	}
	return said
}

// Languages are the ones the page can be switched to.
func (d phoneData) Languages() []phoneLanguage {
	return []phoneLanguage{
		{Tag: locales.KY, Name: "Кыргызча", Current: d.Locale.Language() == locales.KY},
		{Tag: locales.RU, Name: "Русский", Current: d.Locale == locales.RU},
	}
}

type phoneLanguage struct {
	Tag     locales.Locale
	Name    string
	Current bool
}
