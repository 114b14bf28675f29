package public

import (
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestThePageNamesBishkeksDay (A1): the page that verifies, at both midnights.
func TestThePageNamesBishkeksDay(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	site := &Site{Texts: texts}
	for moment, want := range map[string]string{
		"2026-11-28T17:59:59Z": "28.11.2026", "2026-11-28T18:00:00Z": "29.11.2026",
		"2026-11-28T23:59:59Z": "29.11.2026", "2026-11-29T00:00:00Z": "29.11.2026",
	} {
		at, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		answer := site.answer(certificate.View{Kind: certificate.Residential, IssuedAt: at, RevokedAt: at}, locales.KY)
		if answer.Issued != want || answer.Revoked != want {
			t.Errorf("%s: issued %s, revoked %s", moment, answer.Issued, answer.Revoked)
		}
	}
}
