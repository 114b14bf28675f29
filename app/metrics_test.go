package app

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/ussd"
)

// What gateways tell of their sessions is counted by gateway and status; a figure
// that was not told leaves its metric alone.
func TestClosingsAreCounted(t *testing.T) {
	t.Parallel()
	m := newMetrics()
	hear := m.close("africastalking")
	hear(ussd.Closing{Status: "success", Duration: 90 * time.Second, Hops: 4, Cost: 1.25})
	hear(ussd.Closing{Status: "success", Duration: 15 * time.Second, Hops: 2, Cost: 0.5})
	hear(ussd.Closing{Status: "other", Duration: -1, Hops: -1, Cost: -1})
	w := httptest.NewRecorder()
	m.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`eshik_gateway_sessions_total{gateway="africastalking",status="success"} 2`,
		`eshik_gateway_sessions_total{gateway="africastalking",status="other"} 1`,
		`eshik_gateway_session_seconds_sum{gateway="africastalking"} 105`,
		`eshik_gateway_session_seconds_bucket{gateway="africastalking",le="20"} 1`,
		`eshik_gateway_session_seconds_count{gateway="africastalking"} 2`,
		`eshik_gateway_session_hops_sum{gateway="africastalking"} 6`,
		`eshik_gateway_session_hops_count{gateway="africastalking"} 2`,
		`eshik_gateway_session_cost_total{gateway="africastalking"} 1.75`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("not there: %s", line)
		}
	}
}
