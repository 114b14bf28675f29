package ussd_test

import (
	"net/http"
	"testing"

	"github.com/eshik-kg/eshik/ussd"
)

// Infobip asks whether a session is open, and tells its end with or without
// saying whose: only an end that can be placed has an effect.
func TestInfobipNotices(t *testing.T) {
	t.Parallel()
	b := newBench(t, "infobip", ussd.Auth{Secret: secretWord})
	const session = "/ussd/infobip/s1"
	for _, c := range []struct {
		method, path, body string
		want, ended        int
	}{
		{"GET", "/status", "", 200, 0},
		{"POST", "/status", `{"msisdn":"996555000001","text":"1"}`, 200, 0},
		{"PUT", "/end", `{"reason":"ok","exitCode":0}`, 200, 0},
		{"POST", "/end", `{"exitCode":`, 400, 0},
		{"PUT", "/end", `{"msisdn":"996555000001","exitCode":0}`, 200, 1},
		{"POST", "/end", `{"msisdn":"996555000001","exitCode":540,"reason":"timeout"}`, 200, 2},
		{"PUT", "/response", `{"msisdn":"996555000001","text":"1"}`, 405, 2},
	} {
		response, answer := b.send(c.method, session+c.path, "", c.body, ussd.SecretHeader, secretWord)
		if response.StatusCode != c.want || len(b.over()) != c.ended || len(b.taken()) != 0 {
			t.Errorf("%s %s %s: %d %s after %d ends and %d turns", c.method, c.path, c.body, response.StatusCode, answer, len(b.over()), len(b.taken()))
		}
	}
	for _, path := range []string{"/status", "/end"} {
		if response, _ := b.send("POST", session+path, "", "{}"); response.StatusCode != http.StatusForbidden {
			t.Errorf("%s without proof was answered %d", path, response.StatusCode)
		}
	}
}
