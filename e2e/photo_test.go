package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var photoLink = regexp.MustCompile(`/e/[0-9A-Za-z]{22}$`)

// linkToPhoto has Айгүл, who dials, be sent a link to the photo of a fine, and gives its path.
func linkToPhoto(d *door) string {
	d.t.Helper()
	before := len(d.inbox(aigul))
	c, screen := d.dial(aigul)
	if strings.Contains(screen, "Kyrgyzcha") {
		screen = c.say("", "1")
	}
	c.choose(screen, "Айып пулдар", "01KG123ABC")
	screen = c.say("", "01KG123ABC")
	if screen = c.choose(screen, "Чоо-жайы", ""); strings.Contains(screen, "SMS") { // no app of hers used a code just now
		screen = c.say("", d.code(aigul, before))
	}
	screen = c.proves(screen, "11503198800011", "ID1000001")
	screen = c.choose(screen, "Даттануу", "кайсы айып")
	screen = c.choose(screen, "ылдамдык", "")
	c.choose(screen, "Сүрөтү", "бир жолу")
	return photoLink.FindString(d.await(aigul, "/e/"))
}

// TestALinkShowsAPhotoOnce: programs that look at messages spend nothing, nor does a register that is
// down; then the photo comes, once, for no cache, and the link is in no log and no metric.
func TestALinkShowsAPhotoOnce(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	path := linkToPhoto(d)
	ask := func(method string, status int, holds ...string) *http.Response {
		t.Helper()
		response, body := d.ask(method, path)
		if response.StatusCode != status || response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("Referrer-Policy") != "no-referrer" ||
			response.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", method, response.StatusCode, response.Header)
		}
		for _, want := range holds {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q: %s", method, want, body)
			}
		}
		if strings.Contains(body, photoLink.FindString(path)) {
			t.Errorf("%s: the page has the link", method)
		}
		return response
	}
	for range 3 {
		ask(http.MethodGet, http.StatusOK, `<form method="post">`, "Сүрөттү көрүү", "Показать фото")
		ask(http.MethodHead, http.StatusOK)
	}
	d.faults(map[string]any{"outage": true})
	ask(http.MethodPost, http.StatusServiceUnavailable, `<form method="post">`, "Шилтеме иштей берет", "Ссылка ещё действует")
	d.faults(map[string]any{})
	d.until("the register answers again", func() bool {
		response, body := d.ask(http.MethodPost, path)
		if response.StatusCode != http.StatusOK {
			return false
		}
		if response.Header.Get("Content-Type") != "image/jpeg" || response.Header.Get("Cache-Control") != "no-store" || http.DetectContentType([]byte(body)) != "image/jpeg" {
			t.Errorf("the photo: %v, %d bytes", response.Header, len(body))
		}
		return true
	})
	ask(http.MethodPost, http.StatusGone, "бир гана жолу", "действует один раз")
	ask(http.MethodGet, http.StatusGone, "бир гана жолу", "действует один раз")
	token := strings.TrimPrefix(path, "/e/")
	for name, held := range map[string]string{"the log": d.stderr.String(), "the metrics": d.metrics()} {
		if strings.Contains(held, token) {
			t.Errorf("%s has the link", name)
		}
	}
	if !strings.Contains(d.metrics(), `/e/:token`) {
		t.Error("the page is not measured by its template")
	}
	path = "/e/" + strings.Repeat("a", 22)
	ask(http.MethodGet, http.StatusNotFound, "Мындай шилтеме жок", "Такой ссылки нет")
	ask(http.MethodPost, http.StatusNotFound, "Мындай шилтеме жок", "Такой ссылки нет")
	var seen struct {
		Usages []struct{ ActionCode, ReceiverCode string }
	}
	d.json(http.MethodGet, "/v1/own-data/usages", appOfAigul(d), nil, &seen)
	if !slices.ContainsFunc(seen.Usages, func(u struct{ ActionCode, ReceiverCode string }) bool {
		return u.ActionCode == "fine.photo_open" && u.ReceiverCode == "phone"
	}) {
		t.Errorf("the person cannot read that the photo was opened: %+v", seen)
	}
	d.fsck()
}
