package e2e

import (
	"database/sql"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the server's file is looked into

	"github.com/eshik-kg/eshik/sandbox"
)

// TestSMSPRO: messages go through SMSPRO. An answer that is lost is asked for again,
// and the citizen gets one message; the report that is posted ends it.
func TestSMSPRO(t *testing.T) {
	t.Parallel()
	var d *door
	phones, err := sandbox.NewPhones(sandbox.PhonesConfig{BaseURL: func() string { return d.url }, Now: time.Now, DeliveryTime: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	const secret = "a-secret-of-reports"
	account := phones.SMSPRO(sandbox.SMSPROAccount{
		Login: "eshik", Password: "pw", Sender: "ESHIK", Money: 100, ReportURL: func() string { return d.url + "/sms/smspro/" + secret + "/report" },
	})
	gateway := httptest.NewServer(account.Handler())
	inbox := httptest.NewServer(phones.Handler())
	t.Cleanup(func() {
		gateway.Close()
		inbox.Close()
		_ = phones.Close()
	})
	file := filepath.Join(t.TempDir(), "gateways.toml")
	if err := os.WriteFile(file, []byte(`[[ussd]]
format = "africastalking"
[[sms]]
provider = "smspro"
price = 0.7
username = "eshik"
api_key_env = "E2E_SMSPRO"
secret_env = "E2E_SMSPRO_REPORTS"
from = "ESHIK"
url = "`+gateway.URL+`"
`), 0o600); err != nil {
		t.Fatal(err)
	}
	account.LoseAnswers(1)
	d = open(t, []string{"ESHIK_GATEWAYS=" + file, "E2E_SMSPRO=pw", "E2E_SMSPRO_REPORTS=" + secret})
	if status := d.json("POST", "/v1/codes", "", map[string]string{"phone": aigul}, nil); status != 202 {
		t.Fatalf("a code is answered with %d", status)
	}
	kept, err := sql.Open("sqlite", filepath.Join(d.data, "eshik.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	provider := &door{t: t, url: inbox.URL, client: d.client, stderr: d.stderr}
	provider.await(aigul, "Код: ")
	delivered := func() (n int) {
		if err := kept.QueryRow("SELECT COUNT(*) FROM notify_messages WHERE state = 'delivered' AND provider = 'smspro' AND cost = 70").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for deadline := time.Now().Add(patience); delivered() != 1; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the report ended no message: %s", d.stderr)
		}
	}
	if got := provider.inbox(aigul); len(got) != 1 || got[0].From != "ESHIK" {
		t.Errorf("the phone got %+v", got)
	}
}
