package console_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/pquerna/otp/totp"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/console"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// desk notes what reaches it.
type desk struct{ asked []string }

func (d *desk) Look(_ context.Context, _ staff.Session, operation, _ string) (staff.Officer, error) {
	d.asked = append(d.asked, operation)
	return staff.Officer{}, nil
}

func (d *desk) Perform(_ context.Context, _ staff.Session, r staff.Request) (staff.Outcome, error) {
	d.asked = append(d.asked, r.Operation)
	return staff.Outcome{}, nil
}

func (d *desk) Approve(context.Context, staff.Session, string, string) (staff.Done, error) {
	d.asked = append(d.asked, "approve")
	return staff.Done{}, nil
}

func (d *desk) Reject(context.Context, staff.Session, string, string) error { return nil }

// nothing waits.
type nothing struct{}

func (nothing) Disputes(context.Context) ([]identity.Disputed, error) { return nil, nil }
func (nothing) Suspense(context.Context) ([]payment.Suspended, error) { return nil, nil }
func (nothing) Refunds(context.Context) ([]payment.Refund, error)     { return nil, nil }

func (nothing) StatementOf(context.Context, string, time.Time) ([]byte, error) { return nil, nil }
func (nothing) TreasuryStatement(context.Context, time.Time) ([]byte, error)   { return nil, nil }

func (nothing) ClosedDay(context.Context, time.Time) (payment.LedgerDay, error) {
	return payment.LedgerDay{Day: "2026-11-28"}, nil
}

func (nothing) AskedRefunds(context.Context) ([]payment.AskedRefund, error) { return nil, nil }

// world is the console in front of real accounts and a desk that only notes.
type world struct {
	*testworld.World
	staff *staff.Service
	desk  *desk
	app   *fiber.App
	keys  map[string]staff.Credentials
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: testworld.New(t, storetest.Open(t, storetest.NewSQLite(t)), testworld.Setup{}), desk: &desk{}, keys: map[string]staff.Credentials{}}
	var err error
	w.staff, err = staff.New(staff.Deps{
		DB: w.DB, Sealer: w.Sealer, Trail: w.Trail, Now: w.Now, Random: rand.Reader, Invented: func(staff.Officer) bool { return false },
	})
	w.OK(err)
	for _, p := range []staff.Profile{
		{Login: "asel", Person: "11", Role: staff.Operator}, {Login: "vera", Person: "13", Role: staff.Inspector},
	} {
		w.keys[p.Login], err = w.staff.NewCredentials(p.Login)
		w.OK(err)
		w.OK(w.staff.Ensure(t.Context(), p, w.keys[p.Login]))
	}
	contract, err := api.NewContract(console.Document, console.Audience(w.staff, func(turn string) string { return turn }, w.Now))
	w.OK(err)
	w.app = fiber.New(fiber.Config{
		ErrorHandler: api.ErrorHandler(testworld.Texts(t), slog.New(slog.DiscardHandler)), Immutable: true, ProxyHeader: fiber.HeaderXForwardedFor,
	})
	w.OK((&console.Server{Desk: w.desk, Staff: w.staff, Phones: nothing{}, Payments: nothing{}}).Mount(w.app, contract))
	return w
}

// answer is what a test reads of one.
type answer struct {
	Status int
	Header http.Header
	Token  string
	Code   string
	Detail string
	Text   string
	Owes   bool
}

// ask sends a request from an address, in a language.
func (w *world) ask(request, from, token, body string, headers ...string) (a answer) {
	w.T.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequestWithContext(w.T.Context(), method, "/console/v1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Forwarded-For", from)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := w.app.Test(r, -1)
	w.OK(err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	w.OK(err)
	_ = json.Unmarshal(text, &a) // which 204 has nothing for
	a.Status, a.Header, a.Text = response.StatusCode, response.Header, string(text)
	return a
}

// signIn signs an account in from an address, by its next code or by a given one.
func (w *world) signIn(name, from, code string) answer {
	w.T.Helper()
	if code == "" {
		w.Pass(30 * time.Second)
		var err error
		code, err = totp.GenerateCode(w.keys[name].Secret, w.Now())
		w.OK(err)
	}
	body, err := json.Marshal(map[string]string{"name": name, "password": w.keys[name].Password, "code": code})
	w.OK(err)
	return w.ask("POST /sessions", from, "", string(body))
}

// begin is signIn that must succeed.
func (w *world) begin(name, from string) string {
	w.T.Helper()
	a := w.signIn(name, from, "")
	if a.Status != http.StatusCreated || a.Token == "" {
		w.T.Fatalf("%s signs in: %d %s", name, a.Status, a.Text)
	}
	return a.Token
}

const why = `{"reason":"case 14-2/77"}`

// TestASessionIsWhereItBegan: from another address its token is good for nothing, nor after
// a pause, nor after signing out; a cookie is none.
func TestASessionIsWhereItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.begin("asel", "2001:db8:0:1::1")
	for from, want := range map[string]int{"2001:db8:0:1::1": 200, "2001:db8:0:1:ffff::2": 200, "2001:db8:0:2::1": 401, "10.0.0.1": 401} {
		if a := w.ask("POST /operations/disputes", from, token, why); a.Status != want || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("from %s: %d %s", from, a.Status, a.Text)
		}
	}
	if a := w.ask("POST /operations/disputes", "2001:db8:0:1::1", "", why, "Cookie", "token="+token); a.Status != http.StatusUnauthorized {
		t.Errorf("by a cookie: %d", a.Status)
	}
	w.Pass(staff.SessionIdles)
	a := w.ask("GET /session", "2001:db8:0:1::1", token, "")
	if a.Status != http.StatusUnauthorized || a.Code != "problem.staff_session" || a.Header.Get("WWW-Authenticate") != `Bearer realm="eshik-console"` {
		t.Errorf("after a pause: %d %s", a.Status, a.Text)
	}
	token = w.begin("asel", "10.0.0.1")
	if a := w.ask("DELETE /session", "10.0.0.1", token, ""); a.Status != http.StatusNoContent {
		t.Errorf("signs out: %d %s", a.Status, a.Text)
	}
	if a := w.ask("GET /session", "10.0.0.1", token, ""); a.Status != http.StatusUnauthorized {
		t.Errorf("afterwards: %d", a.Status)
	}
}

