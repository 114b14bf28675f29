package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/tools/partnercheck"
)

// TestExampleClients runs the partners' clients in Go and JavaScript, each against a server of its
// own: from a plate to a payment that its register has, and what the register does not know.
func TestExampleClients(t *testing.T) {
	t.Parallel()
	client := filepath.Join(t.TempDir(), "wallet")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", client, "../docs/examples/wallet").CombinedOutput(); err != nil { // #nosec G204 -- our own program
		t.Fatalf("%v: %s", err, out)
	}
	for name, command := range map[string][]string{"Go": {client}, "JavaScript": {"node", "../docs/examples/wallet/wallet.mjs"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := embedded(t)
			run := func(plate string) string {
				c := exec.CommandContext(t.Context(), command[0], append(command[1:], plate)...) // #nosec G204 -- our own program
				c.Env = append(os.Environ(), "URL="+d.url, "CLIENT="+d.clientSecret())
				out, err := c.CombinedOutput()
				if err != nil {
					t.Errorf("%s: %v: %s", plate, err, out)
				}
				return string(out)
			}
			if got := run("01KG123ABC"); !regexp.MustCompile(`^to pay: \d+\.\d\d som by the code \d{10}\nstate: settled\n$`).MatchString(got) {
				t.Errorf("a payment: %s", got)
			}
			for plate, answer := range map[string]string{"01KG777AAA": "none", "09KG999ZZZ": "unknown"} {
				if got := run(plate); got != "answer: "+answer+"\n" {
					t.Errorf("%s: %s", plate, got)
				}
			}
			d.fsck()
		})
	}
}

// TestPartnerCheck: what the guide promises holds of our server.
func TestPartnerCheck(t *testing.T) {
	t.Parallel()
	d := embedded(t)
	var said []string
	err := partnercheck.Run(t.Context(), partnercheck.Target{
		Address: d.url, ID: "demo-wallet", Secret: d.clientSecret(), Owing: "01KG123ABC", Clean: "01KG777AAA", Pay: true,
	}, "1", func(r partnercheck.Result) {
		said = append(said, r.Promise)
		if r.Err != nil {
			t.Errorf("%s: %v", r.Promise, r.Err)
		}
	})
	if err != nil || len(said) < 11 {
		t.Errorf("%d promises were tried: %v", len(said), err)
	}
	d.fsck()
}

// kit does what the guide's table of test plates and codes says.
type kit struct {
	*door
	token, login string
	last         int // transaction
}

// rest gives what a request is answered with, of a problem its code.
func (k *kit) rest(method, path string, in any) string {
	var body []byte
	k.json(method, "/partner/v1"+path, k.token, in, &body, "Idempotency-Key", fmt.Sprint("test-kit-", k.last))
	return string(body)
}

func (k *kit) osmp(query string) string {
	var body []byte
	k.json(http.MethodGet, "/partner/osmp?"+query, "", nil, &body, "Authorization", k.login)
	return regexp.MustCompile(`<result>\d+</result>`).FindString(string(body))
}

func (k *kit) find(plates ...string) string {
	find := make([]map[string]string, len(plates))
	for i, plate := range plates {
		find[i] = map[string]string{"plate": plate}
	}
	return k.rest(http.MethodPost, "/bills", map[string]any{"user": fmt.Sprint("u", k.last), "find": find})
}

// code is one of a new quote of the first bill of B1234AB, which is taken back before another is made.
func (k *kit) code() (code string, amount int) {
	k.last++
	ref := regexp.MustCompile(`"ref":"(\d+)"`).FindStringSubmatch(k.find("B1234AB"))
	if ref == nil {
		k.t.Fatalf("there is no bill")
	}
	quote := k.rest(http.MethodPost, "/quotes", map[string]any{"user": fmt.Sprint("u", k.last), "service": "fine", "bills": []string{ref[1]}})
	if _, err := fmt.Sscanf(quote, `{"amount":%d,`, &amount); err != nil {
		k.t.Fatalf("no quote: %s", quote)
	}
	return regexp.MustCompile(`"code":"(\d{10})"`).FindStringSubmatch(quote)[1], amount
}

func (k *kit) pay(txn int, code string, amount int) string {
	return k.rest(http.MethodPut, fmt.Sprint("/payments/", txn), map[string]any{"code": code, "amount": amount})
}

