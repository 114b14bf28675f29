package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// app is a REST client that names a phone.
func (w *world) app(phone, address string) caller.Caller {
	c := w.by(phone)
	c.Channel, c.Address = caller.REST, address
	return c
}

// login asks for a code over REST and uses it: the one of the last message, whoever had it sent.
func (w *world) login(phone, address string) error {
	w.T.Helper()
	if err := w.send(w.app(phone, address)); err != nil {
		return err
	}
	return w.check(w.app(phone, address), w.code(phone))
}

// shared is the address of the attacker, and of honest users behind the same one.
const shared = "192.0.2.7"

// TestS6ASharedAddressIsServed: an office whose numbers are in a row, and a village
// behind one address, of which every tenth never uses its code.
func TestS6ASharedAddressIsServed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for i := range identity.SuspectAddress { // all at once: nobody used one yet
			w.OK(w.send(w.app(fmt.Sprintf("+996555200%03d", i), shared)))
		}
		for i := range identity.SuspectAddress {
			phone := fmt.Sprintf("+996555200%03d", i)
			w.OK(w.check(w.app(phone, shared), w.code(phone)))
		}
		for i := range 300 {
			phone := fmt.Sprintf("+99670%07d", i*1009)
			if i%10 == 0 {
				w.OK(w.send(w.app(phone, shared)))
			} else {
				w.OK(w.login(phone, shared))
			}
		}
	})
}

// TestS6WhatIsHeldBack walks over each bound, on both databases: the last code under
// it, the first over it, who passes all the same, until when it is said to hold, and
// that it holds no longer.
func TestS6WhatIsHeldBack(t *testing.T) {
	t.Parallel()
	many := func(i int) string { return fmt.Sprintf("+9965%08d", 50_000_000+i*1000) } // each in its own block
	row := func(i int) string { return fmt.Sprintf("+996555300%03d", i) }
	for name, test := range map[string]struct {
		bound   int
		phone   func(i int) string
		address func(i int) string
	}{
		identity.HeldAddress:  {identity.CertainAddress, many, func(int) string { return shared }},
		identity.HeldBlock:    {identity.CertainBlock, row, func(i int) string { return fmt.Sprint("10.1.1.", i) }},
		identity.HeldTogether: {identity.SuspectAddress, row, func(int) string { return shared }},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				var held []string
				w.deps.HeldBack = func(why string) { held = append(held, why) }
				w.rebuild()
				friend := row(999)
				w.OK(w.login(friend, test.address(test.bound)))
				for i := range test.bound {
					w.OK(w.send(w.app(test.phone(i), test.address(i))))
				}
				next := w.app(test.phone(test.bound), test.address(test.bound))
				err := w.send(next)
				w.refused(err, "codes_unused")
				p := problem.From(err)
				if p.RetryAfter != identity.UnusedPer || !strings.Contains(fmt.Sprint(p.Args), "24.11.2026 12:00") {
					t.Errorf("refused for %v: %v", p.RetryAfter, p.Args)
				}
				if !slices.Equal(held, []string{name}) {
					t.Errorf("counted as %v", held)
				}
				w.OK(w.send(w.app(friend, test.address(test.bound))))
				w.OK(w.send(w.by(next.Phone))) // the phone's own call (S7)
				w.Pass(identity.UnusedPer)
				next.Now = w.Now()
				w.OK(w.send(next))
			})
		})
	}
}

// TestS6TheWholeIsBounded: what no address and no block shows rings the alarm and has
// an end; phones that used a code and phones' own calls go on.
func TestS6TheWholeIsBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.OK(w.login(bakyt, shared))
		fill := func(from, to int) {
			w.OK(db.InTx(t.Context(), func(tx *store.Tx) error {
				for i := from; i < to; i++ {
					if _, err := tx.ExecContext(t.Context(), `INSERT INTO identity_codes
						(id, phone_index, door, turn, code_mac, tries, sent_at, expires_at, address_index, block_index)
						VALUES ($1, $1, 'open', $1, '', 0, $2, $2, $1, $1)`, fmt.Sprint("x", i), w.Now().UnixMicro()); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		fill(0, identity.AlarmPerHour-1)
		w.OK(w.send(w.app("+996700000010", shared)))
		if strings.Contains(w.Logs.String(), "pumping") {
			t.Error("the alarm rings too early")
		}
		w.OK(w.send(w.app("+996700000011", shared)))
		w.OK(w.send(w.app("+996700000012", shared)))
		if n := strings.Count(w.Logs.String(), "pumping"); n != 1 {
			t.Errorf("the alarm rings %d times", n)
		}
		fill(identity.AlarmPerHour, identity.UnusedPerHour)
		err := w.send(w.app(aigul, "198.51.100.1"))
		w.refused(err, "codes_unused")
		if wait := problem.From(err).RetryAfter; wait != time.Hour {
			t.Errorf("refused for %v", wait)
		}
		w.OK(w.send(w.app(bakyt, shared)))
		w.OK(w.send(w.by(aigul)))
		w.Pass(time.Hour)
		w.OK(w.send(w.app(aigul, "198.51.100.1")))
	})
}

// TestS6RequestsAtOnceKeepTheBound: where transactions come one after another, those
// that were let in together are looked at once more.
func TestS6RequestsAtOnceKeepTheBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	atOnce(2*identity.CertainBlock, func(i int) {
		_ = w.send(w.app(fmt.Sprintf("+996555400%03d", i), fmt.Sprint("10.1.1.", i)))
	})
	if n := w.Number("SELECT COUNT(*) FROM identity_codes"); n != identity.CertainBlock {
		t.Errorf("%d codes were sent at once, want %d", n, identity.CertainBlock)
	}
}
