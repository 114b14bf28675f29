package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fetch asks for a page or file as a browser does.
func (d *door) fetch(method, path string, headers ...string) (*http.Response, string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, http.NoBody)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,*/*;q=0.8")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	return response, string(d.read(response))
}

// links finds what a page leads to on its own server.
var links = regexp.MustCompile(`(?:href|src|action)="(/[^"#]*)`)

// crawl follows every link from the first page, and gives the pages it met. No
// link is dead, and none leads to another server.
func crawl(t *testing.T, d *door) []string {
	t.Helper()
	met := []string{"/?lang=ky"}
	for i := 0; i < len(met); i++ {
		response, body := d.fetch(http.MethodGet, strings.ReplaceAll(met[i], "&amp;", "&"))
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d", met[i], response.StatusCode)
		}
		if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range links.FindAllStringSubmatch(body, -1) {
			if !slices.Contains(met, m[1]) {
				met = append(met, m[1])
			}
		}
	}
	return met
}

// TestNoDeadLinks: the sandbox has a phone to try; production has none, and no
// page leads to one.
func TestNoDeadLinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open  func(t *testing.T) *door
		phone bool
	}{
		"sandbox":    {embedded, true},
		"production": {func(t *testing.T) *door { return production(t) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			met := crawl(t, c.open(t))
			for _, want := range []string{"/?lang=ru", "/verify?lang=ky", "/docs?lang=en", "/v1/openapi.yaml", "/v1/openapi.json", "/v1/statistics/usage.csv"} {
				if !slices.Contains(met, want) {
					t.Errorf("nothing leads to %s: %q", want, met)
				}
			}
			if slices.Contains(met, "/phone?lang=ky") != c.phone {
				t.Errorf("a link to the phone: %q", met)
			}
		})
	}
}

// TestStaticOverTheWire: what the pages name is packed, kept for good, and not
// sent again to who has it. The reference is asked for anew, and not sent again.
func TestStaticOverTheWire(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	_, page := d.fetch(http.MethodGet, "/docs?lang=ru")
	style := regexp.MustCompile(`/static/docs\.[0-9a-f]{12}\.css`).FindString(page)
	for path, control := range map[string]string{style: "public, max-age=31536000, immutable", "/docs?lang=ru": "no-cache", "/static/docs.css": "no-cache"} {
		packed, _ := d.fetch(http.MethodGet, path, "Accept-Encoding", "gzip, br")
		tag := packed.Header.Get("ETag")
		if packed.StatusCode != http.StatusOK || packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Cache-Control") != control || tag == "" {
			t.Errorf("%s: %s %v", path, packed.Status, packed.Header)
		}
		if !strings.Contains(strings.Join(packed.Header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s varies by %q", path, packed.Header.Values("Vary"))
		}
		again, body := d.fetch(http.MethodGet, path, "Accept-Encoding", "gzip, br", "If-None-Match", tag)
		if again.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("%s: %s and %d bytes to who has it", path, again.Status, len(body))
		}
		plain, _ := d.fetch(http.MethodGet, path, "Accept-Encoding", "identity")
		if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("ETag") == tag {
			t.Errorf("%s unpacked: %v", path, plain.Header)
		}
		if head, body := d.fetch(http.MethodHead, path); head.StatusCode != http.StatusOK || body != "" {
			t.Errorf("HEAD %s: %s, %d bytes", path, head.Status, len(body))
		}
	}
	if gone, _ := d.fetch(http.MethodGet, "/static/docs.000000000000.css"); gone.StatusCode != http.StatusNotFound {
		t.Errorf("a file that was never there: %s", gone.Status)
	}
}