func (k *kit) faults(knobs string) {
	k.t.Helper()
	request, err := http.NewRequestWithContext(k.t.Context(), http.MethodPut, k.url+"/sandbox/faults", strings.NewReader(knobs))
	if err != nil {
		k.t.Fatal(err)
	}
	response, err := k.client.Do(request)
	if err != nil {
		k.t.Fatal(err)
	}
	if body := k.read(response); response.StatusCode != http.StatusOK {
		k.t.Fatalf("the sandbox's knobs: %d %s", response.StatusCode, body)
	}
}

// TestTheTableOfTestPlates: what the guide has a partner's engineer try comes to what it says.
func TestTheTableOfTestPlates(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../docs/guides/partners.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(guide), "### Test plates and codes\n")
	table, _, _ = strings.Cut(table, "\n### ")
	d := embedded(t)
	secret, err := os.ReadFile(filepath.Join(d.data, "sandbox", "wallet.secret"))
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{door: d, token: d.partnerToken("demo-wallet", d.clientSecret(), ""), last: 1000,
		login: "Basic " + base64.StdEncoding.EncodeToString([]byte("demo-wallet:"+strings.TrimSpace(string(secret))))}
	proved := 0
	holds := func(row, got string, want ...string) {
		t.Helper()
		if !strings.Contains(table, "| "+row+" |") {
			t.Errorf("the table has no row %q", row)
		}
		proved++
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %s, want %s", row, got, w)
			}
		}
	}
	if found := k.find("01KG123ABC", "B1234AB"); strings.Count(found, `"ref"`) != 4 {
		t.Errorf("found: %s", found)
	}
	holds("`found`", k.find("01KG123ABC", "B1234AB"), `"found"`)
	holds("`none`", k.find("01KG777AAA"), `"none"`)
	holds("`unknown`", k.find("09KG999ZZZ")+k.osmp("command=check&txn_id=1&account=1234567894"), `"unknown"`, "<result>5<")
	holds("`malformed`", k.find("ZZZZ")+k.osmp("command=check&txn_id=1&account=1234567890"), `"malformed"`, "<result>4<")
	k.last++
	many := k.find("01KG001AAA", "01KG002AAA", "01KG003AAA", "01KG004AAA", "01KG005AAA", "01KG006AAA", "01KG007AAA", "01KG008AAA", "01KG009AAA", "01KG010AAA")
	holds("`many`", many+k.find("01KG011AAA"), `"many"`)
	k.outcomes(holds)
	rows := strings.Count(table, "\n| ") - 1 // but its heading
	if proved != rows {
		t.Errorf("%d rows are proved, of %d", proved, rows)
	}
	d.fsck()
}

// outcomes are the rows about payments.
func (k *kit) outcomes(holds func(row, got string, want ...string)) {
	code, amount := k.code()
	holds("`problem.partner_sum_small`, `problem.partner_sum_large`; OSMP 241, 242", k.pay(1, code, amount-1)+k.pay(2, code, amount+1), "partner_sum_small", "partner_sum_large")
	holds("OSMP 300", k.osmp("command=pay&txn_id=3&sum=1,00&account="+code), "<result>300<")
	k.faults(`{"safecity":{"outage":true}}`)
	holds("`not_now`, OSMP 1 on a check", k.osmp("command=check&txn_id=4&account="+code)+k.rest(http.MethodPost, "/checks", map[string]any{"code": code}), "<result>1<", "partner_not_now")
	holds("`cancelled`, OSMP 0 on a cancel", k.pay(5, code, amount)+k.osmp("command=cancel&txn_id=5")+k.rest(http.MethodGet, "/payments/5", nil), `"accepted"`, "<result>0<", `"cancelled"`)
	k.faults(`{"safecity":{}}`)
	testworld.Eventually(k.t, "the register to answer", func() bool { return !strings.Contains(k.find("B1234AB"), "not_now") }) // the breaker
	code, amount = k.code()
	k.faults(`{"safecity":{"lose_answers":1}}`)
	k.pay(6, code, amount)
	testworld.Eventually(k.t, "it to be settled", func() bool { return strings.Contains(k.rest(http.MethodGet, "/payments/6", nil), `"settled"`) })
	holds("`settled` though the register's answer was lost", k.rest(http.MethodGet, "/payments/6", nil), `"settled"`)
	holds("`problem.partner_code_closed`, OSMP 79", k.pay(7, code, amount)+k.osmp("command=check&txn_id=8&account="+code), "partner_code_closed", "<result>79<")
	holds("`problem.partner_txn_reused`, OSMP 300", k.pay(6, "1234567897", amount), "partner_txn_reused")
	holds("OSMP 7, `problem.partner_payment_forwarded`", k.osmp("command=cancel&txn_id=6")+k.rest(http.MethodDelete, "/payments/6", nil), "<result>7<", "partner_payment_forwarded")
}
