package certificate_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/certificate"
)

// TestS5FailuresAreNoCertificates (F3): orders while the register is away use up none
// of the day's certificates; they have a bound of their own, of a minute at most.
func TestS5FailuresAreNoCertificates(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"one key", "many keys"} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			bothLimiters(t, func(t *testing.T, h *world) {
				h.register.err = errors.New("away")
				for i := range 22 {
					c := rest("same")
					if key == "many keys" {
						c = rest(fmt.Sprint("t", i))
					}
					_, err := h.Request(t.Context(), c, certificate.Residential)
					p := problem.From(err)
					if err == nil || p.Code == problem.TooMany {
						t.Errorf("order %d: %v", i, err)
					}
					if i >= 10 && (p.Key != "problem.registry_down" || p.RetryAfter <= 0 || p.RetryAfter > time.Minute) {
						t.Errorf("order %d is refused for %v: %v", i, p.RetryAfter, err)
					}
				}
				if h.register.calls != 10 {
					t.Errorf("%d calls to the register", h.register.calls)
				}
			})
		})
	}
}

// TestS5FailuresLeaveTheDay (F3): after failures all 20 certificates of the day are left.
func TestS5FailuresLeaveTheDay(t *testing.T) {
	t.Parallel()
	bothLimiters(t, func(t *testing.T, h *world) {
		h.register.err = errors.New("away")
		for range 9 {
			if _, err := h.Request(t.Context(), rest("t0"), certificate.Residential); err == nil {
				t.Error("a certificate without the register")
			}
		}
		h.register.err = nil
		for i := range 20 {
			must[certificate.Certificate](t)(h.Request(t.Context(), rest(fmt.Sprint("t", i)), certificate.Residential))
		}
		_, err := h.Request(t.Context(), rest("t20"), certificate.Residential)
		testworld.Refused(t, err, "problem.certificate_many")
	})
}

// TestS5OneKeyIsOneOrder (F4): the same order 64 times at once is one certificate, one
// call and one use, and keys of their own never give more than 20.
func TestS5OneKeyIsOneOrder(t *testing.T) {
	t.Parallel()
	bothLimiters(t, func(t *testing.T, h *world) {
		var numbers sync.Map
		at64(func(int) {
			made, err := h.Request(t.Context(), rest("same"), certificate.Residential)
			if err != nil {
				t.Error(err)
			}
			numbers.Store(made.Number, true)
		})
		n := 0
		numbers.Range(func(any, any) bool { n++; return true })
		if n != 1 || h.register.calls != 1 {
			t.Errorf("%d certificates, %d calls", n, h.register.calls)
		}
		at64(func(i int) {
			if _, err := h.Request(t.Context(), rest(fmt.Sprint("t", i)), certificate.Residential); err != nil {
				testworld.Refused(t, err, "problem.certificate_many")
			}
		})
		if n := h.Number(`SELECT count(*) FROM certificates`); n != 20 || h.register.calls != 20 {
			t.Errorf("%d certificates, %d calls", n, h.register.calls)
		}
	})
}

func rest(turn string) caller.Caller {
	c := aigul(turn)
	c.Channel, c.Address = caller.REST, "192.0.2.9"
	return c
}

// at64 does something 64 times at once.
func at64(do func(i int)) {
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() { do(i) })
	}
	group.Wait()
}

// TestAnOrderIsThePersonsToTheEnd: who was cut off from the person while the register was
// asked gets no certificate, and nothing of it is kept.
func TestAnOrderIsThePersonsToTheEnd(t *testing.T) {
	t.Parallel()
	bothLimiters(t, func(t *testing.T, h *world) {
		h.proofs.undone = true
		_, err := h.Request(t.Context(), rest("t1"), certificate.Residential)
		testworld.Refused(t, err, "problem.certificate_identify")
		if n := h.Number("SELECT COUNT(*) FROM certificates"); n != 0 || h.register.calls != 1 {
			t.Errorf("%d certificates, %d calls to the register", n, h.register.calls)
		}
	})
}
