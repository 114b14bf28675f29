package e2e

import (
	"database/sql"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/sandbox"
)

// smspro is a server whose messages leave through a simulated SMSPRO, which is reached
// over the network.
type smspro struct {
	*door
	account *sandbox.SMSPRO
	inbox   *door // of the phones that SMSPRO reaches
	kept    *sql.DB
}

const smsproSecret = "a-secret-of-reports"

// smsproTable is the account; tables adds to it.
const smsproTable = `[[ussd]]
format = "africastalking"
[[sms]]
provider = "smspro"
username = "eshik"
api_key_env = "E2E_SMSPRO"
secret_env = "E2E_SMSPRO_REPORTS"
from = "ESHIK"
url = "`

// newSMSPRO opens the server; begin, unless nil, sets the account up before. pushed has
// reports pushed, once it gives something.
func newSMSPRO(t *testing.T, tables string, money int, pushed <-chan struct{}, begin func(*sandbox.SMSPRO)) *smspro {
	t.Helper()
	s := &smspro{}
	phones, err := sandbox.NewPhones(sandbox.PhonesConfig{BaseURL: func() string { return s.url }, Now: time.Now, DeliveryTime: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	of := sandbox.SMSPROAccount{Login: "eshik", Password: "pw", Sender: "ESHIK", Money: money}
	if pushed != nil {
		of.ReportURL = func() string { <-pushed; return s.url + "/sms/smspro/" + smsproSecret + "/report" }
	}
	s.account = phones.SMSPRO(of)
	if begin != nil {
		begin(s.account)
	}
	gateway, inbox := httptest.NewServer(s.account.Handler()), httptest.NewServer(phones.Handler())
	t.Cleanup(func() {
		gateway.Close()
		inbox.Close()
		_ = phones.Close()
	})
	file := filepath.Join(t.TempDir(), "gateways.toml")
	if err := os.WriteFile(file, []byte(smsproTable+gateway.URL+"\"\n"+tables), 0o600); err != nil {
		t.Fatal(err)
	}
	s.door = open(t, []string{"ESHIK_GATEWAYS=" + file, "E2E_SMSPRO=pw", "E2E_SMSPRO_REPORTS=" + smsproSecret})
	s.inbox = &door{t: t, url: inbox.URL, client: s.client, stderr: s.stderr}
	if s.kept, err = sql.Open("sqlite", filepath.Join(s.data, "eshik.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.kept.Close() })
	return s
}

// asksCode has a code sent to a phone.
func (s *smspro) asksCode(phone string) {
	s.t.Helper()
	if status := s.json("POST", "/v1/codes", "", map[string]string{"phone": phone}, nil); status != 202 {
		s.t.Fatalf("a code is answered with %d", status)
	}
}

// until waits for so many messages that a condition holds for.
func (s *smspro) until(n int, where string) {
	s.t.Helper()
	for deadline, got := time.Now().Add(patience), -1; got != n; time.Sleep(50 * time.Millisecond) {
		if err := s.kept.QueryRow("SELECT COUNT(*) FROM notify_messages WHERE " + where).Scan(&got); err != nil {
			s.t.Fatal(err)
		}
		if got != n && time.Now().After(deadline) {
			s.t.Fatalf("%d messages with %s, want %d: %s", got, where, n, s.stderr)
		}
	}
}

// eventually waits for what the gateway counts.
func (s *smspro) eventually(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s never came: %s", what, s.stderr)
		}
	}
}

// closed is a channel that gives at once, for ever.
func closed() <-chan struct{} { c := make(chan struct{}); close(c); return c }

const smsproDelivered = "state = 'delivered' AND provider = 'smspro' AND cost = 70"

// TestSMSPRO has the real server send a code through the simulated SMSPRO: the answer
// to the first try is lost, the message is sent again under the same id and reaches the
// phone once, and the report that SMSPRO posts ends it.
func TestSMSPRO(t *testing.T) {
	t.Parallel()
	s := newSMSPRO(t, "price = 0.7\n", 100, closed(), func(account *sandbox.SMSPRO) {
		account.Plan("/api/message", sandbox.SMSPROFault{Times: 1, Drop: true})
	})
	s.asksCode(aigul)
	s.inbox.await(aigul, "Код: ")
	s.until(1, smsproDelivered)
	if got := s.inbox.inbox(aigul); len(got) != 1 || got[0].From != "ESHIK" {
		t.Errorf("the phone got %+v", got)
	}
	if n := s.account.Asked("/api/dr"); n != 0 {
		t.Errorf("a report that came by itself was asked for %d times", n)
	}
}

// TestSMSPROAskedForReports: where nothing is pushed the server asks, and again while the
// message is under way; a message of which only its own id is known is found so, too.
func TestSMSPROAskedForReports(t *testing.T) {
	t.Parallel()
	s := newSMSPRO(t, "price = 0.7\nask_after = \"500ms\"\n", 100, nil, func(account *sandbox.SMSPRO) {
		account.Fate(aigul, 1)
		account.Fate(bakyt, 4)
	})
	s.asksCode(aigul)
	s.asksCode(bakyt)
	s.until(1, "state = 'failed' AND provider = 'smspro'") // Bakyt's was not delivered
	s.eventually("a question", func() bool { return s.account.Asked("/api/dr") >= 3 })
	s.until(1, "state = 'sent' AND asked > 0")
	s.account.Fate(aigul, 3)
	s.until(1, smsproDelivered)
	if got := len(s.inbox.inbox(aigul)) + len(s.inbox.inbox(bakyt)); got != 2 {
		t.Errorf("the phones got %d messages", got)
	}
}

// TestSMSPROReportsBothWays: what was asked for and is pushed afterwards counts once, as
// it was told first.
func TestSMSPROReportsBothWays(t *testing.T) {
	t.Parallel()
	pushes := make(chan struct{})
	s := newSMSPRO(t, "price = 0.7\nask_after = \"500ms\"\n", 100, pushes, nil)
	s.asksCode(aigul)
	s.until(1, smsproDelivered)
	s.account.Fate(aigul, 4) // the push tells otherwise
	close(pushes)
	s.eventually("the push", func() bool { return s.account.Heard() == 1 })
	s.until(1, smsproDelivered)
	s.until(0, "state = 'failed'")
}

// TestSMSPROTellsOperators: a ported number's first code goes by its prefix and without a
// delay, and what is sent later by the operator that SMSPRO names, who is asked once.
func TestSMSPROTellsOperators(t *testing.T) {
	t.Parallel()
	s := newSMSPRO(t, "prices = {MegaCom = 5.0, \"O!\" = 0.7}\n", 100, closed(), func(account *sandbox.SMSPRO) {
		account.Port(aigul, "НУР Телеком (O!)")
	})
	s.asksCode(aigul)
	s.until(1, "operator = 'MegaCom' AND cost = 500")
	s.eventually("a look-up", func() bool { return s.account.Asked("/api/def") == 1 })
	s.asksCode(aigul)
	s.until(1, "operator = 'O!' AND cost = 70")
	if n := s.account.Asked("/api/def"); n != 1 {
		t.Errorf("a known number was looked up %d times", n)
	}
	s.account.Plan("/api/def", sandbox.SMSPROFault{Times: -1, HTTP: 502, Body: "<html>Bad gateway</html>"})
	s.asksCode(bakyt) // whose prefix is O!'s
	s.until(2, "operator = 'O!' AND cost = 70")
}

// TestSMSPROWithoutMoney: the account is empty, the message goes through the next provider
// at once and nobody is blamed; the operator sees it.
func TestSMSPROWithoutMoney(t *testing.T) {
	t.Parallel()
	s := newSMSPRO(t, "price = 0.7\nlow_balance = 50.0\n[[sms]]\nprovider = \"twilio\"\nprice = 4.5\n", 0, closed(), nil)
	for n, phone := range []string{aigul, bakyt} {
		s.asksCode(phone)
		s.await(phone, "Код: ")
		s.until(n+1, "provider = 'twilio' AND tries = 1")
	}
	if n := s.account.Asked("/api/message"); n != 1 {
		t.Errorf("an account that is known to be empty was offered %d messages", n)
	}
	var blamed int
	if err := s.kept.QueryRow("SELECT COUNT(*) FROM sms_failures").Scan(&blamed); err != nil || blamed != 0 {
		t.Errorf("%d failures are counted, %v", blamed, err)
	}
	s.eventually("a warning", func() bool {
		return strings.Contains(s.ready(), "degraded: the SMS account at smspro has 0.00 som left, and should have 50.00")
	})
	metrics := s.metrics()
	for _, want := range []string{`eshik_sms_account_som{provider="smspro"} 0`, `eshik_sms_account_low{provider="smspro"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no figure %s", want)
		}
	}
	if !strings.Contains(s.stderr.String(), "running out of money") {
		t.Errorf("logged %s", s.stderr)
	}
}
