package partner_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// shelf has bills by what they are looked for, and the quotes of one partner.
type shelf struct {
	mu    sync.Mutex
	users []payment.User
	quote payment.PartnerQuote
	fails error
}

func (s *shelf) FindBills(_ context.Context, u payment.User, search payment.Search) (payment.Found, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = append(s.users, u)
	switch search {
	case payment.Search{By: payment.ByPlate, Value: "owes"}:
		return payment.Found{Known: true, Bills: []payment.FoundBill{{Service: "fine", Ref: "17", Due: 150_000}, {Service: "fine", Ref: "18", Due: 5, Paying: true}}}, nil
	case payment.Search{By: payment.ByPlate, Value: "clean"}, payment.Search{By: payment.ByResolution, Value: "77"}:
		return payment.Found{Known: true}, nil
	case payment.Search{By: payment.ByPlate, Value: "bad"}:
		return payment.Found{}, problem.New(problem.Invalid, "problem.fine_plate")
	case payment.Search{By: payment.ByPlate, Value: "eleventh"}:
		return payment.Found{}, problem.New(problem.TooMany, "problem.fine_plates").After(90 * time.Second)
	case payment.Search{By: payment.ByPlate, Value: "down"}:
		return payment.Found{}, problem.New(problem.Unavailable, "problem.registry_down").After(10 * time.Second)
	case payment.Search{By: payment.ByPlate, Value: "broken"}:
		return payment.Found{}, http.ErrServerClosed
	}
	return payment.Found{}, nil
}

func (s *shelf) Quote(_ context.Context, u payment.User, service string, _ []string) (payment.PartnerQuote, error) {
	s.users = append(s.users, u)
	if service != "fine" {
		return payment.PartnerQuote{}, problem.New(problem.Invalid, "problem.payment_service")
	}
	return s.quote, s.fails
}

func (s *shelf) QuoteByCode(context.Context, string, string) (payment.PartnerQuote, error) {
	return s.quote, s.fails
}

func (s *shelf) CancelQuote(context.Context, string, string, time.Time) (payment.PartnerQuote, error) {
	return s.quote, s.fails
}

func (s *shelf) Quotes(_ context.Context, _, before string, rows int) ([]payment.PartnerQuote, error) {
	if before != "" {
		return nil, s.fails
	}
	list := make([]payment.PartnerQuote, rows)
	for i := range list {
		list[i] = s.quote
	}
	return list, s.fails
}

func (s *shelf) ELQR(p payment.Payment, _ time.Time) (payment.ELQR, error) {
	return payment.ELQR{Payload: "of " + p.Code, PNG: []byte{1}}, s.fails
}

const find = "POST /partner/v1/bills"

