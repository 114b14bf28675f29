package registry

import (
	"errors"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// errMoment is for a date in none of the known forms.
var errMoment = errors.New("a date in an unknown form")

// parseMoment reads the forms in which the registers write dates; a moment
// without a zone is Bishkek's. An empty text is the zero time.
func parseMoment(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t.UTC(), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", time.DateOnly, "02.01.2006"} {
		if t, err := time.ParseInLocation(layout, text, clock.Bishkek); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errMoment
}
