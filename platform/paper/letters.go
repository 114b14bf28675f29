package paper

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// unknown stands for a letter that the fonts do not have. They have it.
const unknown = '\ufffd'

// regular is the font that says which letters there are; the bold one has the same.
var regular = sync.OnceValues(func() (*sfnt.Font, error) { return parseFont("Regular") })

func parseFont(name string) (*sfnt.Font, error) {
	content, err := readFont(name)
	if err != nil {
		return nil, err
	}
	font, err := sfnt.Parse(content)
	if err != nil {
		return nil, fmt.Errorf("read the letters of a font: %w", err)
	}
	return font, nil
}

func readFont(name string) ([]byte, error) {
	content, err := fonts.ReadFile("fonts/NotoSans-" + name + "-subset.ttf")
	if err != nil {
		return nil, fmt.Errorf("read a font: %w", err)
	}
	return content, nil
}

// has reports that a font has a letter.
func has(font *sfnt.Font, letter rune) bool {
	glyph, err := font.GlyphIndex(nil, letter)
	return err == nil && glyph != 0
}

// letters is a text as the fonts can draw it: composed (NFC), and with the sign that readers know for an
// unknown letter where they have none, such as a picture (emoji) or another script. PDF/A forbids what
// fpdf would draw there, and beyond U+FFFF fpdf breaks down. A space of any kind is a space; what nobody
// sees anywhere, such as what joins pictures, is left out.
func (p *Page) letters(text string) string {
	return strings.Map(func(letter rune) rune {
		switch {
		case letter == '\n', has(p.font, letter):
			return letter
		case unicode.IsSpace(letter):
			return ' '
		case unicode.In(letter, unicode.Cf, unicode.Variation_Selector):
			return -1
		}
		return unknown
	}, norm.NFC.String(text))
}
