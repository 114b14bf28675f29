package app

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/testworld"
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
	request := httptest.NewRequest("POST", "/", strings.NewReader("x"))
	request.Header["Content-Encoding"] = []string{"identity", "gzip"} // who unpacks obeys the last
	response, err := f.Test(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != 415 {
		t.Errorf("said twice: %d", response.StatusCode)
	}
}

// Under /v1 the refusal is a problem in the caller's language (A13).
func TestPackedBodiesOfTheAPI(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	f := fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(texts, slog.New(slog.DiscardHandler))})
	f.Use(unpacked)
	request := httptest.NewRequest("POST", "/v1/codes", strings.NewReader("x"))
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("Accept-Language", "ru")
	response, err := f.Test(request)
	testworld.OK(t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	testworld.OK(t, err)
	if response.StatusCode != 415 || response.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(answer), "без сжатия") {
		t.Errorf("%d %s", response.StatusCode, answer)
	}
}

// A request that panics is our fault, and nothing of the panic's text is told.
func TestAPanicIsNotRepeated(t *testing.T) {
	t.Parallel()
	texts, err := locales.Load()
	testworld.OK(t, err)
	var log strings.Builder
	f := fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(texts, slog.New(slog.NewTextHandler(&log, nil)))})
	f.Use(steady)
	f.Post("/", func(c *fiber.Ctx) error { panic(string(c.Body())) })
	response, err := f.Test(httptest.NewRequest("POST", "/", strings.NewReader("20101198877665")))
	testworld.OK(t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	testworld.OK(t, err)
	if response.StatusCode != 500 || !strings.Contains(log.String(), "packed_test.go") || strings.Contains(log.String()+string(answer), "20101198877665") {
		t.Errorf("%d %s; log %s", response.StatusCode, answer, &log)
	}
}
