package partners_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// certificate makes a self-signed one for a time.
func certificate(t testing.TB, from, until time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testworld.OK(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	testworld.OK(t, err)
	c, err := x509.ParseCertificate(der)
	testworld.OK(t, err)
	return c
}

// lasting is one that is good for a year.
func (w *world) lasting() *x509.Certificate {
	return certificate(w.T, w.Clock.Now().Add(-time.Hour), w.Clock.Now().AddDate(1, 0, 0))
}

func (w *world) pin(c *x509.Certificate, overlap time.Duration) string {
	w.T.Helper()
	id, err := w.Pin(w.T.Context(), officer, wallet, c, overlap)
	w.OK(err)
	return id
}

// bound is a token that a certificate got.
func (w *world) bound(c *x509.Certificate) string {
	w.T.Helper()
	return w.token(w.taken(partners.TLS, wallet, partners.Thumbprint(c.Raw)), "")
}

// TestCertificates: a certificate gets a token that is good with it alone, and only while it is
// a credential; two are good during a rotation, and each ends by itself.
func TestCertificates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.made(wallet, partners.OAuth)
		w.made("other-bank")
		first, second, stranger := w.lasting(), w.lasting(), w.lasting()
		if id := w.pin(first, 0); id != "demo-wallet.2" {
			t.Errorf("named %s", id)
		}
		token := w.bound(first)
		good := func(when, token string, shown *x509.Certificate) {
			t.Helper()
			if access, err := w.Authorize(ctx, token, address, partners.Thumbprint(shown.Raw)); err != nil || access.Partner != wallet {
				t.Errorf("%s: %+v, %v", when, access, err)
			}
		}
		none := func(when, token, shown string) {
			t.Helper()
			if access, err := w.Authorize(ctx, token, address, shown); problem.From(err).Key != "problem.partner_token" {
				t.Errorf("%s: %+v, %v", when, access, err)
			}
		}
		good("with its certificate", token, first)
		none("without", token, "")
		none("with a stranger's", token, partners.Thumbprint(stranger.Raw))
		w.refused("a stranger's", partners.TLS, wallet, partners.Thumbprint(stranger.Raw))
		w.refused("none", partners.TLS, wallet, "")
		w.refused("another partner's name", partners.TLS, "other-bank", partners.Thumbprint(first.Raw))
		w.refused("a thumbprint as a secret", partners.OAuth, wallet, partners.Thumbprint(first.Raw))
		if _, err := w.Pin(ctx, officer, wallet, first, time.Hour); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("taken twice: %v", err)
		}

		w.pin(second, time.Hour)
		good("the former one's, with it", token, first)
		none("the former one's, with the next", token, partners.Thumbprint(second.Raw))
		good("the next one's", w.bound(second), second)
		if _, err := w.Pin(ctx, officer, wallet, stranger, time.Hour); err == nil || !strings.Contains(err.Error(), "two tls credentials are good already") {
			t.Errorf("a third: %v", err)
		}
		w.Pass(time.Hour - time.Second)
		token = w.bound(first)
		w.Pass(time.Second)
		none("after its end", token, partners.Thumbprint(first.Raw))
		w.refused("the former one", partners.TLS, wallet, partners.Thumbprint(first.Raw))
		token = w.bound(second)
		w.OK(w.DisableCredential(ctx, officer, "demo-wallet.3"))
		none("disabled", token, partners.Thumbprint(second.Raw))
		w.OK(w.EnableCredential(ctx, officer, "demo-wallet.3"))
		good("enabled", token, second)
		w.OK(w.Revoke(ctx, officer, "demo-wallet.3"))
		none("revoked", token, partners.Thumbprint(second.Raw))
		if _, err := w.Pin(ctx, officer, wallet, second, 0); err == nil || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("what was revoked is taken again: %v", err)
		}
		w.OK(w.fsck())
	})
}

