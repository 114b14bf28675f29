package web

import (
	"bytes"
	"io"
	"net/http"

	"github.com/eshik-kg/eshik/locales"
)

// Docs writes the API's reference page, /docs: the contract as HTML, which needs a
// script only to try an operation. The contract's own words are English in every
// language of the frame.
func (p *Pages) Docs(w io.Writer, loc locales.Locale) error {
	return p.write(w, "docs.html", docsData{frame: p.frame(loc, Docs, "docs"), Contract: p.contract})
}

type docsData struct {
	frame
	Contract *contract
}

// docsScriptKeys are the sentences that the page's script says by itself.
var docsScriptKeys = []string{"sending", "network", "empty", "need_token", "file"}

// Said is what the script says, by key.
func (d docsData) Said() map[string]string { return d.said(docsScriptKeys) }

// Reference gives the page of every language, packed: it says the same until the
// program changes, and a browser that has it asks only whether that happened.
func (p *Pages) Reference() (map[locales.Locale]http.Handler, error) {
	pages := map[locales.Locale]http.Handler{}
	for _, loc := range locales.All {
		var out bytes.Buffer
		if err := p.Docs(&out, loc); err != nil {
			return nil, err
		}
		page, err := pack("docs.html", out.Bytes())
		if err != nil {
			return nil, err
		}
		pages[loc] = page
	}
	return pages, nil
}

// part is a piece of the contract with the page around it.
type part struct {
	docsData
	Part any
}

// In gives a template a piece of the contract and keeps the page's texts at hand.
func (d docsData) In(piece any) part { return part{docsData: d, Part: piece} }
