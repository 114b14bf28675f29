package web

import (
	"io"

	"github.com/eshik-kg/eshik/locales"
)

// PhotoPath is where the links begin that show a photo once.
const PhotoPath = "/e/"

// PhotoView is what the page of such a link shows.
type PhotoView struct {
	// Problem says why there is no photo, in a language; nil: nothing is wrong.
	Problem func(loc locales.Locale) string
	// Opens says that the link is good: the page has a button.
	Opens bool
}

// Photo writes the page of a link that shows a photo once, in Kyrgyz and in Russian: the link says
// nothing of who reads it. Its languages lead to the first page, and its form back to the address
// that it stands at: the link belongs into no other, nor into the page.
func (p *Pages) Photo(w io.Writer, loc locales.Locale, view PhotoView) error {
	data := photoData{frame: p.frame(loc, Home, "photo"), Opens: view.Opens}
	for _, spoken := range []locales.Locale{locales.KY, locales.RU} {
		said := photoWords{frame: p.frame(spoken, Home, "photo")}
		if view.Problem != nil {
			said.Problem = view.Problem(spoken)
		}
		data.Words = append(data.Words, said)
	}
	return p.write(w, "photo.html", data)
}

type photoData struct {
	frame
	Opens bool
	Words []photoWords
}

// Links are those of the frame, none of them current.
func (d photoData) Links() []link { return missingData{d.frame}.Links() }

// photoWords are the page's sentences in one language.
type photoWords struct {
	frame
	Problem string
}
