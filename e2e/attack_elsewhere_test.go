package e2e

import (
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
)

// TestAttackPaidElsewhereWhileTheRegisterWasDown: we took the money, the register
// did not answer, and meanwhile the fine was paid somewhere else. We never paid
// it, so our money goes back; it must not be called settled.
func TestAttackPaidElsewhereWhileTheRegisterWasDown(t *testing.T) {
	t.Parallel()
	first := embedded(t)
	ref := "7900000000003" // of 01KG123ABC: nobody looked at it by its owner: no protocol is known
	id, code := first.quoted(elena, ref)
	var faults map[string]map[string]any
	first.json(http.MethodGet, "/sandbox/faults", "", nil, &faults)
	faults["safecity"]["outage"] = true
	first.json(http.MethodPut, "/sandbox/faults", "", faults, nil)
	first.pay(code)   // without the check that the register would not answer
	first.tried(t, 6) // the next try comes half a minute later: no race with the second door
	faults["safecity"]["outage"] = false
	first.json(http.MethodPut, "/sandbox/faults", "", faults, nil)

	second := open(t, []string{"ESHIK_XROAD_URL=http://127.0.0.1:" + first.securityServer()})
	other, otherCode := second.quoted(bakyt, ref)
	if p := second.wallet(otherCode); p.Result != 0 {
		t.Fatalf("the second payment: %+v", p)
	}
	if state := second.finished(bakyt, other); state != "settled" {
		t.Fatalf("the payment elsewhere: %s", state)
	}
	if state := first.finished(elena, id); state != "refund_due" {
		t.Errorf("a fine that somebody else paid is %s with us: the citizen's money is lost", state)
	}
}

// tried waits until the settlement of the one payment has failed n times.
func (d *door) tried(t *testing.T, n int) {
	t.Helper()
	jobs, err := store.Open(t.Context(), "sqlite:"+filepath.Join(d.data, "eshik.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = jobs.Close() }() // nothing was written
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var failed int
		err := jobs.Reader().QueryRowContext(t.Context(),
			"SELECT attempt FROM river_job WHERE kind = 'payment.settle' AND state = 'retryable'").Scan(&failed)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
		if failed >= n {
			return
		}
	}
	t.Fatalf("the settlement was not tried %d times", n)
}

// token signs a phone in once, since a phone gets few codes.
func (d *door) token(phone string) string {
	d.t.Helper()
	if d.tokens == nil {
		d.tokens = map[string]string{}
	}
	if d.tokens[phone] == "" {
		d.tokens[phone] = d.signIn(phone)
	}
	return d.tokens[phone]
}

// quoted opens and confirms a payment of one fine.
func (d *door) quoted(phone, ref string) (id, code string) {
	d.t.Helper()
	var p struct {
		ID   string `json:"id"`
		Code string `json:"code"`
	}
	d.vehicle(d.token(phone), "01KG123ABC") // only what was looked up can be opened
	in := map[string]any{"service": "fine", "refs": []string{ref}}
	d.json(http.MethodPost, "/v1/payments", d.token(phone), in, &p)
	d.json(http.MethodPut, "/v1/payments/"+p.ID+"/confirmation", d.token(phone), nil, &p)
	if p.Code == "" {
		d.t.Fatalf("no payment of %s", ref)
	}
	return p.ID, p.Code
}

// pay takes a code's 1 000 som as the demo wallet's own request.
func (d *door) pay(code string) {
	d.t.Helper()
	secret, err := os.ReadFile(filepath.Join(d.data, "sandbox", "wallet.secret"))
	if err != nil {
		d.t.Fatal(err)
	}
	login := base64.StdEncoding.EncodeToString([]byte("demo-wallet:" + strings.TrimSpace(string(secret))))
	var answer []byte
	d.json(http.MethodGet, "/partner/osmp?command=pay&txn_id=1&sum=1000.00&account="+code, "", nil, &answer, "Authorization", "Basic "+login)
	if !strings.Contains(string(answer), "<result>0</result>") {
		d.t.Fatalf("the first payment: %s", answer)
	}
}

// finished waits until a payment is no longer being settled.
func (d *door) finished(phone, id string) string {
	d.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		var p struct {
			State string `json:"state"`
		}
		d.json(http.MethodGet, "/v1/payments/"+id, d.token(phone), nil, &p)
		if p.State != "accepted" && p.State != "awaiting" {
			return p.State
		}
	}
	return "never"
}

// securityServer finds the port of the sandbox's security server: the third
// socket that the process listens on (Linux's /proc/net/tcp).
func (d *door) securityServer() string {
	d.t.Helper()
	mine := map[string]bool{}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", d.process.Process.Pid))
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(table), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 10 || fields[3] != "0A" || !mine[fields[9]] {
			continue
		}
		var port int
		if _, err := fmt.Sscanf(fields[1][strings.Index(fields[1], ":")+1:], "%X", &port); err != nil {
			d.t.Fatal(err)
		}
		known := fmt.Sprintf(":%d", port)
		if !strings.HasSuffix(d.url, known) && !strings.HasSuffix(d.admin, known) {
			return fmt.Sprint(port)
		}
	}
	d.t.Fatal("no third listener")
	return ""
}
