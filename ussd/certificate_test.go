package ussd_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/ussd"
)

// TestClientCertificates: over TLS a gateway is known by the certificate it
// shows, whoever issued it.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	server, known, stranger := certificate(t), certificate(t), certificate(t)
	sum := sha256.Sum256(known.Certificate[0])
	f := &conversations{}
	gateway, err := ussd.New("plain", ussd.Config{Auth: ussd.Auth{Certificates: []string{hex.EncodeToString(sum[:])}}}, ussd.Deps{
		Conversations: f, Texts: sentences{}, Now: time.Now, Refused: func(string) {}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	gateway.Register(app)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- app.Listener(tls.NewListener(plain, &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server}, ClientAuth: tls.RequestClientCert,
		}))
	}()
	t.Cleanup(func() { _ = app.Shutdown(); <-served })
	for name, c := range map[string]struct {
		shown []tls.Certificate
		want  int
	}{"the gateway's": {[]tls.Certificate{known}, 200}, "a stranger's": {[]tls.Certificate{stranger}, 403}, "none": {nil, 403}} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, Certificates: c.shown, // #nosec G402 -- the client's certificate is what is tested
		}}}
		body := bytes.NewBufferString(`{"session":"s","sequence":1,"phone":"+996555000001","begin":true}`)
		response, err := client.Post("https://"+plain.Addr().String()+"/ussd/plain", "application/json", body)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		client.CloseIdleConnections()
		if response.StatusCode != c.want {
			t.Errorf("%s certificate: %d, want %d", name, response.StatusCode, c.want)
		}
	}
	if len(f.taken()) != 1 {
		t.Errorf("%d turns", len(f.taken()))
	}
}

// certificate is a new self-signed one.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}
