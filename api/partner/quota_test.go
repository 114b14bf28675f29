package partner_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// metered is a partner with two limits, which a request with the secret "over" is beyond.
type metered struct{ books }

var (
	minute = partners.Quota{Name: "minute", N: 600, Span: time.Minute, Left: 599, Until: 41500 * time.Millisecond}
	day    = partners.Quota{Name: "day", N: 50000, Span: 24 * time.Hour, Left: 7, Until: time.Hour}
)

func (m *metered) meter(access partners.Access, err error, over bool) (partners.Access, error) {
	if over {
		return partners.Access{Quotas: []partners.Quota{{Name: "day", N: 50000, Span: 24 * time.Hour, Until: time.Hour}}},
			problem.New(problem.TooMany, "problem.partner_many", "n", 50000).Until(time.Now(), time.Hour)
	}
	if err == nil {
		access.Quotas = []partners.Quota{minute, day}
	}
	return access, err
}

func (m *metered) Authorize(ctx context.Context, token, address, certificate string) (partners.Access, error) {
	access, err := m.books.Authorize(ctx, token, address, certificate)
	return m.meter(access, err, token == "over")
}

func (m *metered) Authenticate(_ context.Context, _ partners.Kind, id, secret, _ string) (partners.Access, error) {
	if secret == "wrong" {
		return partners.Access{}, problem.New(problem.Unauthenticated, "problem.partner_secret")
	}
	return m.meter(partners.Access{Partner: id, Scopes: partners.Operations}, nil, secret == "over")
}

func (*metered) Issue(context.Context, partners.Access, string) (partners.Token, error) {
	return partners.Token{}, errors.New("the key is gone")
}

// TestQuotasAreTold: every answer to a partner with limits says how they stand, whatever else it
// says and whichever the way; what refuses it is told alone, and who is not known hears nothing.
func TestQuotasAreTold(t *testing.T) {
	t.Parallel()
	m := &metered{books{decided: decided{Decision: payment.NotPayable}}}
	contract, err := api.NewContract(partner.Document, partner.Audience(m, func(turn string) string { return turn }, time.Now))
	testworld.OK(t, err)
	log, texts := slog.New(slog.NewTextHandler(io.Discard, nil)), testworld.Texts(t)
	app := fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(texts, log), Immutable: true})
	testworld.OK(t, (&partner.OSMP{Payments: m, Partners: m, Texts: texts, Log: log}).Register(app))
	testworld.OK(t, (&partner.OAuth{Partners: m, PublicURL: issuer, Log: log}).Register(app))
	testworld.OK(t, (&partner.REST{Payments: m, Events: m, Webhooks: m}).Mount(app, contract))
	basic := func(secret string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/partner/oauth/token", strings.NewReader("grant_type=client_credentials"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("demo-wallet", secret)
		return r
	}
	osmp := func(secret string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, partner.OSMPPath+"?command=check&txn_id=1&account=12&sum=1.00", nil)
		r.SetBasicAuth("demo-wallet", secret)
		return r
	}
	const both, policy = `"minute";r=599;t=42, "day";r=7;t=3600`, `"minute";q=600;w=60, "day";q=50000;w=86400`
	const used, agreed = `"day";r=0;t=3600`, `"day";q=50000;w=86400`
	for name, c := range map[string]struct {
		request      *http.Request
		status       int
		left, policy string
	}{
		"a payment":            {newRequest("GET /partner/v1/payments/1", "payments.read", ""), 200, both, policy},
		"a refusal":            {newRequest(check, "payments.check", `{"code":"1234567894"}`), 409, both, policy},
		"a bad request":        {newRequest(check, "payments.check", `{}`), 400, both, policy},
		"another scope":        {newRequest(check, "payments.read", `{"code":"1234567894"}`), 403, both, policy},
		"too many":             {newRequest(check, "over", `{"code":"1234567894"}`), 429, used, agreed},
		"a bad token":          {newRequest(check, "x", `{"code":"1234567894"}`), 401, "", ""},
		"a token":              {basic("right"), 503, both, policy},
		"too many tokens":      {basic("over"), 429, used, agreed},
		"over OSMP":            {osmp("right"), 200, both, policy},
		"too many over OSMP":   {osmp("over"), 429, used, agreed},
		"a stranger over OSMP": {osmp("wrong"), 401, "", ""},
	} {
		response, err := app.Test(c.request, -1)
		testworld.OK(t, err)
		_ = response.Body.Close()
		left, policy := response.Header.Get("RateLimit"), response.Header.Get("RateLimit-Policy")
		if response.StatusCode != c.status || left != c.left || policy != c.policy {
			t.Errorf("%s: %d %q %q", name, response.StatusCode, left, policy)
		}
	}
}
