package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/locales"
)

// ask sends a request to the static files.
func ask(t *testing.T, h http.Handler, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStaticHoldsWhatPagesName: every file that a page names is there, under a
// name that changes with its content, and may be kept for good.
func TestStaticHoldsWhatPagesName(t *testing.T) {
	t.Parallel()
	pages := testPages(t)
	hashed := regexp.MustCompile(`^/static/.+\.[0-9a-f]{12}\.[a-z]+$`)
	found := 0
	for place, page := range all(t, pages, locales.RU) {
		for _, m := range regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(page, -1) {
			found++
			response := ask(t, pages.Static(), http.MethodGet, m[1])
			if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s: %s: %s %q", place, m[1], response.Status, response.Header.Get("Cache-Control"))
			}
			if !hashed.MatchString(m[1]) {
				t.Errorf("%s names %s without a digest", place, m[1])
			}
		}
	}
	if found < 10 {
		t.Fatalf("only %d files are named", found)
	}
}

// TestStaticIsPacked: what a client takes, what it has already, and what it must
// not be given.
func TestStaticIsPacked(t *testing.T) {
	t.Parallel()
	pages := testPages(t)
	const path = "/static/eshik.css"
	plain := text(t, ask(t, pages.Static(), http.MethodGet, path).Body)
	if !strings.Contains(plain, "prefers-color-scheme") {
		t.Fatal("not the style sheet")
	}
	for header, packed := range map[string]bool{
		"gzip": true, "gzip, deflate, br": true, "GZIP;q=0.5": true, "x-gzip": true, "*": true, "br;q=1, *;q=0.1": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.0": false, "*;q=0": false, "gzip;q=0, *": false,
		"*, gzip;q=0": false, "gzip;q=x": false, "gzipped": false,
	} {
		response := ask(t, pages.Static(), http.MethodGet, path, "Accept-Encoding", header)
		if got := response.Header.Get("Content-Encoding") == "gzip"; got != packed || response.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: packed %v, Vary %q", header, got, response.Header.Get("Vary"))
		}
		body := io.Reader(response.Body)
		if packed {
			reader, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = reader
		}
		if text(t, body) != plain || response.Header.Get("Content-Type") != "text/css; charset=utf-8" {
			t.Errorf("%q: another body, or %q", header, response.Header.Get("Content-Type"))
		}
		again := ask(t, pages.Static(), http.MethodGet, path, "Accept-Encoding", header, "If-None-Match", response.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || again.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%q: %s %q where nothing changed", header, again.Status, again.Header.Get("Cache-Control"))
		}
	}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodHead, path, http.StatusOK},
		{http.MethodPost, path, http.StatusMethodNotAllowed},
		{http.MethodGet, "/static/eshik.000000000000.css", http.StatusNotFound},
		{http.MethodGet, "/static/", http.StatusNotFound},
		{http.MethodGet, "/static/../pages/home.html", http.StatusNotFound},
	} {
		if response := ask(t, pages.Static(), c.method, c.path); response.StatusCode != c.want {
			t.Errorf("%s %s: %s", c.method, c.path, response.Status)
		}
	}
}
