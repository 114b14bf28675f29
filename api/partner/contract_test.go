package partner_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/testworld"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(partner.Document)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestTheContractHasNoWarnings: Spectral's own rules for OpenAPI, hints too.
func TestTheContractHasNoWarnings(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	spectral := exec.CommandContext(t.Context(), filepath.Join(modules, ".bin", "spectral"), "lint", "-r", "../.spectral.yaml", "--fail-severity=hint", "openapi.yaml")
	if out, err := spectral.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTheContractHoldsItself: the document is valid, each example by its schema; each
// operation asks for a scope that there is, and names what the middleware can answer.
func TestTheContractHoldsItself(t *testing.T) {
	t.Parallel()
	doc := document(t)
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaDefaultsValidation()); err != nil {
		t.Error(err)
	}
	known := doc.Components.SecuritySchemes["partner"].Value.Flows.ClientCredentials.Scopes
	if len(known) != len(partners.Operations) {
		t.Errorf("the contract has the scopes %v", known)
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			name := method + " " + path
			if operation.Security == nil || len(*operation.Security) != 1 || len((*operation.Security)[0]["partner"]) != 1 {
				t.Errorf("%s is not for one scope", name)
				continue
			}
			if _, err := partners.ParseScopes((*operation.Security)[0]["partner"][0]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			success := "200"
			if operation.Responses.Value("201") != nil {
				success = "201"
			}
			want := []string{success, "400", "401", "403", "405", "429", "default"}
			if operation.RequestBody != nil {
				want = append(want, "404", "409", "415")
			}
			for _, status := range want {
				if operation.Responses.Value(status) == nil {
					t.Errorf("%s does not name %s", name, status)
				}
			}
		}
	}
}

// books answers every request with one decision, for a token that is its scopes.
type books struct {
	decided
	shelf
	err   error
	asked []string // of events
}

func (b *books) Check(ctx context.Context, p payment.Partner, code string, sum money.Amount) (payment.Answer, error) {
	a, _ := b.decided.Check(ctx, p, code, sum)
	return payment.Answer{Decision: a.Decision, Service: "fine", Due: 100}, b.err
}

func (b *books) Accept(ctx context.Context, p payment.Partner, id, code string, sum money.Amount, at time.Time) (payment.Answer, error) {
	a, _ := b.decided.Accept(ctx, p, id, code, sum, at)
	return a, b.err
}

func (b *books) Transaction(_ context.Context, id, txn string) (payment.Transaction, error) {
	return payment.Transaction{ID: txn, Code: id, Decision: b.Decision, State: payment.InDoubt}, nil
}

func (b *books) Day(_ context.Context, _ string, _ time.Time, filter payment.Filter, _ payment.Transaction, rows int) (payment.Day, error) {
	b.asked = append(b.asked, fmt.Sprint("day ", filter.Service, " ", filter.State, " ", rows))
	return payment.Day{}, nil
}

func (b *books) AskRefund(_ context.Context, p payment.Partner, txn string, reason payment.RefundReason) (payment.Transaction, error) {
	b.asked = append(b.asked, fmt.Sprint("refund ", p.ID, " ", txn, " ", reason))
	request := payment.RefundRequest{State: payment.RefundRefused, Reason: reason, Refusal: payment.NotProven, AskedAt: time.Unix(1, 0), DecidedAt: time.Unix(2, 0)}
	return payment.Transaction{ID: txn, Decision: payment.Approved, State: payment.Settled, Request: request}, b.err
}

func (b *books) GaveBack(_ context.Context, p payment.Partner, txn string, sum money.Amount) (payment.Transaction, error) {
	b.asked = append(b.asked, fmt.Sprint("back ", p.ID, " ", txn, " ", int64(sum)))
	return payment.Transaction{ID: txn, Decision: payment.Approved, State: payment.Refunded, Refund: sum}, b.err
}

func (b *books) PartnerStatement(_ context.Context, id string, day time.Time) ([]byte, error) {
	b.asked = append(b.asked, fmt.Sprint("statement ", id, " ", day.Format(time.DateOnly)))
	return []byte("row,at\n"), b.err
}

func (*books) Reconcile(_ context.Context, _ string, _ time.Time, registry []payment.Listed) (payment.Reconciliation, error) {
	r := payment.Reconciliation{Theirs: len(registry)}
	for _, line := range registry {
		r.Mismatches = append(r.Mismatches, payment.Mismatch{Kind: payment.OtherDate, TxnID: line.TxnID, Theirs: line})
	}
	return r, nil
}

// Authorize implements partner.Authorizer.
func (*books) Authorize(_ context.Context, token, _, _ string) (partners.Access, error) {
	scopes, err := partners.ParseScopes(strings.ReplaceAll(token, ",", " "))
	if err != nil {
		return partners.Access{}, problem.New(problem.Unauthenticated, "problem.partner_token")
	}
	return partners.Access{Partner: "demo-wallet", Scopes: scopes}, nil
}

func restWith(t *testing.T, b *books) *fiber.App {
	t.Helper()
	contract, err := api.NewContract(partner.Document, partner.Audience(b, func(turn string) string { return turn }, time.Now))
	testworld.OK(t, err)
	app := fiber.New(fiber.Config{ErrorHandler: api.ErrorHandler(testworld.Texts(t), slog.New(slog.NewTextHandler(io.Discard, nil))), Immutable: true})
	testworld.OK(t, (&partner.REST{Payments: b, Events: b, Webhooks: b}).Mount(app, contract))
	return app
}

const (
	check = "POST /partner/v1/checks"
	pay   = "PUT /partner/v1/payments/0042"
	list  = "GET /partner/v1/payments?day=2026-11-28"
)

