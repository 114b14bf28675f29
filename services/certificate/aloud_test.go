package certificate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestThePaperReadsAloud: a program that reads a certificate aloud says all that is signed, in Kyrgyz and then in
// Russian, also over three pages and where names are long and have quotes; and the file is for archives.
func TestThePaperReadsAloud(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	many := make([]certificate.Member, 40)
	for i := range many {
		name := fmt.Sprintf("Токтогулова-Абдымомунова \"Үмүт\" (%d) %s \\кызы", i, strings.Repeat("Өмүр", 20))
		many[i] = certificate.Member{Person: certificate.Person{Name: name, Born: "1961-01-30"}, Relation: "child"}
	}
	for pages, members := range map[int][]certificate.Member{1: largeFamily()[:2], 2: largeFamily(), 6: many} {
		h.register.members = members
		h.Clock.Pass(time.Hour) // what was ordered a moment ago would be given again
		asks := aigul(fmt.Sprint("pages", pages))
		asks.Now = h.Clock.Now()
		issued := must[certificate.Certificate](t)(h.Request(t.Context(), asks, certificate.Family))
		document := must[[]byte](t)(h.PDF(t.Context(), aigul(""), issued.Number))
		testworld.Archived(t, document)
		if n := strings.Count(string(document), "/Type /Page\n"); n != pages {
			t.Errorf("%d members: %d pages", len(members), n)
		}
		signed := must[certificate.Signed](t)(h.VerifyQR(t.Context(), anybody, certificate.Payload(t, h.Service, issued.Number)))
		var want []string
		for _, w := range h.Words(signed) {
			want = append(want, aloud(h, w, issued.Number, issued.IssuedAt)...)
		}
		if got := testworld.ReadAloud(t, document); !slices.Equal(got, want) {
			t.Errorf("%d members are read aloud:\n%q\nnot\n%q", len(members), got, want)
		}
	}
}

// aloud is what is to be read of a certificate in one language.
func aloud(h *world, w certificate.Words, number string, issued time.Time) []string {
	text := func(key string, args ...any) string {
		return strings.ReplaceAll(h.Texts.Text(w.Locale, "certificate.pdf_"+key, args...), "\n", " ")
	}
	out := []string{text("state"), w.Title, w.Lines[0].Label + " " + w.Lines[0].Value + " " + w.Lines[1].Label + ": " + w.Lines[1].Value}
	for _, line := range w.Lines[2:] {
		if line.Label != "" {
			out = append(out, line.Label)
		}
		out = append(out, line.Value)
	}
	return append(out, text("source_aimak", "date", issued.Format("02.01.2006")), text("verify"),
		text("how", "url", "https://eshik.example.kg/verify", "phone", "1414", "certificate", certificate.ShowNumber(number)))
}
