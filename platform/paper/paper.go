// Package paper draws documents on A4 pages, in letters of Kyrgyz, Russian and English.
package paper

import (
	"bytes"
	"embed"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// fonts are Noto Sans, cut down to Latin and Kyrgyz and Russian Cyrillic, with
// their licence (SIL OFL 1.1).
//
//go:embed fonts/NotoSans-Regular-subset.ttf fonts/NotoSans-Bold-subset.ttf fonts/OFL.txt
var fonts embed.FS

// The page, in millimetres: A4, whose two columns are wide apart.
const (
	Margin = 15.0
	Width  = 210 - 2*Margin
	Gutter = 8.0
	Column = (Width - Gutter) / 2
	Bottom = 297 - Margin
)

// Page is a document in the making, at its last page.
type Page struct{ *fpdf.Fpdf }

// New begins a document in a language (ky, ru, en). Made at the same moment from the same
// texts it has the same bytes.
func New(title, language string, made time.Time) (*Page, error) {
	pdf := fpdf.New("P", "mm", "A4", "")
	for style, file := range map[string]string{"": "Regular", "B": "Bold"} {
		font, err := fonts.ReadFile("fonts/NotoSans-" + file + "-subset.ttf")
		if err != nil {
			return nil, fmt.Errorf("read a font: %w", err)
		}
		pdf.AddUTF8FontFromBytes("Noto", style, font)
	}
	pdf.SetCatalogSort(true) // the same bytes every time
	pdf.SetCreationDate(made.UTC())
	pdf.SetModificationDate(made.UTC())
	pdf.SetLang(language)
	pdf.SetTitle(title, true)
	pdf.SetProducer("Eshik", true)
	pdf.SetMargins(Margin, Margin, Margin)
	pdf.SetAutoPageBreak(false, 0) // rows are kept whole: see Room
	pdf.AddPage()
	return &Page{pdf}, nil
}

// Style chooses the font ("" or "B"), its size in points, and a grey (0 is black).
func (p *Page) Style(font string, points float64, grey int) {
	p.SetFont("Noto", font, points)
	p.SetTextColor(grey, grey, grey)
}

// Pair writes two texts side by side, and goes below the longer one.
func (p *Page) Pair(lineHeight float64, left, right string) {
	lines := max(len(p.SplitText(left, Column-2)), len(p.SplitText(right, Column-2)))
	p.Room(float64(lines) * lineHeight)
	y := p.GetY()
	p.SetXY(Margin, y)
	p.MultiCell(Column, lineHeight, left, "", "L", false)
	below := p.GetY()
	p.SetXY(Margin+Column+Gutter, y)
	p.MultiCell(Column, lineHeight, right, "", "L", false)
	p.SetXY(Margin, max(below, p.GetY()))
}

// Text writes a text over the whole width, line by line where it is longer than a page.
func (p *Page) Text(lineHeight float64, text string) {
	for _, line := range p.SplitText(text, Width-2) {
		p.Room(lineHeight)
		p.CellFormat(Width, lineHeight, line, "", 1, "L", false, 0, "")
	}
}

// Room begins a new page where height does not fit on this one.
func (p *Page) Room(height float64) {
	if p.GetY()+height > Bottom {
		p.AddPage()
	}
}

// Rule draws a thin line across the page.
func (p *Page) Rule() {
	y := p.GetY()
	p.SetLineWidth(0.2)
	p.Line(Margin, y, 210-Margin, y)
	p.Ln(3)
}

// Bytes ends the document.
func (p *Page) Bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out.Bytes(), nil
}
