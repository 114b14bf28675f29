package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
)

// openIDClient gets a token with the npm package openid-client, which finds the endpoint by
// the metadata of RFC 8414, and lists a day with it.
const openIDClient = `
(async () => {
  const {pathToFileURL} = require('node:url');
  const oauth = await import(pathToFileURL(process.env.MODULES + '/openid-client/build/index.js'));
  const server = new URL(process.env.SERVER);
  const config = await oauth.discovery(server, 'demo-wallet', undefined, oauth.ClientSecretBasic(process.env.SECRET),
    {algorithm: 'oauth2', execute: [oauth.allowInsecureRequests]});
  const tokens = await oauth.clientCredentialsGrant(config, {scope: 'payments.read'});
  const list = await oauth.fetchProtectedResource(config, tokens.access_token, new URL('/partner/v1/payments?day=2026-11-28', server), 'GET');
  let refused = '';
  try { await oauth.clientCredentialsGrant(config, {scope: 'everything'}); } catch (e) { refused = e.error; }
  process.stdout.write(JSON.stringify({token: tokens.access_token, type: tokens.token_type, lasts: tokens.expires_in, scope: tokens.scope, status: list.status, refused}));
})().catch(e => { console.error(e); process.exit(1); });`

// clientSecret is what the sandbox printed of its wallet's client.
func (d *door) clientSecret() string {
	d.t.Helper()
	secret, err := os.ReadFile(filepath.Join(d.data, "sandbox", "wallet-oauth.secret"))
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.TrimSpace(string(secret))
}

// partnerToken gets an access token as a partner's program does.
func (d *door) partnerToken(id, secret, scope string) string {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+"/partner/oauth/token",
		strings.NewReader("grant_type=client_credentials&scope="+scope))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(id, secret)
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	var token struct {
		Access string `json:"access_token"`
	}
	if data := d.read(response); json.Unmarshal(data, &token) != nil || token.Access == "" {
		d.t.Fatalf("no token: %d %s", response.StatusCode, data)
	}
	return token.Access
}

