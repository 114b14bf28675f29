package certificate

import (
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
)

func (p *page) text(loc locales.Locale, key string, args ...any) string {
	return p.texts.Text(loc, key, args...)
}

// both writes one sentence in both columns, in the height of a small line.
func (p *page) both(key string, args ...any) {
	p.Pair(4.5, p.text(locales.KY, key, args...), p.text(locales.RU, key, args...))
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