// rest asks with a token and gives the answer's status, challenge and body.
func rest(t *testing.T, app *fiber.App, operation, token, body string) (status int, challenge, answer string) {
	t.Helper()
	request := newRequest(operation, token, body)
	response, err := app.Test(request, -1)
	testworld.OK(t, err)
	return response.StatusCode, response.Header.Get("WWW-Authenticate"), read(t, response)
}

// newRequest is an operation with a token and a body of JSON; empty: without.
func newRequest(operation, token, body string) *http.Request {
	method, path, _ := strings.Cut(operation, " ")
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	request.Header.Set("Accept-Language", "en")
	return request
}

func read(t *testing.T, response *http.Response) string {
	t.Helper()
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	testworld.OK(t, err)
	return string(data)
}

// TestRESTDecisions: each decision has its status and code, for a check and a payment alike.
func TestRESTDecisions(t *testing.T) {
	t.Parallel()
	for decision, want := range map[payment.Decision]struct {
		status int
		says   string
	}{
		payment.Approved: {200, ""}, payment.NotNow: {503, "partner_not_now"}, payment.MalformedCode: {404, "partner_code_malformed"},
		payment.UnknownCode: {404, "partner_code_unknown"}, payment.TakenBack: {409, "partner_txn_cancelled"}, payment.NotPayable: {409, "partner_code_closed"},
		payment.SumTooSmall: {409, "partner_sum_small"}, payment.SumTooLarge: {409, "partner_sum_large"}, payment.Reused: {422, "partner_txn_reused"},
		"of a later version": {503, "partner_not_now"},
	} {
		for _, operation := range []string{check, pay} {
			b := &books{decided: decided{Decision: decision}}
			status, _, body := rest(t, restWith(t, b), operation, "payments.pay,payments.check:fine", `{"code":"123 456-7894","amount":100}`)
			if status != want.status || !strings.Contains(body, want.says) || b.partner.ID != "demo-wallet" || b.partner.Every != (operation == pay) {
				t.Errorf("%s of %s by %+v: %d %s", operation, decision, b.partner, status, body)
			}
		}
	}
}

// TestRESTRefusals: who may not, and what is not by the contract, reaches no payment.
func TestRESTRefusals(t *testing.T) {
	t.Parallel()
	const good = `{"code":"1234567894","amount":100}`
	for name, c := range map[string]struct {
		operation, token, body string
		status                 int
		says, challenge        string
	}{
		"no token":          {pay, "", good, 401, "partner_token_missing", `Bearer realm="eshik-partner"`},
		"a bad token":       {pay, "x", good, 401, "problem.partner_token", `error="invalid_token"`},
		"another scope":     {pay, "payments.read", good, 403, "problem.scope", `error="insufficient_scope", scope="payments.pay"`},
		"no scope to read":  {list, "payments.pay", "", 403, "problem.scope", `scope="payments.read"`},
		"no scope to check": {check, "payments.pay", good, 403, "problem.scope", `scope="payments.check"`},
		"letters":           {"PUT /partner/v1/payments/4x", "payments.pay", good, 400, "txn_id", ""},
		"29 digits":         {"PUT /partner/v1/payments/" + strings.Repeat("9", 29), "payments.pay", good, 400, "txn_id", ""},
		"a sum of som":      {pay, "payments.pay", `{"code":"1234567894","amount":1.5}`, 400, "/amount", ""},
		"no sum":            {pay, "payments.pay", `{"code":"1234567894"}`, 400, "/amount", ""},
		"a sum of nothing":  {pay, "payments.pay", `{"code":"1234567894","amount":0}`, 400, "/amount", ""},
		"twice":             {pay, "payments.pay", `{"code":"1234567894","amount":1,"amount":2}`, 400, "repeated", ""},
		"another method":    {"POST /partner/v1/payments/1", "payments.pay", good, 405, "no_method", ""},
		"elsewhere":         {"GET /partner/v1/balance", "payments.read", "", 404, "no_route", ""},
		"no day":            {"GET /partner/v1/payments", "payments.read", "", 400, "day", ""},
		"a day that is not": {"GET /partner/v1/payments?day=2026-02-30", "payments.read", "", 400, "day", ""},
	} {
		b := &books{decided: decided{Decision: payment.Approved}}
		status, challenge, body := rest(t, restWith(t, b), c.operation, c.token, c.body)
		if status != c.status || !strings.Contains(body, c.says) || !strings.Contains(challenge, c.challenge) || b.partner.ID != "" {
			t.Errorf("%s: %d %q %s", name, status, challenge, body)
		}
	}
}

// TestADayIsFiltered: by a service and by each state that a taken payment can have, and no other.
func TestADayIsFiltered(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"": "day   100", "&state=accepted&limit=7": "day  accepted 7", "&state=settled": "day  settled 100", "&state=refund_due": "day  refund_due 100",
		"&state=refunded": "day  refunded 100", "&state=cancelled&service=fine": "day fine cancelled 100", "&state=declined": "", "&service=": "", "&state=": "",
	} {
		b := &books{}
		status, _, body := rest(t, restWith(t, b), list+query, "payments.read", "")
		if got := strings.Join(b.asked, ","); got != want || (status == http.StatusOK) != (want != "") {
			t.Errorf("%q: %d, asked %q, want %q: %s", query, status, got, want, body)
		}
	}
}

// TestRESTFailsAsNotNow: where nothing can be said the partner is asked to come again, in no
// words of the fault's.
func TestRESTFailsAsNotNow(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{check, pay} {
		status, _, body := rest(t, restWith(t, &books{err: http.ErrServerClosed}), operation, "payments.pay,payments.check", `{"code":"1234567894","amount":100}`)
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "problem.partner_not_now") || strings.Contains(body, "http") {
			t.Errorf("%s: %d %s", operation, status, body)
		}
	}
}
