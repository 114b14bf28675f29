package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// newApp serves the citizens' contract with a handler that answers every
// operation; only "good", "other" and "phone" are tokens, the last of a phone on
// which nobody proved who they are.
func newApp(t *testing.T) *fiber.App {
	t.Helper()
	return serving(t, nil, func(c *fiber.Ctx) error { return c.SendString(CallerFrom(c.UserContext()).Key) })
}

// serving is newApp where phones chose languages, with another handler.
func serving(t *testing.T, languages chosen, handler fiber.Handler) *fiber.App {
	t.Helper()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("citizen/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	authenticate := func(_ context.Context, bearer string) (Principal, error) {
		who, known := map[string]Principal{
			"good": {Phone: "+996555000001", Subject: "citizen", Level: caller.LevelWeak}, "other": {Phone: "+996700000002", Subject: "another"}, "weak": {Phone: "+996770000004", Subject: "weak"}, "phone": {Phone: "+996770000003"},
		}[bearer]
		if !known {
			return Principal{}, problem.New(problem.Unauthenticated, "problem.identity_token")
		}
		return who, nil
	}
	contract, err := NewContract(document, Audience{
		Channel: caller.REST, Gateway: "rest", Authenticate: Bearer(authenticate), Challenge: BearerChallenge("prove who you are"),
		Levels: map[string]Level{"phone": nil, "proven": func(_ context.Context, p Principal) (Principal, error) {
			if p.Subject == "" {
				return p, problem.New(problem.Unproven, "problem.level_proven")
			}
			return p, nil
		}, "strong": func(ctx context.Context, p Principal) (Principal, error) {
			switch {
			case p.Subject == "":
				return p, problem.New(problem.Unproven, "problem.level_proven")
			case p.Subject == "weak":
				return p, problem.New(problem.Weak, "problem.level_strong")
			}
			p.Level = caller.LevelStrong
			return p, nil
		}},
		Languages: languages, Operator: func(string) string { return "MegaCom" }, Now: time.Now,
		Index: func(turn string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(turn))) },
	})
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{ErrorHandler: ErrorHandler(catalogue, slog.New(slog.DiscardHandler)), Immutable: true})
	app.Use("/v1", contract.Middleware)
	app.All("/*", handler)
	return app
}

// chosen are the languages that phones chose.
type chosen map[string]locales.Locale

// Locale implements Languages.
func (c chosen) Locale(_ context.Context, phone string) (locales.Locale, error) { return c[phone], nil }

func call(t *testing.T, app *fiber.App, method, path, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Content-Type" {
			r.Header.Del(headers[i])
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data), response.Header
}

func TestABodyTooLarge(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{ErrorHandler: ErrorHandler(catalogue, slog.New(slog.DiscardHandler))})
	app.Post("/", func(*fiber.Ctx) error { return fiber.ErrRequestEntityTooLarge }) // as Fiber does before it routes
	status, body, header := call(t, app, "POST", "/", "{}")
	if status != http.StatusRequestEntityTooLarge || header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("answered %d %s", status, body)
	}
}