// TestOpenIDClient: a library that knows nothing of us gets a token by discovery. It opens
// the partners' door and no other, and a citizen's token opens the citizens' alone; with its
// secret it ends.
func TestOpenIDClient(t *testing.T) {
	t.Parallel()
	modules := os.Getenv("ESHIK_TEST_NODE_MODULES")
	if modules == "" {
		t.Fatal("ESHIK_TEST_NODE_MODULES is not set: run the tests with `make test`, which installs the packages of tools/node")
	}
	each(t, func(t *testing.T, d *door) {
		node := exec.CommandContext(t.Context(), "node", "-e", openIDClient)
		node.Env = append(os.Environ(), "MODULES="+modules, "SERVER="+d.url, "SECRET="+d.clientSecret())
		out, err := node.Output()
		if err != nil {
			t.Fatalf("openid-client: %v", err)
		}
		var got struct {
			Token, Type, Scope, Refused string
			Lasts, Status               int
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if !strings.EqualFold(got.Type, "bearer") || got.Scope != "payments.read" || got.Lasts != 300 || got.Status != http.StatusOK || got.Refused != "invalid_scope" {
			t.Errorf("openid-client got %s", out)
		}
		const list = "/partner/v1/payments?day=2026-11-28"
		if status := d.json(http.MethodGet, "/v1/profile", got.Token, nil, nil); status != http.StatusUnauthorized {
			t.Errorf("a partner's token at the citizens' door: %d", status)
		}
		if status := d.json(http.MethodGet, list, d.signIn(bakyt), nil, nil); status != http.StatusUnauthorized {
			t.Errorf("a citizen's token at the partners' door: %d", status)
		}
		if status := d.json(http.MethodPut, "/partner/v1/payments/1", got.Token, map[string]any{"code": "1234567897", "amount": 1}, nil); status != http.StatusForbidden {
			t.Errorf("a token to read pays: %d", status)
		}
		if out, err := d.as("administrator", "", "partner", "revoke", "demo-wallet.2"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if status := d.json(http.MethodGet, list, got.Token, nil, nil); status != http.StatusUnauthorized {
			t.Errorf("after its secret was revoked: %d", status)
		}
	})
}

// partnerPayment is a transaction as REST shows it.
type partnerPayment struct {
	TxnID     string `json:"txn_id"`
	Reference string `json:"reference"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Code      string `json:"code"` // of a problem too
}

// TestThousandReplaysOfBothKinds: one transaction, however often and by whichever protocol
// it comes; another partner sees nothing of it.
func TestThousandReplaysOfBothKinds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *door) {
		_, code := d.quoted(elena, "7900000000003")
		token := d.partnerToken("demo-wallet", d.clientSecret(), "")
		secret, err := os.ReadFile(filepath.Join(d.data, "sandbox", "wallet.secret"))
		if err != nil {
			t.Fatal(err)
		}
		login := "Basic " + base64.StdEncoding.EncodeToString([]byte("demo-wallet:"+strings.TrimSpace(string(secret))))
		number := regexp.MustCompile(`<prv_txn>(\d{18})</prv_txn>.*<result>0</result>`)
		var mu sync.Mutex
		references := map[string]int{}
		var all sync.WaitGroup
		for worker := range 10 {
			all.Go(func() {
				for i := range 100 {
					reference := ""
					if (worker+i)%2 == 0 {
						var p partnerPayment
						d.json(http.MethodPut, "/partner/v1/payments/0042", token, map[string]any{"code": code, "amount": 100_000}, &p)
						reference = p.Reference
					} else {
						var xml []byte
						d.json(http.MethodGet, "/partner/osmp?command=pay&txn_id=0042&sum=1000.00&account="+code, "", nil, &xml, "Authorization", login)
						if found := number.FindSubmatch(xml); found != nil {
							reference = string(found[1])
						}
					}
					mu.Lock()
					references[reference]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(references) != 1 || references[""] > 0 {
			t.Errorf("1 000 requests were answered with %v", references)
		}
		var day struct {
			Count    int              `json:"count"`
			Payments []partnerPayment `json:"payments"`
		}
		var own partnerPayment
		d.json(http.MethodGet, "/partner/v1/payments/0042", token, nil, &own)
		d.json(http.MethodGet, "/partner/v1/payments?day="+clock.ISODay(time.Now()), token, nil, &day)
		if own.TxnID != "0042" || day.Count != 1 || len(day.Payments) != 1 || references[own.Reference] != 1000 {
			t.Errorf("listed are %+v and %+v", own, day)
		}
		others(t, d, code)
		paysByPlate(t, d, token)
		d.fsck()
	})
}

// paysByPlate finds, quotes and pays inside a wallet, where nobody has dialled.
func paysByPlate(t *testing.T, d *door, token string) {
	t.Helper()
	var found struct {
		Results []struct {
			Answer string
			Bills  []struct{ Ref string }
		}
	}
	var body []byte
	find := map[string]any{"user": "u-1", "find": []map[string]string{{"plate": "01kg 123 abc"}, {"plate": "01KG777AAA"}, {"plate": "09KG999ZZZ"}}}
	d.json(http.MethodPost, "/partner/v1/bills", token, find, &body)
	if err := json.Unmarshal(body, &found); err != nil || len(found.Results) != 3 || len(found.Results[0].Bills) == 0 || found.Results[1].Answer != "none" || found.Results[2].Answer != "unknown" {
		t.Fatalf("found %s", body)
	}
	if strings.Contains(string(body), "11503198800011") || strings.Contains(string(body), "Айгүл") {
		t.Errorf("a plate tells whose it is: %s", body)
	}
	quoted := struct {
		Code   string
		Amount int64
	}{}
	request := map[string]any{"user": "u-1", "service": "fine", "bills": []string{found.Results[0].Bills[0].Ref}}
	if status := d.json(http.MethodPost, "/partner/v1/quotes", token, request, &quoted, "Idempotency-Key", "e2e-key-1"); status != http.StatusCreated {
		t.Fatalf("quoted %d %+v", status, quoted)
	}
	var elqr struct{ Payload, Link, SVG string }
	d.json(http.MethodGet, "/partner/v1/quotes/"+quoted.Code+"/elqr", token, nil, &elqr)
	if !strings.Contains(elqr.Payload, quoted.Code) || !strings.HasPrefix(elqr.SVG, "<svg ") {
		t.Errorf("as ELQR: %+v", elqr)
	}
	d.json(http.MethodPut, "/partner/v1/payments/0043", token, map[string]any{"code": quoted.Code, "amount": quoted.Amount}, nil)
	var p partnerPayment
	for deadline := time.Now().Add(20 * time.Second); p.State != "settled" && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		d.json(http.MethodGet, "/partner/v1/payments/0043", token, nil, &p)
	}
	if p.State != "settled" {
		t.Errorf("paid by plate: %+v", p)
	}
}

// others looks for the payment 0042 as another partner.
func others(t *testing.T, d *door, code string) {
	t.Helper()
	out, err := d.as("administrator", "", "partner", "create", "other-bank", "--kind=oauth")
	found := regexp.MustCompile(`secret +(\S+)`).FindStringSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("%v: %s", err, out)
	}
	token := d.partnerToken("other-bank", found[1], "")
	var foreign, absent partnerPayment
	d.json(http.MethodGet, "/partner/v1/payments/0042", token, nil, &foreign)
	d.json(http.MethodGet, "/partner/v1/payments/43", token, nil, &absent)
	if foreign != absent || foreign.Code != "problem.partner_payment_absent" {
		t.Errorf("another's payment is %+v, an absent one %+v", foreign, absent)
	}
	var second partnerPayment
	if status := d.json(http.MethodPut, "/partner/v1/payments/0042", token, map[string]any{"code": code, "amount": 100_000}, &second); status != http.StatusConflict {
		t.Errorf("a second partner pays: %d %+v", status, second)
	}
	d.json(http.MethodGet, "/partner/v1/payments/0042", token, nil, &second)
	if second.State != "declined" || second.Reason != "problem.partner_code_closed" {
		t.Errorf("what was declined is %+v", second)
	}
}
