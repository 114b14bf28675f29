package api

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/problem"
)

// catalogue reads the locale files.
func catalogue(t *testing.T) *locales.Catalogue {
	t.Helper()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// TestWhatEndsBeforeItIsRead: the language of a request whose headers were not read to
// their end, or are lost with its body, is not known; it is answered in both.
func TestWhatEndsBeforeItIsRead(t *testing.T) {
	t.Parallel()
	app := fiber.New(fiber.Config{
		ErrorHandler: ErrorHandler(catalogue(t), slog.New(slog.DiscardHandler)), DisableStartupMessage: true,
		BodyLimit: 1 << 10, ReadTimeout: 100 * time.Millisecond,
	})
	app.Post("/", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	const post = "POST / HTTP/1.1\r\nHost: eshik\r\nAccept-Language: ru\r\n"
	for name, c := range map[string]struct {
		sent     string
		status   int
		language string
		short    string
	}{
		"half a body":        {post + "Content-Length: 9\r\n\r\n{\"a", http.StatusRequestTimeout, "ky, ru", ""},
		"half the headers":   {post + "X-Mor", http.StatusRequestTimeout, "ky, ru", ""},
		"half a line":        {"POST / HT", http.StatusRequestTimeout, "ky, ru", ""},
		"no HTTP":            {"HELLO\r\n\r\n", http.StatusBadRequest, "ky, ru", "header  other"},
		"a broken chunk":     {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", http.StatusBadRequest, "ky, ru", "header  other"},
		"headers too large":  {post + "X-More: " + strings.Repeat("4", 5000) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge, "ky, ru", ""},
		"a body too large":   {post + "Content-Length: 9999\r\n\r\n", http.StatusRequestEntityTooLarge, "ru", ""},
		"read, and too much": {"PUT / HTTP/1.1\r\nHost: eshik\r\nAccept-Language: ru\r\nContent-Length: 0\r\n\r\n", http.StatusMethodNotAllowed, "ru", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			if _, err := connection.Write([]byte(c.sent)); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			var p told
			if err := json.NewDecoder(response.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != c.status || response.Header.Get("Content-Language") != c.language || p.short() != c.short {
				t.Errorf("%d in %q: %+v", response.StatusCode, response.Header.Get("Content-Language"), p)
			}
			if both := strings.Contains(p.Detail, " / "); both != (c.language == "ky, ru") {
				t.Errorf("in %s: %q", c.language, p.Detail)
			}
		})
	}
}

// innards is what no sentence for people holds: addresses and words for developers.
var innards = regexp.MustCompile(`/v1|/docs|POST|GET|PUT|JSON|UTF-8|application/|HTTP|header|schema|endpoint`)

// TestNoSentenceIsForDevelopers: whatever detail a problem has, a citizen can read it.
func TestNoSentenceIsForDevelopers(t *testing.T) {
	t.Parallel()
	texts := catalogue(t)
	keys := slices.Collect(maps.Values(OwnStatuses()))
	keys = append(keys, errRequest.Key, "problem.no_route", "problem.token_missing", "problem.level_proven", errBadToken)
	for _, code := range FaultCodes {
		keys = append(keys, code.Key())
	}
	for _, key := range keys {
		for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.EN} {
			text := texts.Text(loc, key, "n", 3, "choices", "a, b")
			if found := innards.FindString(text); found != "" || text == "" || text == key {
				t.Errorf("%s in %s holds %q: %q", key, loc, found, text)
			}
		}
	}
}

// TestTheSentenceAndTheHeaderNameOneWait: of a refusal for a while, in every language.
func TestTheSentenceAndTheHeaderNameOneWait(t *testing.T) {
	t.Parallel()
	texts, minute := catalogue(t), time.Date(2026, 11, 29, 4, 3, 0, 0, time.UTC)
	for _, key := range []string{
		"problem.identity_codes_many", "problem.identity_codes_unused", "problem.identity_guesses_many", "problem.fine_plates",
		"problem.preschool_looks_many", "problem.certificate_many", "problem.certificate_checks_many", "problem.identity_blocked",
	} {
		for _, c := range []struct {
			past, wait, told time.Duration
			named            string
		}{
			{0, time.Second, time.Second, "29.11.2026 10:04"},
			{0, 7 * time.Minute, 7 * time.Minute, "29.11.2026 10:10"},
			{0, 7*time.Minute - time.Microsecond, 7 * time.Minute, "29.11.2026 10:10"},
			{0, 7*time.Minute + time.Microsecond, 7*time.Minute + time.Second, "29.11.2026 10:11"},
			{time.Microsecond, 7 * time.Minute, 7 * time.Minute, "29.11.2026 10:11"},
			{59 * time.Second, time.Second, time.Second, "29.11.2026 10:04"},
			{59 * time.Second, 1500 * time.Millisecond, 2 * time.Second, "29.11.2026 10:05"},
			{500 * time.Millisecond, 59400 * time.Millisecond, time.Minute, "29.11.2026 10:05"},
			{59999 * time.Millisecond, time.Millisecond, time.Second, "29.11.2026 10:05"},
			{0, 25 * time.Hour, 25 * time.Hour, "30.11.2026 11:03"},
			{0, 13*time.Hour + 56*time.Minute + time.Second, 13*time.Hour + 56*time.Minute + time.Second, "30.11.2026 00:00"},
		} {
			p := problem.New(problem.TooMany, key, "n", 10).Until(minute.Add(c.past), c.wait)
			if p.RetryAfter != c.told {
				t.Errorf("%s: to wait %v, not %v", key, p.RetryAfter, c.told)
			}
			for _, loc := range []locales.Locale{locales.KY, locales.RU, locales.EN} {
				if text := texts.Text(loc, p.Key, p.Args...); !strings.Contains(text, c.named) {
					t.Errorf("%s in %s %v past the minute for %v: %q", key, loc, c.past, c.wait, text)
				}
			}
		}
	}
}
