package certificate_test

import (
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestTheRussianColumnNamesPlacesInRussian: regions and districts that the list knows
// are in Russian, all else is as the register has it, and what was signed before there
// was a list reads as it was printed.
func TestTheRussianColumnNamesPlacesInRussian(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	for _, c := range []struct {
		edition  int
		ky, want string
	}{
		{1, "Чүй облусу, Сокулук району, Төмөн-Суу айылы, Достук көчөсү, 12", "Чуйская область, Сокулукский район, Төмөн-Суу айылы, Достук көчөсү, 12"},
		{1, "Бишкек, Ленин району, Бишкек, Чүй проспектиси, 114, 21", "Бишкек, Ленинский район, Бишкек, Чүй проспектиси, 114, 21"},
		{1, "Чүй, Аламүдүн району, Лебединовка, Достук, 7", "Чуйская область, Аламудунский район, Лебединовка, Достук, 7"},
		{1, "Талас, Талас району, Чүй, 1", "Таласская область, Таласский район, Чүй, 1"},
		{1, "Нарын, Достук, 7", "Нарын, Достук, 7"},                         // a town: no district follows
		{1, "Чүй, Ленин району, 7", "Чүй, Ленинский район, 7"},              // a district of another region
		{1, "Ош шаары, Ленин көчөсү, 7", "город Ош, Ленин көчөсү, 7"},       // a street, not a district
		{1, "Жаңы облусу, Белгисиз району", "Жаңы облусу, Белгисиз району"}, // not on the list
		{1, "", ""},
		{0, "Чүй облусу, Сокулук району, Достук, 12", "Чүй облусу, Сокулук району, Достук, 12"},
	} {
		words := h.Words(certificate.Signed{Record: certificate.Record{Kind: certificate.Residential, Address: c.ky, Places: c.edition}})
		for _, w := range words {
			want := map[locales.Locale]string{locales.KY: c.ky, locales.RU: c.want}[w.Locale]
			if got := w.Lines[len(w.Lines)-1].Value; got != want {
				t.Errorf("edition %d, %s: %q, not %q", c.edition, w.Locale, got, want)
			}
		}
	}
	issued := asked(t, h, "t1", certificate.Family)
	signed := must[certificate.Signed](t)(h.VerifyQR(t.Context(), caller.Caller{Channel: caller.Web, Now: noon}, certificate.Payload(t, h.Service, issued.Number)))
	if signed.Record.Places != 1 {
		t.Errorf("the edition that was signed is %d", signed.Record.Places)
	}
}