// TestWhoGuessesIsHeld: after five codes nothing is judged any more from there, not even the
// right one; the officer signs in from where they sit.
func TestWhoGuessesIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range staff.TriesOfOrigin {
		if a := w.signIn("asel", "10.6.6.6", "000000"); a.Status != http.StatusUnauthorized || a.Code != "problem.staff_sign_in" {
			t.Fatalf("guessed: %d %s", a.Status, a.Text)
		}
	}
	a := w.signIn("asel", "10.6.6.6", "")
	if a.Status != http.StatusTooManyRequests || a.Code != "problem.staff_many" || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Detail, "5") {
		t.Errorf("the next: %d %v %s", a.Status, a.Header, a.Text)
	}
	w.begin("asel", "10.0.0.1")
}

// TestARoleIsAskedFirst: who may not is told so whatever they send, in their language, and
// it is in the audit log; the desk does not hear of it.
func TestARoleIsAskedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	operator, inspector := w.begin("asel", "10.0.0.1"), w.begin("vera", "10.0.0.2")
	for _, c := range []struct{ request, token, from, language, code, says string }{
		{"POST /operations/enrol", operator, "10.0.0.1", "ru", "problem.staff_role", "не для вашей роли"},
		{"POST /operations/enrol", operator, "10.0.0.1", "ky", "problem.staff_role", "ролго"},
		{"POST /operations/decide", inspector, "10.0.0.2", "ru", "problem.staff_only_decides", "не предлагает"},
	} {
		a := w.ask(c.request, c.from, c.token, `{"nonsense":1}`, "Accept-Language", c.language)
		if a.Status != http.StatusForbidden || a.Code != c.code || !strings.Contains(a.Detail, c.says) || strings.Contains(a.Text, "errors") {
			t.Errorf("%+v: %d %s", c, a.Status, a.Text)
		}
	}
	if len(w.desk.asked) != 0 {
		t.Errorf("the desk was asked for %v", w.desk.asked)
	}
	if n := w.Number("SELECT COUNT(*) FROM audit_records WHERE action = 'staff.refused' AND actor = 'staff:asel' AND object = 'enrol'"); n != 2 {
		t.Errorf("%d refusals are recorded", n)
	}
	if a := w.ask("POST /operations/unblock", "10.0.0.1", operator, `{"reason":"case 1"}`); a.Status != http.StatusBadRequest {
		t.Errorf("without a phone: %d %s", a.Status, a.Text)
	}
}

// TestWhoOwesChangesThatFirst: an account whose maker saw what it signs in with does nothing
// else, and is told so.
func TestWhoOwesChangesThatFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys, err := w.staff.Add(t.Context(), staff.Act{Actor: "staff:root"}, staff.Profile{Login: "new", Person: "14", Role: staff.Operator})
	w.OK(err)
	w.keys["new"] = keys
	token := w.begin("new", "10.0.0.1")
	if a := w.ask("GET /session", "10.0.0.1", token, ""); a.Status != http.StatusOK || !a.Owes {
		t.Errorf("who is signed in: %d %s", a.Status, a.Text)
	}
	for _, request := range []string{"POST /operations/disputes", "POST /operations/proposals", "POST /proposals/abc/approval"} {
		if a := w.ask(request, "10.0.0.1", token, why); a.Status != http.StatusForbidden || a.Code != "problem.staff_owes" {
			t.Errorf("%s: %d %s", request, a.Status, a.Text)
		}
	}
	if len(w.desk.asked) != 0 {
		t.Errorf("the desk was asked for %v", w.desk.asked)
	}
}

// TestNothingIsMissing: the console is not served without one of its parts.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	contract, err := api.NewContract(console.Document, console.Audience(nil, func(turn string) string { return turn }, time.Now))
	testworld.OK(t, err)
	needstest.Each(t, console.Server{Desk: &desk{}, Staff: &staff.Service{}, Phones: nothing{}, Payments: nothing{}}, func(s console.Server) error {
		return s.Mount(fiber.New(), contract)
	})
}
