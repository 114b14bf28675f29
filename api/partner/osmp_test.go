package partner_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
)

// till answers by account, and remembers what it was asked.
type till struct {
	sealed       []string
	txn, account string
	sum          money.Amount
	at           time.Time
}

func (till) Check(_ context.Context, _ payment.Partner, account string, _ money.Amount) (payment.Answer, error) {
	switch account {
	case "1234567894":
		return payment.Answer{Decision: payment.Approved, Service: "fine", Due: 150_000}, nil
	case "500":
		return payment.Answer{}, errors.New("the database is gone")
	}
	return payment.Answer{Decision: payment.MalformedCode}, nil
}

func (t *till) Accept(
	_ context.Context, _ payment.Partner, txn, account string, sum money.Amount, at time.Time,
) (payment.Answer, error) {
	t.txn, t.account, t.sum, t.at = txn, account, sum, at
	return payment.Answer{Decision: payment.Approved, Reference: "77"}, nil
}

func (t *till) Malformed(_ context.Context, _ payment.Partner, txn string) error {
	t.sealed = append(t.sealed, txn)
	return nil
}

func (*till) TakeBack(_ context.Context, _ payment.Partner, txn string) (payment.Transaction, error) {
	switch txn {
	case "2":
		return payment.Transaction{}, problem.New(problem.Conflict, "problem.partner_payment_forwarded")
	case "500":
		return payment.Transaction{}, errors.New("the database is gone")
	}
	return payment.Transaction{ID: txn, Reference: "77", Decision: payment.Approved, State: payment.Cancelled}, nil
}

// Authenticate implements partner.Partners.
func (till) Authenticate(_ context.Context, kind partners.Kind, id, secret, _ string) (partners.Access, error) {
	if kind == partners.OSMP && id == "demo-wallet" && secret == "s:e:c" {
		return partners.Access{Partner: id, Scopes: partners.Operations}, nil
	}
	return partners.Access{}, problem.New(problem.Unauthenticated, "problem.partner_secret")
}

func serve(t *testing.T) (*till, *fiber.App) {
	t.Helper()
	money := &till{}
	return money, serveWith(t, money)
}

