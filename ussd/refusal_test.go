package ussd_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/ussd"
)

// refusals are how each format words a refusal.
var refusals = map[string]func(status int, why string) string{
	"africastalking": func(_ int, why string) string { return why },
	"infobip": func(status int, why string) string {
		return fmt.Sprintf(`{"ussdMenu":"","shouldClose":true,"responseExitCode":%d,"responseMessage":%q}`, status, why)
	},
	"hubtel": func(_ int, why string) string { return fmt.Sprintf(`{"error":%q}`, why) },
	"plain":  func(_ int, why string) string { return fmt.Sprintf(`{"error":%q}`, why) },
}

// A gateway reads every refusal in its own format, and what is refused has no
// effect.
func TestRefusalsInTheGatewaysFormat(t *testing.T) {
	t.Parallel()
	eachGateway(t, ussd.Auth{Secret: secretWord}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		path, kind, body := turn(2, phone, "1")
		isJSON, name := kind == "application/json", strings.TrimPrefix(base, "/ussd/")
		want := []string{"secret", "too_large", "malformed"}
		for _, c := range []struct {
			secret, kind, body string
			status             int
			why                string
		}{
			{"", kind, body, http.StatusForbidden, "forbidden"},
			{secretWord, kind, strings.Repeat("x", 600<<10), http.StatusRequestEntityTooLarge, "the request is too large"},
			{secretWord, kind, strings.Replace(body, phone, "nobody", 1), http.StatusBadRequest, "a phone number is needed"},
			{secretWord, "text/plain", body, http.StatusUnsupportedMediaType, "the Content-Type is application/json"},
		} {
			if c.status == http.StatusUnsupportedMediaType {
				if !isJSON {
					continue
				}
				want = append(want, "media_type")
			}
			response, answer := b.send("POST", base+path, c.kind, c.body, ussd.SecretHeader, c.secret)
			if response.StatusCode != c.status || answer != refusals[name](c.status, c.why) {
				t.Errorf("answered %d %q, want %d %q", response.StatusCode, answer, c.status, refusals[name](c.status, c.why))
			}
			if got := response.Header.Get("Content-Type"); strings.HasPrefix(got, "application/json") != isJSON {
				t.Errorf("%d is of type %s", c.status, got)
			}
		}
		if len(b.taken()) != 0 || !slices.Equal(b.refused, want) {
			t.Errorf("%d turns, refused %v, want %v", len(b.taken()), b.refused, want)
		}
	})
}

func TestContentTypeOfJSON(t *testing.T) {
	t.Parallel()
	eachGateway(t, ussd.Auth{Secret: secretWord}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		path, kind, body := turn(2, phone, "1")
		if kind != "application/json" {
			return
		}
		for given, want := range map[string]int{
			"": 200, "application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON ;charset=UTF-8": 200,
			"application/x-www-form-urlencoded": 415, "text/json": 415, "application/jsonx": 415, "application/problem+json": 415, ";": 200,
		} {
			if response, answer := b.send("POST", base+path, given, body, ussd.SecretHeader, secretWord); response.StatusCode != want {
				t.Errorf("%q was answered %d %s, want %d", given, response.StatusCode, answer, want)
			}
		}
		if len(b.taken()) != 5 || len(b.refused) != 4 {
			t.Errorf("%d turns, refused %v", len(b.taken()), b.refused)
		}
	})
}

// What the session takes for a replay is refused, and no apology is shown.
func TestReplayedIsRefused(t *testing.T) {
	t.Parallel()
	eachGateway(t, ussd.Auth{Secret: secretWord}, func(t *testing.T, b *bench, base string, turn func(int, string, string) (string, string, string)) {
		path, kind, body := turn(2, phone, "again")
		response, answer := b.send("POST", base+path, kind, body, ussd.SecretHeader, secretWord)
		want := refusals[strings.TrimPrefix(base, "/ussd/")](http.StatusForbidden, "the request was answered before")
		if response.StatusCode != http.StatusForbidden || answer != want || !slices.Equal(b.refused, []string{"replayed"}) || b.log.Len() > 0 {
			t.Errorf("answered %d %q, refused %v, log %s", response.StatusCode, answer, b.refused, b.log.String())
		}
	})
}
