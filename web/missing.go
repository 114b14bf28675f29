package web

import (
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// Missing writes the page for an address where nothing is: it leads on to the
// pages that there are, and so do its languages: to the first page.
func (p *Pages) Missing(w io.Writer, loc locales.Locale) error {
	return p.write(w, "missing.html", missingData{p.frame(loc, Home, "site")})
}

type missingData struct{ frame }

// Links are those of the frame, none of them current.
func (d missingData) Links() []link {
	links := d.frame.Links()
	for i := range links {
		links[i].Current = false
	}
	return links
}
