package api

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/platform/problem"
)

// shops is a contract of another audience: who calls has a name and a secret, and all
// but one operation is for them alone, by the document and not by each operation.
const shops = `
openapi: 3.0.3
info: {title: Shops, version: "1"}
security: [{shop: []}]
paths:
  /shops/v1/orders:
    post:
      operationId: order
      parameters: [{name: Idempotency-Key, in: header, required: true, schema: {type: string}}]
      responses: {"200": {description: Done}}
  /shops/v1/money:
    get: {operationId: money, security: [{large: []}, {shop: [], audited: []}], responses: {"200": {description: Money}}}
  /shops/v1/hours:
    get: {operationId: hours, security: [], responses: {"200": {description: Hours}}}
components:
  securitySchemes:
    shop: {type: http, scheme: basic}
    large: {type: http, scheme: basic}
    audited: {type: http, scheme: basic}
`

// shopAudience knows shops by their names; "large" is large, and "exact" audited.
func shopAudience() Audience {
	is := func(name string) Level {
		return func(_ context.Context, p Principal) (Principal, error) {
			if p.ID != name {
				return p, problem.New(problem.Unproven, "problem.level_proven")
			}
			return p, nil
		}
	}
	return Audience{
		Channel: caller.Partner, Gateway: "shop",
		Levels: map[string]Level{"shop": nil, "large": is("large"), "audited": is("exact")},
		Authenticate: func(c *fiber.Ctx) (Principal, error) {
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.Get(fiber.HeaderAuthorization), "Basic "))
			name, secret, _ := strings.Cut(string(raw), ":")
			if secret != "s" {
				return Principal{}, problem.New(problem.Unauthenticated, "problem.partner_secret")
			}
			return Principal{ID: name}, nil
		},
		Challenge: func(_ *problem.Error, status int) string {
			if status == http.StatusUnauthorized {
				return `Basic realm="shops"`
			}
			return ""
		},
		Index: func(turn string) string { return "turn:" + turn }, Now: func() time.Time { return time.Unix(7, 0) },
	}
}

// TestAnotherAudience: a contract of partners or staff is held as the citizens' is, with
// their own channel, credentials and levels.
func TestAnotherAudience(t *testing.T) {
	t.Parallel()
	catalogue, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	contract, err := NewContract([]byte(shops), shopAudience())
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{ErrorHandler: ErrorHandler(catalogue, slog.New(slog.DiscardHandler)), Immutable: true})
	app.Use("/shops/v1", contract.Middleware)
	app.All("/*", func(c *fiber.Ctx) error {
		who := CallerFrom(c.UserContext())
		return c.SendString(strings.Join([]string{string(who.Channel), who.Gateway, PrincipalFrom(c.UserContext()).ID, who.Phone, who.Key}, ","))
	})
	basic := func(name, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
	}
	for name, c := range map[string]struct {
		method, path, who, key string
		status                 int
		want                   string
	}{
		"for everybody":     {http.MethodGet, "/shops/v1/hours", "", "", 200, "partner,shop,,,"},
		"by the document":   {http.MethodPost, "/shops/v1/orders", basic("small", "s"), "k1", 200, "partner,shop,small,,turn:order|small|k1"},
		"another's key":     {http.MethodPost, "/shops/v1/orders", basic("exact", "s"), "k1", 200, "partner,shop,exact,,turn:order|exact|k1"},
		"no key":            {http.MethodPost, "/shops/v1/orders", basic("small", "s"), "", 400, "Idempotency-Key"},
		"a stranger":        {http.MethodPost, "/shops/v1/orders", basic("small", "x"), "k1", 401, "problem.partner_secret"},
		"nobody":            {http.MethodGet, "/shops/v1/money", "", "", 401, "problem.partner_secret"},
		"below the level":   {http.MethodGet, "/shops/v1/money", basic("small", "s"), "", 403, "problem.level_proven"},
		"one way in":        {http.MethodGet, "/shops/v1/money", basic("large", "s"), "", 200, "partner,shop,large,,"},
		"the other way in":  {http.MethodGet, "/shops/v1/money", basic("exact", "s"), "", 200, "partner,shop,exact,,"},
		"of another method": {http.MethodGet, "/shops/v1/orders", basic("small", "s"), "", 405, ""},
	} {
		headers := []string{"Authorization", c.who}
		if c.key != "" {
			headers = append(headers, "Idempotency-Key", c.key)
		}
		status, body, header := call(t, app, c.method, c.path, "", headers...)
		if status != c.status || !strings.Contains(body, c.want) || c.status == 200 && body != c.want {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, c.status, c.want)
		}
		if got := header.Get("WWW-Authenticate"); (got == `Basic realm="shops"`) != (c.status == 401) || got != "" && c.status != 401 {
			t.Errorf("%s: the challenge is %q", name, got)
		}
	}
}

