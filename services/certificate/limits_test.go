package certificate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestS5CertificatesAreBounded: 60 requests with fresh keys give 20 certificates and
// 20 calls to the register; a repeated key is not counted.
func TestS5CertificatesAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open(t, storetest.NewSQLite(t)))
	refused := 0
	for i := range 60 {
		c := aigul(fmt.Sprint("t", i))
		c.Channel = caller.REST
		_, err := h.Request(t.Context(), c, certificate.Residential)
		if err == nil {
			continue
		}
		refused++
		wantKey(t, err, "problem.certificate_many")
		if p := problem.From(err); p.RetryAfter <= 0 || !strings.Contains(fmt.Sprint(p.Args), "24.11.2026 12:00") {
			t.Errorf("refused for %v: %v", p.RetryAfter, p.Args)
		}
	}
	if refused != 40 || h.register.calls != 20 {
		t.Errorf("%d refused, %d calls", refused, h.register.calls)
	}
	again := aigul("t0")
	again.Channel = caller.REST
	must[certificate.Certificate](t)(h.Request(t.Context(), again, certificate.Residential))
}

// TestS5ChecksAreBounded: a phone and an address check so many numbers an hour; the
// same one again is free, and others are not kept out.
func TestS5ChecksAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open(t, storetest.NewSQLite(t)))
	issued := request(t, h, "t1", certificate.Residential)
	for name, c := range map[string]struct {
		by    caller.Caller
		bound int
	}{
		"phone":   {caller.Caller{Phone: "+996700000002", Channel: caller.SMS, Now: noon}, 30},
		"address": {caller.Caller{Address: "192.0.2.7", Channel: caller.REST, Now: noon}, 300},
	} {
		for range 400 {
			must[certificate.View](t)(h.Verify(t.Context(), c.by, issued.Number))
		}
		for i := range c.bound + 5 {
			_, err := h.Verify(t.Context(), c.by, certificate.AnyNumber(t))
			wantKey(t, err, map[bool]string{true: "problem.certificate_not_found", false: "problem.certificate_checks_many"}[i < c.bound-1])
		}
		t.Log(name)
	}
	other := caller.Caller{Phone: "+996777000009", Channel: caller.USSD, Now: noon}
	must[certificate.View](t)(h.Verify(t.Context(), other, issued.Number))
}

// TestS5CodesAreBounded: QR codes count like numbers, forged ones too, and the same
// number or code again has a wide bound; others are not kept out.
func TestS5CodesAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open(t, storetest.NewSQLite(t)))
	issued := request(t, h, "t1", certificate.Residential)
	by := func(address string) caller.Caller {
		return caller.Caller{Address: address, Channel: caller.Web, Now: noon}
	}
	for i := range 310 {
		_, err := h.VerifyQR(t.Context(), by("192.0.2.7"), fmt.Sprint("ESHIK1:FORGED", i))
		wantKey(t, err, map[bool]string{true: "problem.certificate_forged", false: "problem.certificate_checks_many"}[i < 300])
	}
	_, err := h.Verify(t.Context(), by("192.0.2.7"), issued.Number)
	wantKey(t, err, "problem.certificate_checks_many") // one count for both
	for i := range 3003 {                              // the first is no repetition, 3000 may follow
		_, err := h.Verify(t.Context(), by(fmt.Sprintf("2001:db8::%x", i)), issued.Number)
		if i <= 3000 && err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		if i > 3000 {
			wantKey(t, err, "problem.certificate_checks_many")
		}
	}
	_, err = h.VerifyQR(t.Context(), by("192.0.2.8"), "ESHIK1:FORGED")
	wantKey(t, err, "problem.certificate_forged")
}