func TestTheContractIsHeld(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		want               int
	}{
		"allowed":        {"POST", "/v1/codes", `{"phone":"+996555000001"}`, nil, 200},
		"unknown field":  {"POST", "/v1/codes", `{"phone":"x","pin":"11503198800011"}`, nil, 400},
		"missing field":  {"POST", "/v1/codes", `{}`, nil, 400},
		"no JSON":        {"POST", "/v1/codes", `phone`, nil, 400},
		"no body":        {"POST", "/v1/codes", "", nil, 400},
		"no token":       {"GET", "/v1/certificates", "", nil, 401},
		"basic":          {"GET", "/v1/certificates", "", []string{"Authorization", "Basic good"}, 401},
		"bad token":      {"GET", "/v1/certificates", "", []string{"Authorization", "Bearer bad"}, 401},
		"token":          {"GET", "/v1/certificates", "", []string{"Authorization", "Bearer good"}, 200},
		"no key":         {"POST", "/v1/certificates", `{"kind":"RESIDENCE"}`, []string{"Authorization", "Bearer good"}, 400},
		"key no ASCII":   {"POST", "/v1/certificates", `{"kind":"RESIDENCE"}`, []string{"Authorization", "Bearer good", "Idempotency-Key", "ачкыч123"}, 400},
		"unknown kind":   {"POST", "/v1/certificates", `{"kind":"CAR"}`, []string{"Authorization", "Bearer good", "Idempotency-Key", "12345678"}, 400},
		"no such path":   {"GET", "/v1/admin", "", nil, 404},
		"no such method": {"DELETE", "/v1/certificates", "", []string{"Authorization", "Bearer good"}, 405},
		// A11: HEAD where GET is, and an empty parameter is no parameter.
		"only the head":       {"HEAD", "/v1/certificates", "", nil, 401},
		"head with a token":   {"HEAD", "/v1/certificates", "", []string{"Authorization", "Bearer good"}, 200},
		"head of a post":      {"HEAD", "/v1/codes", "", nil, 405},
		"head of nothing":     {"HEAD", "/v1/nothing", "", nil, 404},
		"empty id":            {"GET", "/v1/payments/", "", nil, 404},
		"empty id inside":     {"PUT", "/v1/payments//confirmation", "", nil, 404},
		"empty number":        {"GET", "/v1/verifications/", "", nil, 404},
		"empty number inside": {"GET", "/v1/certificates//document", "", nil, 404},
		"slash at the end":    {"GET", "/v1/preschool/districts/", "", nil, 404},
		"collection for id":   {"GET", "/v1/verifications", "", nil, 405},
		"empty query":         {"GET", "/v1/preschool/kindergartens?district=", "", nil, 400},
		"options":             {"OPTIONS", "/v1/certificates", "", nil, 204},
		"options of nothing":  {"OPTIONS", "/v1/nothing", "", nil, 404},
		// A9: the scheme is case-insensitive, the token is not.
		"lower scheme":  {"GET", "/v1/certificates", "", []string{"Authorization", "bearer good"}, 200},
		"upper scheme":  {"GET", "/v1/certificates", "", []string{"Authorization", "BEARER good"}, 200},
		"two spaces":    {"GET", "/v1/certificates", "", []string{"Authorization", "Bearer  good"}, 200},
		"scheme alone":  {"GET", "/v1/certificates", "", []string{"Authorization", "Bearer "}, 401},
		"no space":      {"GET", "/v1/certificates", "", []string{"Authorization", "Bearergood"}, 401},
		"another token": {"GET", "/v1/certificates", "", []string{"Authorization", "bearer GOOD"}, 401},
		// A13: the body is JSON in UTF-8.
		"text":              {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", "text/plain"}, 415},
		"form":              {"POST", "/v1/codes", `phone=%2B996555000001`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"no type":           {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", ""}, 415},
		"broken type":       {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", "application/json; charset"}, 415},
		"latin1":            {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", "application/json; charset=latin1"}, 415},
		"utf-16":            {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", "application/json; charset=utf-16"}, 415},
		"utf-8":             {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", `application/JSON; Charset="UTF-8"`}, 200},
		"another json":      {"POST", "/v1/codes", `{"phone":"+996555000001"}`, []string{"Content-Type", "application/problem+json"}, 415},
		"token before type": {"POST", "/v1/certificates", `x`, []string{"Content-Type", "text/plain"}, 401},
		"encoded slash":     {"GET", "/v1%2Fcertificates", "", nil, 404},
		// To Fiber these are numbers to verify, and the contract must think so too.
		"encoded dots":      {"GET", "/v1/verifications/%2e%2e%2fcertificates", "", nil, 200},
		"two readings":      {"GET", "/v1/verifications/..%2fcertificates", "", nil, 200},
		"NUL":               {"GET", "/v1/verifications/a%00b", "", nil, 400},
		"no UTF-8":          {"GET", "/v1/verifications/%ff", "", nil, 400},
		"NUL in a query":    {"GET", "/v1/preschool/kindergartens?district=%00", "", nil, 400},
		"NUL in JSON":       {"POST", "/v1/codes", `{"phone":"\u0000"}`, nil, 400},
		"double encoding":   {"GET", "/v1/%2563ertificates", "", nil, 404},
		"double slash":      {"GET", "/v1//certificates", "", nil, 404},
		"upper case":        {"GET", "/V1/certificates", "", nil, 404},
		"encoded letter":    {"GET", "/v1/%63ertificates", "", nil, 404},
		"dot segments":      {"GET", "/v1/codes/../certificates", "", nil, 404},
		"too many refs":     {"POST", "/v1/payments", `{"service":"fine","refs":[` + strings.Repeat(`"1",`, 60) + `"1"]}`, []string{"Authorization", "Bearer good"}, 400},
		"number too long":   {"GET", "/v1/verifications/" + strings.Repeat("A", 201), "", nil, 400},
		"date of the stats": {"GET", "/v1/statistics/usage?from=yesterday", "", nil, 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, header := call(t, app, c.method, c.path, c.body, c.headers...)
			if status != c.want {
				t.Fatalf("%d, not %d: %s", status, c.want, body)
			}
			if status >= 400 && header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("a problem is sent as %q", header.Get("Content-Type"))
			}
			if strings.Contains(body, "11503198800011") || strings.Contains(body, "schema") {
				t.Errorf("the answer repeats the input or the schema: %s", body)
			}
		})
	}
}

func TestAProblemSpeaksTheCallersLanguage(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for header, want := range map[string]string{
		"": "Алгач", "ru": "Сначала", "kg": "Алгач", "de, ru;q=0.5": "Сначала", "ky-Latn": "Algach", "en-GB": "Sign in",
		// A8: weights count (RFC 9110, section 12.5.4).
		"ru;q=0.1, ky;q=0.9": "Алгач", "ky;q=0.1, ru;q=0.9": "Сначала", "ky;q=0, ru;q=0.1": "Сначала", "ru;q=0": "Алгач",
		"en;q=0.8, ru;q=0.8": "Sign in", "ru; q=0.5 , kg;q=0.6": "Алгач", "ru-KG, ky;q=0.9": "Сначала", "RU": "Сначала",
		"*, ru;q=0.5": "Сначала", "not a tag!, ru": "Сначала", "ru;q=high, en;q=0.2": "Sign in", "ky-Latn-KG;q=0.4, de": "Algach",
		",,ru": "Сначала", strings.Repeat("de,", 31) + "ru": "Сначала", strings.Repeat("de,", 32) + "ru": "Алгач",
	} {
		_, body, answer := call(t, app, http.MethodGet, "/v1/certificates", "", "Accept-Language", header)
		language := map[string]string{"Алгач": "ky", "Сначала": "ru", "Algach": "ky-Latn", "Sign in": "en"}[want]
		if answer.Get("Content-Language") != language || !strings.Contains(answer.Get("Vary"), "Accept-Language") {
			t.Errorf("%q: answered in %q, varying by %q", header, answer.Get("Content-Language"), answer.Get("Vary"))
		}
		var p struct{ Detail, Code string }
		if err := json.Unmarshal([]byte(body), &p); err != nil || !strings.HasPrefix(p.Detail, want) || p.Code != "problem.token_missing" {
			t.Errorf("%q: %+v, %v", header, p, err)
		}
	}
}

func TestTheTurnIsThePhonesOwn(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	turn := func(token, key string) string {
		status, body, _ := call(t, app, http.MethodPost, "/v1/certificates", `{"kind":"RESIDENCE"}`,
			"Authorization", "Bearer "+token, "Idempotency-Key", key)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		return body
	}
	first := turn("good", "12345678")
	if first != turn("good", "12345678") || first == turn("other", "12345678") || first == turn("good", "12345679") {
		t.Error("a turn is one phone's one key")
	}
	if strings.Contains(first, "996555000001") || strings.Contains(first, "12345678") {
		t.Errorf("the turn tells who and what: %q", first)
	}
	_, body, _ := call(t, app, http.MethodGet, "/v1/certificates", "", "Authorization", "Bearer good", "Idempotency-Key", "12345678")
	if body != "" {
		t.Errorf("an operation without the header took it: %q", body)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "done"}, {errors.New("disk full"), "failed"}, {problem.New(problem.Unavailable, "problem.x"), "failed"},
		{problem.New(problem.Invalid, "problem.x"), "refused"},
	} {
		if got := Outcome(c.err); got != c.want {
			t.Errorf("%v is %q", c.err, got)
		}
	}
}
