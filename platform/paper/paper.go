// Package paper draws documents on A4 pages, in letters of Kyrgyz, Russian and English. They are
// tagged, so that a program reads them aloud as they are meant (Part), they are for archives
// (PDF/A-2a), and they may carry a signature (Signature). The same document has the same bytes.
package paper

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

// fonts are Noto Sans 2.004, cut down to all of Cyrillic, the Latin of Europe and of Turkic languages,
// and signs, without hints and layout; with their licence (SIL OFL 1.1).
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

// Page is a document in the making, at its last page. What is drawn is said to be a Part, or is
// nothing that is read.
type Page struct {
	*fpdf.Fpdf
	// Document is all that is read.
	Document *Part
	about    About
	marks    []int // how many marked pieces each page has
	font     *sfnt.Font
}

// About is what a document is.
type About struct {
	Title    string
	Language string    // ky, ru, en: of what says no other
	Made     time.Time // stands in the file, to the second
	Code     string    // for programs that read it from the file; "": none
	Foot     string    // at the foot of each page, beside its number
}

// New begins a document.
func New(about About) (*Page, error) {
	known, err := regular()
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", "A4", "")
	for style, file := range map[string]string{"": "Regular", "B": "Bold"} {
		font, err := readFont(file)
		if err != nil {
			return nil, err
		}
		pdf.AddUTF8FontFromBytes("Noto", style, font)
	}
	pdf.SetCatalogSort(true) // the same bytes every time
	pdf.SetMargins(Margin, Margin, Margin)
	pdf.SetAutoPageBreak(false, 0) // rows are kept whole: see Room
	pdf.AddPage()
	return &Page{Fpdf: pdf, Document: &Part{kind: "Document", language: about.Language}, about: about, font: known}, nil
}

// Style chooses the font ("" or "B"), its size in points, and a grey (0 is black).
func (p *Page) Style(font string, points float64, grey int) {
	p.SetFont("Noto", font, points)
	p.SetTextColor(grey, grey, grey)
}

// Piece is a text and which part of the document it is.
type Piece struct {
	Part *Part
	Text string
}

// Pair writes two texts side by side, and goes below the longer one. Where they are longer than a page
// they begin on this one and go on over the next ones; else they are kept whole.
func (p *Page) Pair(lineHeight float64, left, right Piece) {
	leftLines, rightLines := p.lines(left.Text, Column-2), p.lines(right.Text, Column-2)
	longer := max(len(leftLines), len(rightLines))
	if longer <= fit(Bottom-Margin, lineHeight) {
		p.Room(float64(longer) * lineHeight)
	}
	for at := 0; at < longer; {
		p.Room(lineHeight)
		y := p.GetY()
		until := at + max(1, fit(Bottom-y, lineHeight))
		below := p.column(Margin, Column, lineHeight, left.Part, between(leftLines, at, until))
		p.SetY(y)
		below = max(below, p.column(Margin+Column+Gutter, Column, lineHeight, right.Part, between(rightLines, at, until)))
		p.SetXY(Margin, below)
		at = until
	}
}

// fit is how many lines a height holds.
func fit(height, lineHeight float64) int {
	const rounding = 1e-6 // millimetres by which sums of heights differ
	return int((height + rounding) / lineHeight)
}

// between are lines from one on and before another, as far as there are any.
func between(lines []string, from, before int) []string {
	return lines[min(from, len(lines)):min(before, len(lines))]
}

// Block writes a text between x and x+width from where the page is down, and returns how far down.
func (p *Page) Block(x, width, lineHeight float64, piece Piece) (below float64) {
	return p.column(x, width, lineHeight, piece.Part, p.lines(piece.Text, width-2))
}

// column writes lines of a part like Block.
func (p *Page) column(x, width, lineHeight float64, part *Part, lines []string) (below float64) {
	if len(lines) == 0 {
		return p.GetY()
	}
	p.mark(part, func() {
		for _, line := range lines {
			p.SetX(x)
			p.CellFormat(width, lineHeight, line, "", 2, "L", false, 0, "")
		}
	})
	return p.GetY()
}

// Text writes a text over the whole width, line by line where it is longer than a page.
func (p *Page) Text(lineHeight float64, piece Piece) {
	for _, line := range p.lines(piece.Text, Width-2) {
		p.Room(lineHeight)
		p.mark(piece.Part, func() { p.CellFormat(Width, lineHeight, line, "", 1, "L", false, 0, "") })
	}
}

// Picture shows a PNG at x and y, of a side in millimetres, as a part of the document: what it shows
// the part says.
func (p *Page) Picture(part *Part, name string, png []byte, x, y, side float64) {
	options := fpdf.ImageOptions{ImageType: "PNG"}
	p.RegisterImageOptionsReader(name, options, bytes.NewReader(png))
	p.mark(part, func() { p.ImageOptions(name, x, y, side, side, false, options, 0, "") })
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
	p.unread("/Type /Layout", func() {
		p.SetLineWidth(0.2)
		p.Line(Margin, y, 210-Margin, y)
	})
	p.Ln(3)
}

// number writes at the foot of each page which of how many it is, and what it is of.
func (p *Page) number() {
	const room = 20.0 // millimetres, for the number
	last := p.PageNo()
	for n := 1; n <= last; n++ {
		p.SetPage(n)
		p.Style("", 8, 60)
		p.SetXY(Margin, Bottom+3)
		foot := p.lines(p.about.Foot, Width-room-5)
		if len(foot) > 1 {
			foot[0] += "…"
		}
		p.unread("/Type /Pagination /Subtype /Footer", func() {
			p.CellFormat(Width-room, 4, strings.Join(foot[:min(1, len(foot))], ""), "", 0, "L", false, 0, "")
			p.CellFormat(room, 4, fmt.Sprintf("%d / %d", n, last), "", 0, "R", false, 0, "")
		})
	}
}

// Bytes ends the document. A signature of nil is none.
func (p *Page) Bytes(signature *Signature) ([]byte, error) {
	p.number()
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	f, err := read(out.Bytes())
	if err != nil {
		return nil, err
	}
	if err := p.finish(f, signature); err != nil {
		return nil, err
	}
	if signature == nil {
		return f.bytes(nil), nil
	}
	return signature.seal(f)
}
