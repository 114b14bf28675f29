package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// A packed body is refused before anybody unpacks it.
func TestPackedBodies(t *testing.T) {
	t.Parallel()
	f := fiber.New()
	f.Use(unpacked)
	f.Post("/", func(c *fiber.Ctx) error { return c.SendString("taken") })
	for encoding, want := range map[string]int{"": 200, "identity": 200, "gzip": 415, "br": 415, "deflate, gzip": 415} {
		request := httptest.NewRequest("POST", "/", strings.NewReader("x"))
		if encoding != "" {
			request.Header.Set("Content-Encoding", encoding)
		}
		response, err := f.Test(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%q: %d, want %d", encoding, response.StatusCode, want)
		}
	}
}
