package web

import (
	"html/template"
	"io"
	"net/url"

	"github.com/eshik-kg/eshik/locales"
)

// Home writes the first page, /: what can be done here, and how one reaches it.
// It needs no script.
func (p *Pages) Home(w io.Writer, loc locales.Locale) error {
	return p.write(w, "home.html", homeData{p.frame(loc, Home, "home")})
}

type homeData struct{ frame }

// Dial opens the phone's keypad with the code in it. The scheme is not among
// those that html/template knows; the code is escaped here.
func (d homeData) Dial() template.URL {
	return template.URL("tel:" + url.PathEscape(d.ShortCode)) // #nosec G203 -- escaped
}

// Write opens a message to the service.
func (d homeData) Write() template.URL {
	return template.URL("sms:" + url.PathEscape(d.SMSNumber)) // #nosec G203 -- escaped
}