// TestAContractThatNobodyCanMeet is found at the start, not by the first request.
func TestAContractThatNobodyCanMeet(t *testing.T) {
	t.Parallel()
	unknown := shopAudience()
	delete(unknown.Levels, "audited")
	open := shopAudience()
	open.Authenticate = nil
	for _, audience := range []Audience{unknown, open} {
		if _, err := NewContract([]byte(shops), audience); err == nil || errors.Is(err, errRequest) {
			t.Errorf("it is served: %v", err)
		}
	}
}

// TestAContractThatPlacesFaultsNowhere: a code that no answer has, a list that is none, and
// a problem of two fields of one request are found at the start.
func TestAContractThatPlacesFaultsNowhere(t *testing.T) {
	t.Parallel()
	const key = "{name: Idempotency-Key, in: header,"
	for name, says := range map[string]string{
		"no code":    key + " x-fault-of: {problem.shop: strange},",
		"no list":    key + " x-fault-of: problem.shop,",
		"two fields": "{name: day, in: query, x-fault-of: {problem.shop: range}, schema: {type: string}}, " + key + " x-fault-of: {problem.shop: format},",
	} {
		if _, err := NewContract([]byte(strings.Replace(shops, key, says, 1)), shopAudience()); err == nil || !strings.Contains(err.Error(), "/shops/v1/orders") {
			t.Errorf("%s: %v", name, err)
		}
	}
	contract, err := NewContract([]byte(strings.Replace(shops, key, key+" x-fault-of: {problem.shop: range},", 1)), shopAudience())
	if err != nil || strings.Join(contract.Problems()["problem.shop"], ", ") != "header Idempotency-Key" {
		t.Errorf("%v, %v", contract, err)
	}
}

// TestAnAudienceIsWhole: it is not served without what each request needs; where it has
// phones, it knows their languages and operators.
func TestAnAudienceIsWhole(t *testing.T) {
	t.Parallel()
	const open = "{openapi: 3.0.3, info: {title: Hours, version: '1'}, paths: {/hours: {get: {operationId: hours, responses: {'200': {description: Hours}}}}}}"
	build := func(a Audience) error {
		_, err := NewContract([]byte(open), a)
		return err
	}
	whole := shopAudience()
	needstest.Each(t, whole, build, "Authenticate", "Levels", "May", "Challenge", "Languages", "Operator")
	whole.Operator = func(string) string { return "" }
	if err := build(whole); err == nil || !strings.Contains(err.Error(), "Languages and Operator") {
		t.Errorf("an operator without languages: %v", err)
	}
}

// TestARowOfStaffIsAskedFirst: who may not do what an operation names is refused before
// anything is said of the request, and a contract that names something is served only where
// somebody says who may.
func TestARowOfStaffIsAskedFirst(t *testing.T) {
	t.Parallel()
	document := strings.ReplaceAll(shops, "operationId: order", "operationId: order\n      x-staff-operation: orders")
	audience := shopAudience()
	if _, err := NewContract([]byte(document), audience); err == nil || !strings.Contains(err.Error(), "nobody says who they are") {
		t.Errorf("without anybody to ask: %v", err)
	}
	audience.May = func(_ context.Context, p Principal, operation string) error {
		if p.ID != "large" || operation != "orders" {
			return problem.New(problem.Forbidden, "problem.staff_role")
		}
		return nil
	}
	open := strings.ReplaceAll(document, "operationId: hours", "operationId: hours, x-staff-operation: hours")
	if _, err := NewContract([]byte(open), audience); err == nil || !strings.Contains(err.Error(), "nobody says who they are") {
		t.Errorf("for everybody and for some: %v", err)
	}
	contract, err := NewContract([]byte(document), audience)
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{ErrorHandler: ErrorHandler(catalogue(t), slog.New(slog.DiscardHandler))})
	app.Use(contract.Middleware)
	app.All("/*", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	for name, want := range map[string]int{"small": http.StatusForbidden, "large": http.StatusBadRequest} { // without its key
		login := "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":s"))
		if status, body, _ := call(t, app, http.MethodPost, "/shops/v1/orders", "", "Authorization", login); status != want {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}
