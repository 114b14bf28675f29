package app

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/web"
)

// TestBrowserHeaders: what a browser is told of every answer, and that it is to keep to
// https where people reach us so.
func TestBrowserHeaders(t *testing.T) {
	t.Parallel()
	for public, strict := range map[string]string{
		"http://127.0.0.1:8080": "", "https://eshik.example.kg": "max-age=31536000; includeSubDomains",
	} {
		a := &App{config: &Config{PublicURL: public}}
		f := fiber.New()
		f.Use(a.secure)
		f.Get("/", func(c *fiber.Ctx) error { return c.SendString("shown") })
		response, err := f.Test(httptest.NewRequest("GET", "/", nil))
		testworld.OK(t, err)
		testworld.OK(t, response.Body.Close())
		for header, want := range map[string]string{
			"Strict-Transport-Security": strict, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		} {
			if got := response.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", public, header, got, want)
			}
		}
	}
	for _, policy := range []string{web.PlainPolicy, web.ScriptPolicy} {
		for _, want := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
				t.Errorf("the pages' policy %q lacks %s, or allows what is written inside a page", policy, want)
			}
		}
	}
}
