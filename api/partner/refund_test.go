package partner_test

import (
	"net/http"
	"strings"
	"testing"
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
