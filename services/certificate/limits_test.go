package certificate_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestS5CertificatesAreBounded: 60 requests with fresh keys give 20 certificates and
// 20 calls to the register; a repeated key is not counted.
func TestS5CertificatesAreBounded(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	refused := 0
	for i := range 60 {
		c := aigul(fmt.Sprint("t", i))
		c.Channel = caller.REST
		_, err := h.Request(t.Context(), c, certificate.Residential)
		if err == nil {
			continue
		}
		refused++
		testworld.Refused(t, err, "problem.certificate_many")
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

// TestS5ChecksAreBounded: a phone and an address guess so many numbers an hour, and
// asking twice is no way around (F5); a number that is found is answered also then,
// and a phone is not refused for its address (F12).
func TestS5ChecksAreBounded(t *testing.T) {
	t.Parallel()
	bothLimiters(t, func(t *testing.T, h *world) {
		issued := request(t, h, "t1", certificate.Residential)
		for name, c := range map[string]struct {
			by    caller.Caller
			bound int
		}{
			"phone":   {caller.Caller{Phone: "+996700000002", Channel: caller.SMS, Now: noon}, 30},
			"token":   {caller.Caller{Phone: "+996700000003", Address: "192.0.2.7", Channel: caller.REST, Now: noon}, 30},
			"address": {caller.Caller{Address: "192.0.2.7", Channel: caller.REST, Now: noon}, 300},
			"network": {caller.Caller{Address: "2001:db8::7", Channel: caller.Web, Now: noon}, 300},
		} {
			for range 150 {
				must[certificate.View](t)(h.Verify(t.Context(), c.by, issued.Number))
			}
			for i := range c.bound + 10 {
				number := certificate.AnyNumber(t)
				_, err := h.Verify(t.Context(), c.by, number)
				if i < c.bound {
					testworld.Refused(t, err, "problem.certificate_not_found")
					continue
				}
				for range 3 { // F5
					testworld.Refused(t, err, "problem.certificate_checks_many")
					_, err = h.Verify(t.Context(), c.by, number)
				}
			}
			t.Log(name)
			must[certificate.View](t)(h.Verify(t.Context(), c.by, issued.Number)) // F12
		}
		person := caller.Caller{Phone: "+996777000009", Address: "192.0.2.7", Channel: caller.REST, Now: noon}
		_, err := h.Verify(t.Context(), person, certificate.AnyNumber(t))
		testworld.Refused(t, err, "problem.certificate_not_found")
	})
}

// TestS5FoundNumbersAreBounded: a number that is found has a wide bound, over the
// addresses of one network together; others are not kept out.
func TestS5FoundNumbersAreBounded(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	issued := request(t, h, "t1", certificate.Residential)
	for i := range 3003 {
		by := caller.Caller{Address: fmt.Sprintf("2001:db8::%x", i), Channel: caller.Web, Now: noon}
		_, err := h.Verify(t.Context(), by, issued.Number)
		if i < 3000 && err != nil {
			t.Fatalf("time %d: %v", i, err)
		}
		if i >= 3000 {
			testworld.Refused(t, err, "problem.certificate_checks_many")
		}
	}
	by := caller.Caller{Address: "2001:db8:0:1::1", Channel: caller.Web, Now: noon}
	must[certificate.View](t)(h.Verify(t.Context(), by, issued.Number))
}

// bothLimiters runs a test in this process's memory and SQLite, and in Redis and
// PostgreSQL.
func bothLimiters(t *testing.T, test func(t *testing.T, h *world)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, storetest.Open(t, storetest.NewSQLite(t))))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		h := newWorld(t, storetest.Open(t, storetest.NewPostgres(t)))
		h.Service.Limiter = redisLimiter(t)
		test(t, h)
	})
}

// apart counts in a Redis that other tests share, under keys of its own.
type apart struct {
	limit.Limiter
	prefix string
}

func (a apart) Allow(ctx context.Context, key string, rate limit.Rate) (bool, time.Duration, error) {
	return a.Limiter.Allow(ctx, a.prefix+key, rate)
}

func (a apart) Would(ctx context.Context, key string, rate limit.Rate) (bool, time.Duration, error) {
	return a.Limiter.Would(ctx, a.prefix+key, rate)
}

func redisLimiter(t *testing.T) limit.Limiter {
	t.Helper()
	address := os.Getenv("ESHIK_TEST_REDIS")
	if address == "" {
		t.Fatal("ESHIK_TEST_REDIS is not set: run the tests with `make test`")
	}
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return apart{limit.NewRedis(client), uuid.NewString() + ":"}
}

// TestS5CodesAreBounded: QR codes that we did not sign are bounded, with the numbers
// that nobody has; right ones are no guesses and are answered also then, and others are
// not kept out.
func TestS5CodesAreBounded(t *testing.T) {
	t.Parallel()
	h := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	by := func(address string) caller.Caller {
		return caller.Caller{Address: address, Channel: caller.Web, Now: noon}
	}
	right := certificate.Payload(t, h.Service, request(t, h, "t1", certificate.Residential).Number)
	for range 310 { // none of these is a guess
		must[certificate.Signed](t)(h.VerifyQR(t.Context(), by("192.0.2.7"), right))
	}
	for i := range 310 {
		_, err := h.VerifyQR(t.Context(), by("192.0.2.7"), fmt.Sprint("ESHIK1:FORGED", i))
		testworld.Refused(t, err, map[bool]string{true: "problem.certificate_forged", false: "problem.certificate_checks_many"}[i < 300])
	}
	must[certificate.Signed](t)(h.VerifyQR(t.Context(), by("192.0.2.7"), right))
	_, err := h.Verify(t.Context(), by("192.0.2.7"), certificate.AnyNumber(t))
	testworld.Refused(t, err, "problem.certificate_checks_many") // numbers and codes are one guard's
	_, err = h.VerifyQR(t.Context(), by("192.0.2.8"), "ESHIK1:FORGED")
	testworld.Refused(t, err, "problem.certificate_forged")
}