// TestEachSearchHasItsAnswer: what is owed, what is not, what nobody knows and what nobody can say now are
// told apart in one answer, in the order of the question.
func TestEachSearchHasItsAnswer(t *testing.T) {
	t.Parallel()
	b := &books{decided: decided{Decision: payment.Approved}}
	status, _, body := rest(t, restWith(t, b), find, "payments.quote:fine",
		`{"user":"u-1","find":[{"plate":"owes"},{"plate":"clean"},{"plate":"nobody's"},{"plate":"bad"},{"plate":"eleventh"},{"plate":"down"},{"plate":"broken"},{"code":"123 456-7894"},{"resolution":"7 7"},{"number":"5"}]}`)
	var got struct {
		Results []struct {
			Find   map[string]string
			Answer string
			Bills  []struct {
				Ref, Code, State, Currency string
				Amount                     int64
			}
			After int `json:"retry_after"`
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	want := []string{"found", "none", "unknown", "malformed", "many", "not_now", "not_now", "found", "none", "unknown"}
	for i, r := range got.Results {
		if r.Answer != want[i] {
			t.Errorf("%v: %s, want %s", r.Find, r.Answer, want[i])
		}
	}
	owes, code := got.Results[0].Bills, got.Results[7].Bills
	if len(owes) != 2 || owes[0].Ref != "17" || owes[0].Amount != 150_000 || owes[0].Currency != "KGS" || owes[0].State != "payable" || owes[1].State != "paying" {
		t.Errorf("the bills are %+v", owes)
	}
	if len(code) != 1 || code[0].Code != "1234567894" || code[0].Amount != 100 || code[0].Ref != "" {
		t.Errorf("the code is %+v", code)
	}
	if got.Results[4].After != 90 || got.Results[5].After != 10 || got.Results[0].After != 0 {
		t.Errorf("to ask again: %s", body)
	}
	for _, u := range b.users {
		if u.Name != "u-1" || u.Partner.ID != "demo-wallet" || u.Partner.Every || u.Now.IsZero() {
			t.Errorf("asked for %+v", u)
		}
	}
}

// TestSearchesByTheContract: what is no search is refused before anybody is asked.
func TestSearchesByTheContract(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nobody":     `{"find":[{"plate":"owes"}]}`,
		"nothing":    `{"user":"u","find":[]}`,
		"eleven":     `{"user":"u","find":[` + strings.Repeat(`{"plate":"owes"},`, 10) + `{"plate":"owes"}]}`,
		"two in one": `{"user":"u","find":[{"plate":"owes","number":"1"}]}`,
		"no key":     `{"user":"u","find":[{}]}`,
		"a name":     `{"user":"Айгүл","find":[{"plate":"owes"}]}`,
	} {
		b := &books{}
		if status, _, answer := rest(t, restWith(t, b), find, "payments.quote", body); status != http.StatusBadRequest || len(b.users) != 0 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

// aQuote is one as the payments keep it.
func aQuote() payment.PartnerQuote {
	at := time.Date(2026, 11, 28, 6, 0, 0, 0, time.UTC)
	return payment.PartnerQuote{Source: "safe-city/setPaymentLegal", Payment: payment.Payment{
		ID: "0192", Service: "fine", Code: "1234567894", Amount: 150_000, State: payment.Awaiting, OpenedAt: at, ExpiresAt: at.Add(payment.QuoteLife),
		Lines: []payment.Line{{Ref: "17", Amount: 150_000}},
	}}
}

// TestAQuoteIsAnsweredAgain: a replay has the first answer, and says that it is one.
func TestAQuoteIsAnsweredAgain(t *testing.T) {
	t.Parallel()
	const make = "POST /partner/v1/quotes"
	const asked = `{"user":"u","service":"fine","bills":["17"]}`
	b := &books{shelf: shelf{quote: aQuote()}}
	app := restWith(t, b)
	request := func(key string) (*http.Response, string) {
		r := newRequest(make, "payments.quote", asked)
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		response, err := app.Test(r, -1)
		testworld.OK(t, err)
		return response, read(t, response)
	}
	if response, body := request(""); response.StatusCode != http.StatusBadRequest {
		t.Errorf("without a key: %d %s", response.StatusCode, body)
	}
	first, was := request("key-00000001")
	if first.StatusCode != http.StatusCreated || first.Header.Get("Idempotent-Replayed") != "" || !strings.Contains(was, `"valid_until":"2026-11-28T06:30:00Z"`) {
		t.Errorf("%d %v %s", first.StatusCode, first.Header, was)
	}
	b.quote.Replayed, b.quote.State, b.quote.TxnID = true, payment.Settled, "5"
	again, now := request("key-00000001")
	if again.StatusCode != http.StatusCreated || again.Header.Get("Idempotent-Replayed") != "true" || now != was {
		t.Errorf("%d %v %s", again.StatusCode, again.Header, now)
	}
	request("key-00000002")
	if b.users[0].Key == b.users[2].Key || b.users[0].Key != b.users[1].Key {
		t.Errorf("keys %q, %q and %q", b.users[0].Key, b.users[1].Key, b.users[2].Key)
	}
	b.fails = problem.New(problem.Mismatch, "problem.partner_key_reused")
	if response, body := request("key-00000001"); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("another body: %d %s", response.StatusCode, body)
	}
}

// TestHowAQuoteStands: each state in the contract's word, pages of quotes, and what is nobody's.
func TestHowAQuoteStands(t *testing.T) {
	t.Parallel()
	b := &books{shelf: shelf{quote: aQuote()}}
	app := restWith(t, b)
	const get, cancel, pages = "GET /partner/v1/quotes/1234567894", "DELETE /partner/v1/quotes/1234567894", "GET /partner/v1/quotes?limit=2"
	for state, want := range map[payment.State]string{
		payment.Awaiting: "lapsed", payment.Cancelled: "cancelled", payment.Refused: "closed", payment.Accepted: "paid", payment.InDoubt: "paid", payment.RefundDue: "paid",
	} {
		b.quote.State = state
		for _, operation := range []string{get, cancel, pages} {
			status, _, body := rest(t, app, operation, "payments.read,payments.quote", "")
			if status != http.StatusOK || !strings.Contains(body, `"state":"`+want+`"`) {
				t.Errorf("%s of %s: %d %s", operation, state, status, body)
			}
		}
	}
	b.quote.State, b.quote.ExpiresAt = payment.Awaiting, time.Now().Add(time.Hour)
	if _, _, body := rest(t, app, get, "payments.read", ""); !strings.Contains(body, `"state":"open"`) {
		t.Error(body)
	}
	var page struct{ Next string }
	if _, _, body := rest(t, app, pages, "payments.read", ""); json.Unmarshal([]byte(body), &page) != nil || page.Next == "" {
		t.Error(body)
	}
	if _, _, body := rest(t, app, pages+"&after="+page.Next, "payments.read", ""); body != `{"quotes":[]}` {
		t.Error(body)
	}
	const code = get + "/elqr"
	if _, _, body := rest(t, app, code, "payments.quote", ""); body != `{"link":"","payload":"of 1234567894","png":"AQ==","svg":""}` {
		t.Error(body)
	}
	b.fails = problem.New(problem.NotFound, "problem.partner_quote_absent")
	for _, operation := range []string{get, cancel, code} {
		if status, _, _ := rest(t, app, operation, "payments.read,payments.quote", ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", operation, status)
		}
	}
}
