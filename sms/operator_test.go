package sms

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const megaCom = "+996555000001" // by its prefix

// registry tells operators as planned.
type registry struct {
	mu     sync.Mutex
	tells  string
	fails  error
	takes  time.Duration
	asked  int
	breaks bool
}

func (r *registry) OperatorOf(ctx context.Context, _ string) (string, error) {
	r.mu.Lock()
	r.asked++
	tells, fails, takes, breaks := r.tells, r.fails, r.takes, r.breaks
	r.mu.Unlock()
	if breaks {
		panic("planned")
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(takes):
		return tells, fails
	}
}

func (r *registry) plan(tells string, fails error, takes time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tells, r.fails, r.takes = tells, fails, takes
}

func (r *registry) was(t *testing.T, asked int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked != asked {
		t.Errorf("asked %d times, want %d", r.asked, asked)
	}
}

// named wants an operator within a time of the bubble's clock.
func named(t *testing.T, o *operators, phone string, awaited bool, want string, within time.Duration) {
	t.Helper()
	begun := time.Now()
	if got := o.of(t.Context(), phone, awaited); got != want || time.Since(begun) > within {
		t.Errorf("%s after %v, want %s within %v", got, time.Since(begun), want, within)
	}
}

// TestOperatorRemembered: what is told holds for a day, that nothing is known for an hour,
// and a failure for a minute.
func TestOperatorRemembered(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tells, want string
		fails       error
		lasts       time.Duration
	}{
		"ported":  {"O!", "O!", nil, operatorLasts},
		"unknown": {"", "MegaCom", nil, noOperatorLasts},
		"failing": {"O!", "MegaCom", errors.New("planned"), failureLasts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &registry{tells: test.tells, fails: test.fails}
				o := newOperators(r, time.Now)
				for range 3 {
					named(t, o, megaCom, false, test.want, 0)
				}
				r.was(t, 1)
				time.Sleep(test.lasts - time.Second)
				named(t, o, megaCom, false, test.want, 0)
				r.was(t, 1)
				time.Sleep(time.Second)
				named(t, o, megaCom, false, test.want, 0)
				r.was(t, 2)
			})
		})
	}
}

// TestOperatorHoldsNobodyUp: a message that is awaited goes by the prefix at once, and
// the next one by what was told meanwhile; any other waits a second at most.
func TestOperatorHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &registry{tells: "O!", takes: 900 * time.Millisecond}
		o := newOperators(r, time.Now)
		named(t, o, megaCom, true, "MegaCom", 0)
		named(t, o, megaCom, true, "MegaCom", 0)
		named(t, o, megaCom, false, "O!", 900*time.Millisecond)
		named(t, o, megaCom, true, "O!", 0)
		r.was(t, 1) // one question, whoever waits for it
		r.plan("O!", nil, 2*time.Second)
		named(t, o, "+996770000003", false, "Beeline", lookupWait)
		time.Sleep(2 * time.Second)
		named(t, o, "+996770000003", true, "O!", 0) // it came too late, and not for nothing
		r.plan("O!", nil, time.Hour)
		named(t, o, "+996770000004", false, "Beeline", lookupWait)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if got := o.of(gone, "+996770000005", false); got != "Beeline" {
			t.Errorf("who has gone is told %s", got)
		}
		synctest.Wait()
		time.Sleep(lookupTime)
	})
}

// TestOperatorBounds: so many questions at once, none abroad, none for a while after one
// without an answer, and so many numbers remembered, those used last.
func TestOperatorBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &registry{tells: "O!", takes: 3 * time.Second}
		o := newOperators(r, time.Now)
		number := func(i int) string { return fmt.Sprintf("+996555%06d", i) }
		named(t, o, "+77012345678", false, "", 0)
		named(t, o, "+996312000000", false, "", 0)
		for i := range 2 * lookupsAtOnce {
			named(t, o, number(i), true, "MegaCom", 0)
		}
		synctest.Wait()
		r.was(t, lookupsAtOnce)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		r.plan("", errors.New("planned"), 0)
		named(t, o, number(500), false, "MegaCom", 0)
		named(t, o, number(501), false, "MegaCom", 0) // it is left alone
		r.was(t, lookupsAtOnce+1)
		time.Sleep(lookupPause)
		r.plan("O!", nil, 0)
		for i := range maxOperators + 1 {
			named(t, o, number(1000+i), false, "O!", 0)
		}
		if len(o.known) != maxOperators || o.used.Len() != maxOperators {
			t.Errorf("%d numbers are known, %d in order", len(o.known), o.used.Len())
		}
		r.was(t, lookupsAtOnce+1+maxOperators+1)
		named(t, o, number(1000+maxOperators), true, "O!", 0)
		named(t, o, number(1000), true, "MegaCom", 0) // forgotten, asked for anew
		synctest.Wait()
		r.was(t, lookupsAtOnce+1+maxOperators+2)
	})
}

// TestOperatorPanics: a provider's fault is no end of ours.
func TestOperatorPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOperators(&registry{breaks: true}, time.Now)
		named(t, o, megaCom, false, "MegaCom", 0)
		named(t, nil, megaCom, false, "MegaCom", 0) // nobody tells operators
	})
}
