package certificate

import (
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
)

// style chooses the font ("" or "B"), its size in points, and a grey (0 is black).
func (p *page) style(font string, points float64, grey int) {
	p.pdf.SetFont("Noto", font, points)
	p.pdf.SetTextColor(grey, grey, grey)
}

func (p *page) text(loc locales.Locale, key string, args ...any) string {
	return p.texts.Text(loc, key, args...)
}

// both writes one sentence in both columns, in the height of a small line.
func (p *page) both(key string, args ...any) {
	p.pair(4.5, p.text(locales.KY, key, args...), p.text(locales.RU, key, args...))
}

// pair writes two texts side by side, and goes below the longer one.
func (p *page) pair(lineHeight float64, left, right string) {
	lines := max(len(p.pdf.SplitText(left, columnWidth-2)), len(p.pdf.SplitText(right, columnWidth-2)))
	p.room(float64(lines) * lineHeight)
	y := p.pdf.GetY()
	p.pdf.SetXY(margin, y)
	p.pdf.MultiCell(columnWidth, lineHeight, left, "", "L", false)
	below := p.pdf.GetY()
	p.pdf.SetXY(margin+columnWidth+gutter, y)
	p.pdf.MultiCell(columnWidth, lineHeight, right, "", "L", false)
	p.pdf.SetXY(margin, max(below, p.pdf.GetY()))
}

// room begins a new page where height does not fit on this one.
func (p *page) room(height float64) {
	if p.pdf.GetY()+height > pageBottom {
		p.pdf.AddPage()
	}
}

// line draws a thin line across the page.
func (p *page) line() {
	y := p.pdf.GetY()
	p.pdf.SetLineWidth(0.2)
	p.pdf.Line(margin, y, 210-margin, y)
	p.pdf.Ln(3)
}

// showDay is a moment's day in Kyrgyzstan as people write it.
func showDay(t time.Time) string { return clock.Day(t) }

// showDate writes a register's YYYY-MM-DD as people do; anything else stays.
func showDate(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return clock.ShowDate(t)
}
