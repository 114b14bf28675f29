package certificate_test

import (
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// midnights are the last moment of a day and the first of the next, in UTC and in
// Bishkek, with the day in Bishkek.
var midnights = map[string]string{
	"2026-11-23T17:59:59Z": "23.11.2026", "2026-11-23T18:00:00Z": "24.11.2026",
	"2026-11-23T23:59:59Z": "24.11.2026", "2026-11-24T00:00:00Z": "24.11.2026",
	"2026-12-31T17:59:59Z": "31.12.2026", "2026-12-31T18:00:00Z": "01.01.2027",
}

// TestOneDayOnEveryChannel (A1): the PDF, the screen, the text message and what REST
// and the page are made of name one day for a certificate, whenever it was issued.
func TestOneDayOnEveryChannel(t *testing.T) {
	t.Parallel()
	for moment, want := range midnights {
		t.Run(moment, func(t *testing.T) {
			t.Parallel()
			h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			c := aigul(moment)
			c.Now = must[time.Time](t)(time.Parse(time.RFC3339, moment))
			issued := must[certificate.Certificate](t)(h.Request(t.Context(), c, certificate.Residential))
			pdf := testworld.PDFText(t, must[[]byte](t)(h.PDF(t.Context(), c, issued.Number)))
			view := must[certificate.View](t)(h.Verify(t.Context(), c, issued.Number))
			dialled := newConversation(t, h, locales.RU)
			dialled.start("")
			dialled.say("1")
			dialled.say("2")
			for channel, text := range map[string]string{
				"PDF": pdf, "screen": dialled.say(issued.Number), "message": newConversation(t, h, locales.KY).start("ТЕКШЕР " + issued.Number),
				"REST": clock.ShowDate(clock.Date(view.IssuedAt)), "page": clock.Day(view.IssuedAt),
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: not issued on %s: %q", channel, want, text)
				}
			}
			other := clock.ShowDate(c.Now.UTC()) // the day in UTC
			if other != want && strings.Contains(pdf, other) {
				t.Errorf("the document names %s too", other)
			}
		})
	}
}