func serveWith(t *testing.T, money interface {
	partner.Payments
	partner.Partners
}) *fiber.App {
	t.Helper()
	texts, err := locales.Load()
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New()
	err = (&partner.OSMP{
		Payments: money, Partners: money, Texts: texts, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}).Register(app)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func ask(t *testing.T, app *fiber.App, request *http.Request, secret string) (int, string) {
	t.Helper()
	if secret != "" {
		request.SetBasicAuth("demo-wallet", secret)
	}
	response, err := app.Test(request, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func TestOSMPAnswers(t *testing.T) {
	t.Parallel()
	const txn = "9999999999999999999999999999" // 28 digits: no integer holds it
	for name, c := range map[string]struct{ query, want string }{
		"check": {"command=check&txn_id=" + txn + "&account=1234567894&sum=0.00",
			`<response><osmp_txn_id>` + txn + `</osmp_txn_id><sum>1500.00</sum><result>0</result><comment>Принято</comment>` +
				`<fields><field1 name="service">fine</field1><field2 name="amount">1500.00</field2></fields></response>`},
		"check without a sum": {"command=check&txn_id=1&account=1234567894", `<sum>1500.00</sum><result>0</result>`},
		"pay": {"command=pay&txn_id=" + txn + "&account=1234567894&sum=1500.00&txn_date=20261123120000",
			`<response><osmp_txn_id>` + txn + `</osmp_txn_id><prv_txn>77</prv_txn><sum>1500.00</sum><result>0</result><comment>Принято</comment></response>`},
		"bad account":          {"command=check&txn_id=1&account=12&sum=1.00", "<result>4</result>"},
		"no digits":            {"command=pay&txn_id=1&account=%00%FF&sum=1.00", "<result>4</result>"},
		"our fault":            {"command=check&txn_id=1&account=500&sum=1.00", "<result>1</result>"},
		"cancel":               {"command=cancel&txn_id=1&account=1234567894&sum=1.00", "<prv_txn>77</prv_txn><sum>1.00</sum><result>0</result><comment>Платёж отменён.</comment>"},
		"cancel, txn_id alone": {"command=cancel&txn_id=1", "<osmp_txn_id>1</osmp_txn_id><prv_txn>77</prv_txn><result>0</result>"},
		"cancel, forwarded":    {"command=cancel&txn_id=2", "<osmp_txn_id>2</osmp_txn_id><result>7</result><comment>Платёж уже нельзя отменить.</comment>"},
		"cancel, our fault":    {"command=cancel&txn_id=500", "<result>1</result>"},
		"cancel alone":         {"command=cancel", "<result>300</result>"},
		"cancel, misshapen":    {"command=cancel&txn_id=x&account=%00&sum=1,00&txn_date=1", "<result>300</result>"},
		"cancel, twice":        {"command=cancel&txn_id=1&txn_id=2", "<result>300</result>"},
		"cancel or pay":        {"command=cancel&command=pay&txn_id=1&account=1234567894&sum=1.00", "<result>300</result>"},
		"no command":           {"txn_id=1&account=1234567894&sum=1.00", "<result>300</result>"},
		"no sum":               {"command=pay&txn_id=1&account=1234567894", "<result>300</result>"},
		"comma sum":            {"command=pay&txn_id=1&account=1234567894&sum=1,00", "<result>300</result>"},
		"long txn_id":          {"command=pay&txn_id=1" + txn + "&account=1234567894&sum=1.00", "<result>300</result>"},
		"letters":              {"command=pay&txn_id=%3Cb%3E&account=1234567894&sum=1.00", "<osmp_txn_id></osmp_txn_id><sum>1.00</sum><result>300</result>"},
		"given twice":          {"command=check&txn_id=1&account=1234567894&sum=1.00&sum=2.00", "<result>300</result><comment>Параметр указан дважды.</comment>"},
		"twice alike":          {"command=check&txn_id=1&account=1234567894&account=1234567894&sum=1.00", "<result>300</result>"},
		"twice, empty":         {"command=check&txn_id=1&txn_id=&account=1234567894&sum=1.00", "<osmp_txn_id></osmp_txn_id><sum>1.00</sum><result>300</result>"},
		"as typed":             {"command=check&txn_id=1&account=+12345-678%E2%80%9394%C2%A0%0A&sum=1.00", "<sum>1500.00</sum><result>0</result>"},
		"no such date":         {"command=pay&txn_id=1&account=1234567894&sum=1.00&txn_date=20261323120000", "<result>300</result>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, app := serve(t)
			get := httptest.NewRequest(http.MethodGet, partner.OSMPPath+"?"+c.query, nil)
			post := httptest.NewRequest(http.MethodPost, partner.OSMPPath, strings.NewReader(c.query))
			post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, request := range []*http.Request{get, post} {
				status, body := ask(t, app, request, "s:e:c")
				if status != http.StatusOK || !strings.HasPrefix(body, head) || !strings.Contains(body, c.want) {
					t.Errorf("%s: %d\n%s\nwant\n%s", request.Method, status, body, c.want)
				}
			}
		})
	}
}

// TestOSMPSealsWhatIsMalformed: a payment that was refused for its shape is refused for good; a
// question is no payment, and what has no id cannot be known again.
func TestOSMPSealsWhatIsMalformed(t *testing.T) {
	t.Parallel()
	for query, sealed := range map[string]int{
		"command=pay&txn_id=1&account=1234567894&sum=-5000":            1,
		"command=pay&txn_id=1&account=1234567894&sum=5000,00":          1,
		"command=pay&txn_id=1&account=1234567894&sum=5e3":              1,
		"command=pay&txn_id=1&account=12a&sum=5000":                    1,
		"command=pay&txn_id=1&account=1234567894&sum=1&sum=2":          1,
		"command=pay&txn_id=1&account=1234567894&sum=1&txn_date=today": 1,
		"command=pay&txn_id=x&account=1234567894&sum=-5000":            0,
		"command=check&txn_id=1&account=1234567894&sum=-5000":          0,
		"command=cancel&txn_id=1&account=1234567894&sum=-5000":         0,
	} {
		money, app := serve(t)
		ask(t, app, httptest.NewRequest(http.MethodGet, partner.OSMPPath+"?"+query, nil), "s:e:c")
		if len(money.sealed) != sealed || money.txn != "" {
			t.Errorf("%s: sealed %v, accepted %q", query, money.sealed, money.txn)
		}
	}
}

func TestOSMPPassesOnWhatWasPaid(t *testing.T) {
	t.Parallel()
	money, app := serve(t)
	form := url.Values{
		"command": {"pay"}, "txn_id": {"0012"}, "account": {"1234567894"}, "sum": {"10.5"}, "txn_date": {"20261123120000"},
	}
	ask(t, app, httptest.NewRequest(http.MethodGet, partner.OSMPPath+"?"+form.Encode(), nil), "s:e:c")
	at := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	if money.txn != "0012" || money.account != "1234567894" || money.sum != 1050 || !money.at.Equal(at) {
		t.Errorf("accepted %+v", money)
	}
}

func TestOSMPRefusesStrangers(t *testing.T) {
	t.Parallel()
	money, app := serve(t)
	for _, secret := range []string{"", "wrong"} {
		request := httptest.NewRequest(http.MethodGet, partner.OSMPPath+"?command=pay&txn_id=1&account=1234567894&sum=1.00", nil)
		if status, _ := ask(t, app, request, secret); status != http.StatusUnauthorized {
			t.Errorf("secret %q: %d", secret, status)
		}
	}
	if money.txn != "" {
		t.Error("a stranger paid")
	}
}

// M9: only GET and POST are the protocol's; every other method does nothing.
func TestM9OtherMethodsDoNothing(t *testing.T) {
	t.Parallel()
	for _, method := range []string{
		http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect,
	} {
		for _, path := range []string{partner.OSMPPath, partner.OSMPPath + "/", strings.ToUpper(partner.OSMPPath)} {
			money, app := serve(t)
			request := httptest.NewRequest(method, path+"?command=pay&txn_id=7&account=1234567894&sum=10.00", nil)
			status, _ := ask(t, app, request, "s:e:c")
			if status != http.StatusMethodNotAllowed || money.txn != "" {
				t.Errorf("%s %s: %d, paid %q", method, path, status, money.txn)
			}
		}
	}
}
