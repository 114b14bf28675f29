// Package web makes the pages: the first page, the phone in a browser, the check
// of a document by its number, the reference of the API. Pages are html/template
// with plain scripts and styles, embedded, without a build step or another host.
package web

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/eshik-kg/eshik/locales"
)

// Texts turns a key of the locale files into a sentence; *locales.Catalogue is
// one.
type Texts interface {
	Text(loc locales.Locale, key string, args ...any) string
}

// Place is the path of a page that a server may have; pages link to those it has.
type Place string

// The places, as the header lists them.
const (
	Home   Place = "/"
	Phone  Place = "/phone"
	Verify Place = "/verify"
	Docs   Place = "/docs"
)

// Site is what every page knows of the server that it stands on.
type Site struct {
	Texts     Texts
	Places    []Place // that answer here, the one that the brand leads to first
	ShortCode string  // "*1414#"
	SMSNumber string  // "1414"
	Contract  []byte  // the OpenAPI document that Docs shows
}

// Pages writes the pages of one site and serves their static files.
type Pages struct {
	site      Site
	files     *files
	templates *template.Template
	contract  *contract // nil where the site has no Docs
}

// PlainPolicy is the Content-Security-Policy of a page without a script: its own
// styles, pictures and forms, and nothing from another host.
const PlainPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// ScriptPolicy is PlainPolicy for a page whose own script asks its own host. No
// script stands in the page itself.
const ScriptPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

//go:embed pages
var templates embed.FS

// New reads the templates and packs the static files.
func New(site Site) (*Pages, error) {
	files, err := newFiles()
	if err != nil {
		return nil, err
	}
	parsed, err := template.New("pages").Funcs(template.FuncMap{"asset": files.address}).ParseFS(templates, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages' templates: %w", err)
	}
	p := &Pages{site: site, files: files, templates: parsed}
	if slices.Contains(site.Places, Docs) {
		p.contract, err = readContract(site.Contract)
	}
	return p, err
}

// Static serves what stands under /static/.
func (p *Pages) Static() http.Handler { return p.files }

// Locale is the language that a page is asked for in: the one of ?lang=, or
// Kyrgyz.
func Locale(query url.Values) locales.Locale {
	if loc, ok := locales.Parse(query.Get("lang")); ok {
		return loc
	}
	return locales.KY
}

// write fills the template called name, which shows data.
func (p *Pages) write(w io.Writer, name string, data any) error {
	if err := p.templates.ExecuteTemplate(w, name, data); err != nil {
		return fmt.Errorf("write the page %s: %w", name, err)
	}
	return nil
}

// frame is what stands around every page: brand, links, languages. A page's data
// embeds it, and part names the page's texts in the locale files.
type frame struct {
	Site
	Locale locales.Locale
	Here   Place
	part   string
	keep   url.Values // of the address, when the language changes
}

func (p *Pages) frame(loc locales.Locale, here Place, part string) frame {
	return frame{Site: p.site, Locale: loc, Here: here, part: part}
}

// T is a sentence of the page's own part.
func (f frame) T(key string, args ...any) string {
	return f.Texts.Text(f.Locale, f.part+"."+key, args...)
}

// S is a sentence that the pages share.
func (f frame) S(key string, args ...any) string {
	return f.Texts.Text(f.Locale, "site."+key, args...)
}

// said are sentences of the page's part that its script says, by key.
func (f frame) said(keys []string) map[string]string {
	out := make(map[string]string, len(keys))
	for _, key := range keys {
		out[key] = f.T(key)
	}
	return out
}

// Has reports whether the server has this page.
func (f frame) Has(place Place) bool { return slices.Contains(f.Places, place) }

// To is the address of another page in the same language.
func (f frame) To(place Place) string { return string(place) + "?lang=" + string(f.Locale) }

// link is one link of the frame.
type link struct {
	Name    string
	Address string
	Tag     locales.Locale
	Current bool
}

// Brand is where the brand leads.
func (f frame) Brand() string { return f.To(f.Places[0]) }

// Links are the pages, in the header's order. The brand leads to the first one.
func (f frame) Links() []link {
	var out []link
	for _, place := range []Place{Phone, Verify, Docs} {
		if f.Has(place) && len(f.Places) > 1 {
			out = append(out, link{Name: f.S("to_" + names[place]), Address: f.To(place), Current: place == f.Here})
		}
	}
	return out
}

// names are the places' names in the keys of texts.
var names = map[Place]string{Phone: "phone", Verify: "verify", Docs: "docs"}

// Languages are the languages of the page, each in its own words.
func (f frame) Languages() []link {
	var out []link
	for _, l := range []link{{Tag: locales.KY, Name: "Кыргызча"}, {Tag: locales.RU, Name: "Русский"}, {Tag: locales.EN, Name: "English"}} {
		query := url.Values{}
		for key, values := range f.keep {
			query[key] = values
		}
		query.Set("lang", string(l.Tag))
		l.Address = string(f.Here) + "?" + query.Encode()
		l.Current = f.Locale.Language() == l.Tag
		out = append(out, l)
	}
	return out
}
