package certificate

import (
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/paper"
)

func (p *page) text(loc locales.Locale, key string, args ...any) string {
	return p.texts.Text(loc, key, args...)
}

// pair writes a part of a kind in both columns.
func (p *page) pair(lineHeight float64, kind, ky, ru string) {
	p.Pair(lineHeight, paper.Piece{Part: p.ky.Add(kind), Text: ky}, paper.Piece{Part: p.ru.Add(kind), Text: ru})
}

// side is the part in a language.
func (p *page) side(loc locales.Locale) *paper.Part {
	if loc == locales.RU {
		return p.ru
	}
	return p.ky
}

// both writes one sentence in both columns, in the height of a small line.
func (p *page) both(key string, args ...any) {
	p.pair(4.5, "P", p.text(locales.KY, key, args...), p.text(locales.RU, key, args...))
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
