package web

import (
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// DocsPolicy is the Content-Security-Policy that the reference page works under:
// RapiDoc writes styles into its shadow tree, and draws images from data.
const DocsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Docs writes the API's reference page at /docs. It shows /v1/openapi.yaml with
// the vendored RapiDoc, which is told to load no fonts from elsewhere.
func (p *Pages) Docs(w io.Writer, loc locales.Locale) error {
	return p.write(w, "docs.html", p.frame(loc, Docs, "docs"))
}
