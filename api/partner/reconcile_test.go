package partner_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestRegistriesAreRead: both formats, and what is cut, misshapen or adds up to something else is refused
// by its line.
func TestRegistriesAreRead(t *testing.T) {
	t.Parallel()
	const row = "0042\t2026-11-28\t12:00:00\t1234567894\t1000.50\n"
	const heading = "txn_id,paid_at,code,amount\n"
	app := restWith(t, &books{})
	for name, c := range map[string]struct {
		format, text string
		status       int
		says         string
	}{
		"osmp":             {"osmp", row + "43\t28.11.2026\t00:00:01\t1234567894\t1\r\nTotal: 2 1001.50\n", 200, `"theirs":2`},
		"an empty day":     {"osmp", "Total: 0 0\n", 200, `"theirs":0`},
		"no total":         {"osmp", row, 400, "partner_registry_total"},
		"another number":   {"osmp", row + "Total: 2 1000.50", 400, "partner_registry_total"},
		"another sum":      {"osmp", row + "Total: 1 1000.51", 400, "partner_registry_total"},
		"a sum of letters": {"osmp", row + "Total: 1 x", 400, "partner_registry_total"},
		"a comma":          {"osmp", strings.Replace(row, "1000.50", "1000,50", 1) + "Total: 1 1000.50", 400, "line 1"},
		"29 digits":        {"osmp", row + strings.Repeat("9", 29) + row[4:] + "Total: 2 2001", 400, "line 2"},
		"no such day":      {"osmp", strings.Replace(row, "11-28", "13-28", 1) + "Total: 1 1000.50", 400, "line 1"},
		"nothing":          {"osmp", "", 400, "partner_registry_total"},
		"csv":              {"csv", "\ufeff" + heading + "0042,2026-11-28T06:00:00Z,\"1234567894\",100050\r\n", 200, `"amount":100050`},
		"an empty csv":     {"csv", heading, 200, `"theirs":0`},
		"another heading":  {"csv", "id,amount\n", 400, "line 1"},
		"som":              {"csv", heading + "0042,2026-11-28T06:00:00Z,1234567894,1000.50\n", 400, "line 2"},
		"below nothing":    {"csv", heading + "0042,2026-11-28T06:00:00Z,1234567894,-5\n", 400, "line 2"},
		"a day alone":      {"csv", heading + "0042,2026-11-28,1234567894,5\n", 400, "line 2"},
		"an open quote":    {"csv", heading + "0042,\"2026\n", 400, "line 2"},
		"another format":   {"xml", heading, 400, "format"},
	} {
		body, err := json.Marshal(map[string]string{"day": "2026-11-28", "format": c.format, "registry": c.text})
		if err != nil {
			t.Fatal(err)
		}
		status, _, answer := rest(t, app, "POST /partner/v1/reconciliations", "payments.read", string(body))
		if status != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if status, _, _ := rest(t, app, "POST /partner/v1/reconciliations", "payments.pay", "{}"); status != http.StatusForbidden {
		t.Errorf("another scope: %d", status)
	}
}
