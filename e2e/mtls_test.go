package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair is a certificate with its key, in memory and in two files.
type pair struct {
	tls.Certificate
	cert, key string
	pem       string
}

// newPair makes a self-signed one for 127.0.0.1, as a partner would by openssl.
func newPair(t *testing.T, until time.Time) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p := pair{Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
	p.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	p.cert, p.key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for path, text := range map[string]string{p.cert: p.pem, p.key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// showing is a client that shows a certificate, or none.
func showing(certificates ...tls.Certificate) *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, Certificates: certificates, MinVersion: tls.VersionTLS12,
	}}}
}

// asPartner asks for a token by client_id alone, with more headers, and gives what was answered.
func (d *door) asPartner(client *http.Client, headers http.Header) (token string, status int) {
	d.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"demo-wallet"}}
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+"/partner/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header = headers.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	var got struct {
		Access string `json:"access_token"`
	}
	if data := d.read(response); json.Unmarshal(data, &got) != nil {
		d.t.Fatalf("%d %s", response.StatusCode, data)
	}
	return got.Access, response.StatusCode
}

// reads is what is answered to who reads payments with a token.
func (d *door) reads(client *http.Client, token string, headers http.Header) int {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+"/partner/v1/payments?day=2026-11-28", http.NoBody)
	if err != nil {
		d.t.Fatal(err)
	}
	for name, values := range headers {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	d.read(response)
	return response.StatusCode
}

// TestPartnersCertificate: where the server ends TLS, a partner gets a token with its certificate
// and without a secret, and the token is good with that certificate alone. What headers say of a
// certificate is nothing, from whomever they come.
func TestPartnersCertificate(t *testing.T) {
	t.Parallel()
	server, first, second, stranger := newPair(t, time.Now().Add(time.Hour)), newPair(t, time.Now().Add(time.Hour)), newPair(t, time.Now().Add(time.Hour)), newPair(t, time.Now().Add(time.Hour))
	d := open(t, []string{"ESHIK_TLS_CERT=" + server.cert, "ESHIK_TLS_KEY=" + server.key, "ESHIK_TRUSTED_PROXIES=127.0.0.1"})
	d.client = showing()
	rotate := func(certificate string) (string, error) {
		return d.as("administrator", "", "partner", "rotate", "demo-wallet", "--kind=tls", "--certificate="+certificate)
	}
	if out, err := rotate(first.cert); err != nil || !strings.Contains(out, "credential demo-wallet.3 (tls)") {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := rotate(first.key); err == nil || !strings.Contains(out, "without a private key") {
		t.Errorf("a private key is taken: %v: %s", err, out)
	}
	token, status := d.asPartner(showing(first.Certificate), nil)
	if status != http.StatusOK {
		t.Fatalf("no token: %d", status)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || !strings.Contains(string(payload), `"cnf":{"x5t#S256":"`) {
		t.Errorf("the token is not bound: %s, %v", payload, err)
	}
	// As proxies of several makes tell of a certificate; 127.0.0.1 is a trusted one.
	told := http.Header{"X-Forwarded-For": {"192.0.2.7"}}
	for _, name := range []string{"X-Client-Cert", "X-Ssl-Client-Cert", "Ssl-Client-Cert", "X-Forwarded-Tls-Client-Cert", "Client-Cert"} {
		told.Set(name, url.QueryEscape(first.pem))
	}
	told.Set("X-Forwarded-Client-Cert", "Cert="+url.QueryEscape(first.pem))
	for name, client := range map[string]*http.Client{"no certificate": showing(), "a stranger's": showing(stranger.Certificate)} {
		for _, headers := range []http.Header{nil, told} {
			if _, status := d.asPartner(client, headers); status != http.StatusUnauthorized {
				t.Errorf("%s, %d headers: a token, %d", name, len(headers), status)
			}
			if status := d.reads(client, token, headers); status != http.StatusUnauthorized {
				t.Errorf("%s, %d headers: %d", name, len(headers), status)
			}
		}
	}
	if status := d.reads(showing(first.Certificate), token, nil); status != http.StatusOK {
		t.Errorf("with its certificate: %d", status)
	}
	if out, err := rotate(second.cert); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, p := range []pair{first, second} {
		if own, status := d.asPartner(showing(p.Certificate), nil); status != http.StatusOK || d.reads(showing(p.Certificate), own, nil) != http.StatusOK {
			t.Errorf("during the rotation: %d", status)
		}
	}
	if status := d.reads(showing(second.Certificate), token, nil); status != http.StatusUnauthorized {
		t.Errorf("the first one's token with the second: %d", status)
	}
	// A secret goes on being good, beside whatever certificate, and its token is bound to none.
	bySecret := d.partnerToken("demo-wallet", d.clientSecret(), "")
	if status := d.reads(showing(stranger.Certificate), bySecret, nil); status != http.StatusOK {
		t.Errorf("a secret's token: %d", status)
	}
	// The guide's way, by a client that is not ours.
	curl := exec.CommandContext(t.Context(), "curl", "-sS", "-k", "--cert", second.cert, "--key", second.key,
		"-d", "grant_type=client_credentials", "-d", "client_id=demo-wallet", d.url+"/partner/oauth/token")
	if out, err := curl.CombinedOutput(); err != nil || !strings.Contains(string(out), `"access_token":"`) {
		t.Errorf("curl: %v, %s", err, out)
	}
	var metadata struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		Bound   bool     `json:"tls_client_certificate_bound_access_tokens"`
	}
	if d.json(http.MethodGet, "/.well-known/oauth-authorization-server", "", nil, &metadata); !metadata.Bound || len(metadata.Methods) != 2 {
		t.Errorf("the metadata: %+v", metadata)
	}
	if out, err := d.as("administrator", "", "partner", "revoke", "demo-wallet.3"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if status := d.reads(showing(first.Certificate), token, nil); status != http.StatusUnauthorized {
		t.Errorf("after its certificate was revoked: %d", status)
	}
	d.fsck()
}

// TestAPartnersCertificateEnds: from its last moment on it gets nothing, nor is its token good.
func TestAPartnersCertificateEnds(t *testing.T) {
	t.Parallel()
	server := newPair(t, time.Now().Add(time.Hour))
	d := open(t, []string{"ESHIK_TLS_CERT=" + server.cert, "ESHIK_TLS_KEY=" + server.key})
	d.client = showing()
	d.sits("administrator")
	ends := time.Now().Add(8 * time.Second)
	short := newPair(t, ends)
	if out, err := d.as("administrator", "", "partner", "rotate", "demo-wallet", "--kind=tls", "--certificate="+short.cert); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	token, status := d.asPartner(showing(short.Certificate), nil)
	if status != http.StatusOK || d.reads(showing(short.Certificate), token, nil) != http.StatusOK {
		t.Errorf("before its end: %d", status)
	}
	time.Sleep(time.Until(ends))
	if _, status := d.asPartner(showing(short.Certificate), nil); status != http.StatusUnauthorized {
		t.Errorf("after its end: %d", status)
	}
	if status := d.reads(showing(short.Certificate), token, nil); status != http.StatusUnauthorized {
		t.Errorf("its token after its end: %d", status)
	}
}
