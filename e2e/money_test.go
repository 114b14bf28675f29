package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store"
)

// M1: the server is killed while the last attempt of a settlement's job runs, so
// that the queue gives the job up. The money is settled all the same.
func TestM1KilledAtTheLastAttempt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		id, code := d.quoted(elena, "7900000000003")
		d.faults(map[string]any{"delay_ms": 20_000})
		d.pay(code)
		db := d.sql()
		d.until("the settlement runs", func() bool {
			return counted(t, db, "SELECT COUNT(*) FROM payments WHERE trying = TRUE") == 1 &&
				counted(t, db, "SELECT COUNT(*) FROM river_job WHERE kind = 'payment.settle' AND state = 'running'") == 1
		})
		d.change("UPDATE river_job SET attempt = max_attempts WHERE kind = 'payment.settle'")
		d.kill() // the sandbox's knobs go back to none with it
		if out, err := d.run("fsck"); err != nil || !strings.Contains(out, "the oldest "+id) {
			t.Errorf("fsck does not name what waits: %v\n%s", err, out)
		}
		if figures := d.metrics(); !strings.Contains(figures, `eshik_payments_open{state="accepted"} 1`) ||
			strings.Contains(figures, "eshik_payments_oldest_seconds{state=\"accepted\"} 0\n") {
			t.Error("the metrics do not show what waits")
		}
		d.until("it is settled", func() bool { return d.payment(elena, id) == "settled" })
		if n := counted(t, db, "SELECT COUNT(*) FROM river_job WHERE kind = 'payment.settle' AND state IN ('completed', 'available', 'retryable')"); n != 0 {
			t.Logf("the queue did not give the job up yet (%d): the sweep was faster", n)
		}
		d.fsck()
	})
}

// M2: we sent our payment and never heard, and another bank paid the fine. Nothing
// proves whose payment the register has: it is not called ours, the citizen is
// told, and an operator ends it.
func TestM2SentAndPaidElsewhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, first *door) {
		ref := "7900000000003"
		id, code := first.quoted(elena, ref)
		first.faults(map[string]any{"outage": true})
		first.pay(code)
		goOn := first.tried(1)
		if n := counted(t, first.sql(), "SELECT COUNT(*) FROM payment_lines WHERE sent = TRUE"); n != 0 {
			t.Error("a payment that never left is marked as sent")
		}
		first.change("UPDATE payment_lines SET sent = TRUE") // as an answer that never came leaves it
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
		if state := first.finished(elena, id); state != "in_doubt" {
			t.Fatalf("without proof the payment is %s", state)
		}
		first.await(elena, "текшерилүүдө: 1 000 сом")
		first.fsck()
		out, err := first.as("operator", "", "staff", "suspense")
		if err != nil || !strings.Contains(out, id) || !strings.Contains(out, ref) {
			t.Fatalf("the operators' list: %v\n%s", err, out)
		}
		if out, err := first.as("operator", "", "staff", "decide", id, "0", "--refund"); err == nil {
			t.Errorf("decided without evidence: %s", out)
		}
		first.settles(id, "refund")
		if state := first.payment(elena, id); state != "refund_due" {
			t.Errorf("decided: %s", state)
		}
		first.await(elena, "1 000 сом")
		if out, err := first.as("operator", "", "staff", "suspense"); err != nil || !strings.Contains(out, "No payment is in doubt") {
			t.Errorf("the list afterwards: %v\n%s", err, out)
		}
		first.fsck()
	})
}

// payment is a payment's state over REST.
func (d *door) payment(phone, id string) string {
	d.t.Helper()
	var p struct {
		State string `json:"state"`
	}
	d.json("GET", "/v1/payments/"+id, d.token(phone), nil, &p)
	return p.State
}

// until polls for what may take as long as a killed try counts as under way.
func (d *door) until(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
	}
	_, _ = os.Stderr.WriteString(d.stderr.String())
	d.t.Fatalf("never: %s", what)
}

func counted(t *testing.T, db *store.DB, query string) (n int) {
	t.Helper()
	if err := db.Reader().QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
