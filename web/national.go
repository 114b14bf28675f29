package web

import (
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// NationalPath is where the national sign-in sends a browser back to.
const NationalPath = "/national-sign-in"

// NationalView is what a browser that came back from the national sign-in is shown.
type NationalView struct {
	// Tail are the last digits of the phone that would be the person's; empty: nothing is asked.
	Tail string
	// State and Code are what came back, and go on when the person says yes.
	State, Code string
	// Problem says why nothing is proved; without it and without Tail, somebody is.
	Problem string
}

// National writes the page on which who signed in says whether it is their phone. Its
// languages lead to the first page: what came back belongs into no other address.
func (p *Pages) National(w io.Writer, loc locales.Locale, view NationalView) error {
	return p.write(w, "national.html", nationalData{p.frame(loc, Home, "national"), view})
}

type nationalData struct {
	frame
	NationalView
}

// Links are those of the frame, none of them current.
func (d nationalData) Links() []link { return missingData{d.frame}.Links() }

// Form is where the form goes.
func (nationalData) Form() string { return NationalPath }
