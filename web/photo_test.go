package web

import (
	"bytes"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// TestPhotoPage: in both languages whichever it is asked for in, with a button where the link is good
// and without one where it is not, and with no script and no address of the link's.
func TestPhotoPage(t *testing.T) {
	t.Parallel()
	why := func(loc locales.Locale) string { return "<b>" + string(loc) + "</b>" }
	for name, c := range map[string]struct {
		view       PhotoView
		want, lack []string
	}{
		"good":  {PhotoView{Opens: true}, []string{"Сүрөттү көрүү", "Показать фото", `<form method="post">`}, []string{"✗", "notice bad"}},
		"gone":  {PhotoView{Problem: why}, []string{"✗", "&lt;b&gt;ky", "&lt;b&gt;ru"}, []string{"<form", "<button"}},
		"later": {PhotoView{Problem: why, Opens: true}, []string{"&lt;b&gt;ky", "&lt;b&gt;ru", "Шилтеме иштей берет", "Ссылка ещё действует", `<form method="post">`}, []string{"✗"}},
	} {
		for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.KYLatn, locales.EN} {
			var page bytes.Buffer
			if err := testPages(t).Photo(&page, loc, c.view); err != nil {
				t.Fatal(err)
			}
			for _, want := range append(c.want, `<html lang="`+string(loc)+`"`, `lang="ky">`, `lang="ru">`, `content="no-referrer"`, `content="noindex"`) {
				if !strings.Contains(page.String(), want) {
					t.Errorf("%s %s lacks %q", name, loc, want)
				}
			}
			for _, lack := range append(c.lack, "<script", "ZgotmplZ", ">photo.", PhotoPath) {
				if strings.Contains(page.String(), lack) {
					t.Errorf("%s %s holds %q", name, loc, lack)
				}
			}
		}
	}
}
