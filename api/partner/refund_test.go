package partner_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/problem"
)

// TestRefunds: a refund is asked for and confirmed under the scope of payments, in the contract's
// words only, and the answer says how the request stands; a statement takes the scope of reading.
func TestRefunds(t *testing.T) {
	t.Parallel()
	const ask, back = "PUT /partner/v1/payments/0042/refund", "PUT /partner/v1/payments/0042/refund/returned"
	for _, c := range []struct {
		operation, token, body string
		status                 int
		want, asked            string
	}{
		{ask, "payments.pay", `{"reason":"twice"}`, http.StatusOK, `"refusal":"not_proven"`, "refund demo-wallet 0042 twice"},
		{ask, "payments.pay", `{"reason":"twice"}`, http.StatusOK, `"state":"settled"`, "refund demo-wallet 0042 twice"},
		{back, "payments.pay", `{"amount":100}`, http.StatusOK, `"state":"refunded"`, "back demo-wallet 0042 100"},
		{ask, "payments.pay", `{"reason":"wish"}`, http.StatusBadRequest, "", ""},
		{ask, "payments.pay", `{}`, http.StatusBadRequest, "", ""},
		{back, "payments.pay", `{"amount":-1}`, http.StatusBadRequest, "", ""},
		{back, "payments.pay", `{"amount":1.5}`, http.StatusBadRequest, "", ""},
		{ask, "payments.read", `{"reason":"twice"}`, http.StatusForbidden, "problem.scope", ""},
		{back, "payments.read", `{"amount":100}`, http.StatusForbidden, "problem.scope", ""},
		{"GET /partner/v1/statements/2026-11-28", "payments.read", "", http.StatusOK, "row,at\n", "statement demo-wallet 2026-11-28"},
		{"GET /partner/v1/statements/2026-11-31", "payments.read", "", http.StatusBadRequest, "", ""},
		{"GET /partner/v1/statements/2026-11-28", "payments.pay", "", http.StatusForbidden, "problem.scope", ""},
	} {
		b := &books{}
		status, _, answer := rest(t, restWith(t, b), c.operation, c.token, c.body)
		if status != c.status || !strings.Contains(answer, c.want) || strings.Join(b.asked, ",") != c.asked {
			t.Errorf("%s %s by %s: %d %s, asked %q", c.operation, c.body, c.token, status, answer, b.asked)
		}
	}
}

// TestWrongAmountsNameTheirField: whatever is wrong with an amount, the answer says that it is the amount.
func TestWrongAmountsNameTheirField(t *testing.T) {
	t.Parallel()
	const back = "PUT /partner/v1/payments/0042/refund/returned"
	for _, operation := range []string{check, pay, back} {
		for amount, code := range map[string]string{
			"-1": "range", "0": "range", "1.5": "type", "1.0": "type", "1e3": "type", `"100"`: "type", "null": "type", "9223372036854775808": "range", "1e30": "",
		} {
			body := `{"code":"1234567894","amount":` + amount + `}`
			if operation == back {
				body = `{"amount":` + amount + `}`
			}
			status, _, answer := rest(t, restWith(t, &books{}), operation, "payments.pay,payments.check", body)
			if status != http.StatusBadRequest || !strings.Contains(answer, `"pointer":"/amount","code":"`+code) || strings.Contains(answer, `"pointer":""`) {
				t.Errorf("%s %s: %d %s", operation, amount, status, answer)
			}
		}
	}
	b := &books{err: problem.New(problem.Mismatch, "problem.partner_refund_amount")}
	if status, _, answer := rest(t, restWith(t, b), back, "payments.pay", `{"amount":7}`); status != http.StatusUnprocessableEntity || !strings.Contains(answer, `"pointer":"/amount"`) {
		t.Errorf("another sum than is due: %d %s", status, answer)
	}
}
