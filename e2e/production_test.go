package e2e

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// productionSecret is long enough, and nobody's.
const productionSecret = "e2e-gateway-secret-0001"

// production starts the server as an operator would, its registries and its SMS
// provider at an address where nobody answers. more settings stand above these.
func production(t *testing.T, more ...string) *door {
	t.Helper()
	d := &door{t: t, data: t.TempDir(), stderr: &journal{}, client: &http.Client{Timeout: 20 * time.Second}}
	d.process = exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", d.data)
	d.process.Env = append([]string{
		"ESHIK_MODE=production", "ESHIK_DATABASE=" + storetest.NewPostgres(t), "ESHIK_REDIS=redis://" + startRedis(t).address,
		"ESHIK_MASTER_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "ESHIK_PUBLIC_URL=https://eshik.example",
		"ESHIK_USSD_SECRET=" + productionSecret, "ESHIK_TWILIO_SID=ACe2e", "ESHIK_TWILIO_TOKEN=e2etoken",
		"ESHIK_SMS_NUMBER=+996312000000", "ESHIK_TWILIO_URL=http://127.0.0.1:9", "ESHIK_XROAD_URL=http://127.0.0.1:9",
		"ESHIK_PASSPORT_CLIENT=e2e", "ESHIK_PASSPORT_SECRET=e2epassport",
	}, more...)
	d.process.Stderr = d.stderr
	out, err := d.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 2 && fields[0] == "API" {
			d.url = strings.TrimSuffix(fields[1], "/docs")
		}
		if len(fields) == 2 && fields[0] == "SMS" {
			break
		}
	}
	if d.url == "" {
		_ = d.process.Process.Signal(syscall.SIGTERM)
		t.Fatalf("production did not open: %s", d.stderr)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return d
}

// status posts a form and gives the status and the body.
func (d *door) status(path string, form url.Values, headers ...string) (int, string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := d.client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, string(d.read(response))
}

// TestProductionWithoutTwilio: who sends and takes messages some other way needs
// no account there, and nothing answers for it.
func TestProductionWithoutTwilio(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "gateways.toml")
	if err := os.WriteFile(file, []byte(`[[ussd]]
format = "africastalking"
secret_env = "E2E_SECRET"
[[sms]]
provider = "africastalking"
username = "e2e"
api_key_env = "E2E_SECRET"
secret_env = "E2E_SECRET"
url = "http://127.0.0.1:9"
price = 0.9
`), 0o600); err != nil {
		t.Fatal(err)
	}
	d := production(t, "ESHIK_GATEWAYS="+file, "E2E_SECRET="+productionSecret, "ESHIK_TWILIO_SID=", "ESHIK_TWILIO_TOKEN=")
	texted := url.Values{"id": {"in-1"}, "from": {aigul}, "to": {"1414"}, "text": {"ЖАРДАМ"}}
	if status, body := d.status("/sms/africastalking/"+productionSecret, texted); status != http.StatusOK {
		t.Errorf("a text was answered %d %s", status, body)
	}
	for _, path := range []string{"/sms/twilio", "/sms/twilio/status"} {
		if status, body := d.status(path, texted); status != http.StatusNotFound {
			t.Errorf("%s answers %d %s", path, status, body)
		}
	}
}

// TestProduction: it starts, it has no sandbox, and it answers nobody who cannot
// prove to be the gateway.
func TestProduction(t *testing.T) {
	t.Parallel()
	d := production(t)
	for _, path := range []string{"/phone", "/sandbox/sms?phone=%2B996555000001", "/sandbox/faults", "/sandbox/wallet/payments"} {
		if status := d.json(http.MethodGet, path, "", nil, nil); status != http.StatusNotFound {
			t.Errorf("%s answers %d", path, status)
		}
	}
	turn := url.Values{"sessionId": {"p1"}, "phoneNumber": {aigul}, "networkCode": {"43705"}, "serviceCode": {"*1414#"}, "text": {""}}
	if status, body := d.status("/ussd/africastalking", turn); status == http.StatusOK {
		t.Errorf("a callback without the secret was answered: %s", body)
	}
	if status, body := d.status("/ussd/africastalking", turn, "X-Eshik-Secret", "wrong"); status == http.StatusOK {
		t.Errorf("a callback with a wrong secret was answered: %s", body)
	}
	if status, body := d.status("/ussd/africastalking/"+productionSecret, turn); status != http.StatusOK || !strings.HasPrefix(body, "CON Тил") {
		t.Errorf("the gateway was answered %d %s", status, body)
	}
	texted := url.Values{"MessageSid": {"SM1"}, "From": {aigul}, "To": {"1414"}, "Body": {"айып"}}
	for _, signature := range []string{"", "AAAA"} {
		if status, body := d.status("/sms/twilio", texted, "X-Twilio-Signature", signature); status == http.StatusOK {
			t.Errorf("an unsigned text was taken: %s", body)
		}
	}
	// A register that does not answer is told to the citizen, not a 500.
	turn.Set("text", "1*1*01KG123ABC")
	turn.Set("sessionId", "p2")
	for _, text := range []string{"1", "1*1", "1*1*01KG123ABC"} {
		turn.Set("text", text)
		status, body := d.status("/ussd/africastalking", turn, "X-Eshik-Secret", productionSecret)
		if status != http.StatusOK || !strings.HasPrefix(body, "CON ") {
			t.Errorf("%q: %d %s", text, status, body)
		}
	}
}
