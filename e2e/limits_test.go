package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// held wants an answer 429 whose Retry-After is whole seconds within the span, and
// gives its body.
func (d *door) held(response *http.Response, within time.Duration) string {
	d.t.Helper()
	body := string(d.read(response))
	wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != http.StatusTooManyRequests || err != nil || wait < 1 || wait > int(within.Seconds()) {
		d.t.Errorf("%s: %d, Retry-After %q, within %v: %s", response.Request.URL.Path, response.StatusCode,
			response.Header.Get("Retry-After"), within, body)
	}
	return body
}

// raw posts JSON and gives the whole answer, headers too.
func (d *door) raw(path string, in any) *http.Response {
	d.t.Helper()
	data, err := json.Marshal(in)
	if err != nil {
		d.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, bytes.NewReader(data))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept-Language", "en")
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	return response
}

// named reads the moment that a refusal names and wants it within the hour or so.
func (d *door) named(text string) {
	d.t.Helper()
	_, moment, ok := strings.Cut(text, "The next: ")
	if !ok || len(moment) < len("02.01.2006 15:04") {
		d.t.Fatalf("the refusal names no moment: %s", text)
	}
	at, err := time.ParseInLocation("02.01.2006 15:04", moment[:len("02.01.2006 15:04")], clock.Bishkek)
	// The whole minute after the wait: who tries then is not refused.
	if left := time.Until(at); err != nil || left < 30*time.Minute || left > time.Hour+time.Minute {
		d.t.Errorf("the refusal names %s (%v): %s", at, err, text)
	}
}

// TestS5S6LimitsOverREST: whoever shares an address is served after its 30th code; a
// phone's limit and that of QR codes are answered with 429, how long in the header,
// which limit and until when in words, over REST and on the page.
func TestS5S6LimitsOverREST(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.t = t
		for i := range 45 {
			phone := fmt.Sprintf("+99670700%04d", i)
			if status := d.json(http.MethodPost, "/v1/codes", "", map[string]string{"phone": phone}, nil); status != http.StatusAccepted {
				t.Fatalf("phone %d behind one address: %d", i, status)
			}
		}
		again := map[string]string{"phone": "+996707000000"}
		if status := d.json(http.MethodPost, "/v1/codes", "", again, nil); status != http.StatusAccepted {
			t.Errorf("a second code: %d", status)
		}
		for n := range 3 { // S7: others must not keep the owner out, whose inbox has one long code
			if status := d.json(http.MethodPost, "/v1/codes", "", again, nil); status != http.StatusAccepted || len(d.inbox(again["phone"])) > 3 {
				t.Errorf("request %d: %d, %d messages", n+3, status, len(d.inbox(again["phone"])))
			}
		}
		for i := range 300 {
			if response := d.raw("/v1/verifications", map[string]string{"qr": fmt.Sprint("ESHIK1:FORGED", i)}); response.StatusCode != http.StatusBadRequest {
				t.Fatalf("code %d: %d %s", i, response.StatusCode, d.read(response))
			} else {
				d.read(response)
			}
		}
		body := d.held(d.raw("/v1/verifications", map[string]string{"qr": "ESHIK1:FORGED"}), time.Hour)
		if !strings.Contains(body, "problem.certificate_checks_many") || !strings.Contains(body, "300") {
			t.Errorf("one code too many: %s", body)
		}
		d.named(body)
		page, err := d.client.PostForm(d.url+"/verify?lang=en", url.Values{"qr": {"ESHIK1:ANOTHER"}})
		if err != nil {
			t.Fatal(err)
		}
		d.named(d.held(page, time.Hour))
	})
}
