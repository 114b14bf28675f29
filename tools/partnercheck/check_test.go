package partnercheck_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/tools/partnercheck"
)

// double answers every request alike, but one for a token.
func double(t *testing.T, status int, kind, body string) partnercheck.Target {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, secret, _ := r.BasicAuth(); r.URL.Path == "/partner/oauth/token" && secret == "right" {
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":300}`))
			return
		}
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return partnercheck.Target{Address: server.URL, ID: "demo-wallet", Secret: "right", Owing: "01KG123ABC", Clean: "01KG777AAA", Pay: true}
}

// TestADoubleThatDiffers: whatever a server says to everything alike, no promise is said to hold,
// and each is tried.
func TestADoubleThatDiffers(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]partnercheck.Target{
		"always yes":   double(t, 200, "application/json", `{}`),
		"always no":    double(t, 404, "application/problem+json", `{"status":404,"title":"Not Found","detail":"no","code":"problem.other"}`),
		"a page":       double(t, 200, "text/html", `<html>`),
		"out of order": double(t, 500, "text/plain", `oops`),
	} {
		tried, held := 0, []string{}
		err := partnercheck.Run(t.Context(), d, "1", func(r partnercheck.Result) {
			tried++
			if r.Err == nil {
				held = append(held, r.Promise)
			}
		})
		if err == nil || len(held) > 0 || tried != 11 {
			t.Errorf("%s: %d tried, %q hold, %v", name, tried, held, err)
		}
	}
}

// TestNothingWithoutAToken: where nobody signs in, the rest is not blamed.
func TestNothingWithoutAToken(t *testing.T) {
	t.Parallel()
	d := double(t, 401, "application/json", `{"error":"invalid_client"}`)
	d.Secret = "wrong"
	tried := 0
	if err := partnercheck.Run(t.Context(), d, "1", func(partnercheck.Result) { tried++ }); err == nil || tried != 1 {
		t.Errorf("%d were tried, %v", tried, err)
	}
}

func TestTell(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	partnercheck.Tell(&out, partnercheck.Result{Promise: "this"})
	partnercheck.Tell(&out, partnercheck.Result{Promise: "that", Err: errors.New("why")})
	if got := out.String(); !strings.Contains(got, "ok    this\n") || !strings.Contains(got, "FAIL  that\n      why\n") {
		t.Error(got)
	}
}