// TestACertificateEnds: one that is over, or not good yet, is not taken; one that ends is refused
// from that moment on, with the token that it got.
func TestACertificateEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.made(wallet)
		now := w.Clock.Now()
		for name, c := range map[string]*x509.Certificate{
			"over":         certificate(t, now.AddDate(-1, 0, 0), now.Add(-time.Second)),
			"not good yet": certificate(t, now.Add(time.Hour), now.AddDate(1, 0, 0)),
		} {
			if _, err := w.Pin(t.Context(), officer, wallet, c, 0); err == nil || !strings.Contains(err.Error(), "which is not now") {
				t.Errorf("%s: %v", name, err)
			}
		}
		short := certificate(t, now.Add(-time.Hour), now.Add(2*time.Minute).Truncate(time.Second))
		w.pin(short, 0)
		token := w.bound(short)
		w.Pass(2 * time.Minute)
		if _, err := w.Authorize(t.Context(), token, address, partners.Thumbprint(short.Raw)); problem.From(err).Key != "problem.partner_token" {
			t.Errorf("its token: %v", err)
		}
		w.refused("the certificate that is over", partners.TLS, wallet, partners.Thumbprint(short.Raw))
		list, err := w.Credentials(t.Context(), wallet)
		if err != nil || len(list) != 1 || list[0].State != partners.Expired || list[0].Thumbprint != partners.Thumbprint(short.Raw) || !list[0].NotAfter.Equal(short.NotAfter) {
			t.Errorf("the list: %+v, %v", list, err)
		}
	})
}

// TestPlantedCertificates: who writes to the database makes no certificate good, and no secret
// of what everybody may know of one.
func TestPlantedCertificates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.made(wallet, partners.OAuth)
		mine, own := w.lasting(), w.lasting()
		w.pin(own, 0)
		print, thumbprint := partners.Thumbprint(own.Raw), partners.Thumbprint(mine.Raw)
		token := w.bound(own)
		change := func(set string, args ...any) {
			t.Helper()
			_, err := db.Writer().ExecContext(t.Context(), "UPDATE partner_credentials SET "+set+" WHERE id = 'demo-wallet.2'", args...)
			w.OK(err)
		}
		change("thumbprint = $1", thumbprint)
		w.refused("a planted thumbprint", partners.TLS, wallet, thumbprint)
		if err := w.fsck(); err == nil || !strings.Contains(err.Error(), "demo-wallet.2") {
			t.Errorf("a planted thumbprint is not named: %v", err)
		}
		change("thumbprint = $1, kind = 'oauth'", print)
		w.refused("a thumbprint for a secret", partners.OAuth, wallet, print)
		if _, err := w.Authorize(t.Context(), token, address, print); problem.From(err).Key != "problem.partner_token" {
			t.Errorf("a bound token of a secret: %v", err)
		}
		change("kind = 'tls', secret_hash = (SELECT secret_hash FROM partner_credentials WHERE id = 'demo-wallet.1')")
		if _, err := w.Authorize(t.Context(), token, address, print); problem.From(err).Key != "problem.partner_token" {
			t.Errorf("a token of another hash: %v", err)
		}
	})
}

// TestReadCertificate: what a partner may send by mistake, or should not.
func TestReadCertificate(t *testing.T) {
	t.Parallel()
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, time.Now(), time.Now().Add(time.Hour)).Raw})
	if _, err := partners.ReadCertificate(good); err != nil {
		t.Error(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	testworld.OK(t, err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	weak, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	testworld.OK(t, err)
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")})
	for name, bad := range map[string]struct {
		text []byte
		says string
	}{
		"nothing": {nil, "no certificate"}, "DER": {weak, "no certificate"}, "a key": {private, "without a private key"},
		"a key behind it": {bytes.Join([][]byte{good, private}, nil), "without a private key"}, "two": {bytes.Repeat(good, 2), "one certificate"},
		"garbage":     {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), "read the certificate"},
		"a short key": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: weak}), "1024 bits"},
	} {
		if c, err := partners.ReadCertificate(bad.text); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}
