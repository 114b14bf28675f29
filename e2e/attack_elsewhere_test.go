package e2e

import (
	"encoding/base64"
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
	first.faults(map[string]any{"outage": true})
	first.pay(code) // without the check that the register would not answer
	goOn := first.tried(2)
	first.faults(nil)

	second := open(t, []string{"ESHIK_XROAD_URL=http://127.0.0.1:" + first.securityServer()})
	other, otherCode := second.quoted(bakyt, ref)
	if p := second.wallet(otherCode); p.Result != 0 {
		t.Fatalf("the second payment: %+v", p)
	}
	if state := second.finished(bakyt, other); state != "settled" {
		t.Fatalf("the payment elsewhere: %s", state)
	}
	goOn()
	if state := first.finished(elena, id); state != "refund_due" {
		t.Errorf("a fine that somebody else paid is %s with us: the citizen's money is lost", state)
	}
}

// sql opens the door's database beside the server.
func (d *door) sql() *store.DB {
	d.t.Helper()
	address := "sqlite:" + filepath.Join(d.data, "eshik.db")
	for _, setting := range d.setup {
		if given, ok := strings.CutPrefix(setting, "ESHIK_DATABASE="); ok {
			address = given
		}
	}
	db, err := store.Open(d.t.Context(), address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = db.Close() }) // what it wrote is committed
	return db
}

// change runs a statement on the door's database.
func (d *door) change(statement string, args ...any) {
	d.t.Helper()
	if _, err := d.sql().Writer().ExecContext(d.t.Context(), statement, args...); err != nil {
		d.t.Fatal(err)
	}
}

// tried waits until the settlement of the one payment has been tried n times and
// no try is under way, and holds the next one back until goOn.
func (d *door) tried(n int) (goOn func()) {
	d.t.Helper()
	db := d.sql()
	far := time.Now().Add(time.Hour).UnixMicro()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		result, err := db.Writer().ExecContext(d.t.Context(), "UPDATE payments SET try_at = $1, worked_at = $1 "+
			"WHERE state = 'accepted' AND trying = FALSE AND tries >= $2", far, n)
		if err != nil {
			d.t.Fatal(err)
		}
		if held, err := result.RowsAffected(); err == nil && held == 1 {
			return func() { d.change("UPDATE payments SET try_at = 1 WHERE state = 'accepted'") }
		}
	}
	d.t.Fatalf("the settlement was not tried %d times", n)
	return nil
}

// faults sets the knobs of the register of fines.
func (d *door) faults(knobs map[string]any) {
	d.t.Helper()
	if status := d.json(http.MethodPut, "/sandbox/faults", "", map[string]any{"safecity": knobs}, nil); status != http.StatusOK {
		d.t.Fatalf("the faults were not set: %d", status)
	}
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
