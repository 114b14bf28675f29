package web

import (
	_ "embed"
	"fmt"
	"io"
)

// DocsPolicy is the Content-Security-Policy that the reference page works under:
// RapiDoc writes styles into its shadow tree, and draws images from data.
const DocsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

//go:embed phone/docs.html
var docsHTML string

// DocsPage writes the API's reference page at /docs. It shows /v1/openapi.yaml
// with the vendored RapiDoc, which is told to load no fonts from elsewhere.
func DocsPage(w io.Writer) error {
	if _, err := io.WriteString(w, docsHTML); err != nil {
		return fmt.Errorf("write the reference page: %w", err)
	}
	return nil
}
