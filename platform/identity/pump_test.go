package identity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// mobile are first digits of Kyrgyz networks.
var mobile = []string{"22", "50", "55", "70", "77", "99"}

func anyPhone(r *rand.Rand) string {
	return fmt.Sprintf("+996%s%07d", mobile[r.IntN(len(mobile))], r.IntN(10_000_000))
}

// attack is one way to pump codes: the i-th request's phone and address.
type attack struct {
	ask func(r *rand.Rand, i int) (phone, address string)
	// atMost is how many messages it may cause to phones that never used a code, where
	// so many codes are used from its address.
	atMost func(used int) int
	// newBehind: who is new and behind the attacker's address is served too.
	newBehind bool
}

func attacks() map[string]attack {
	sequence := func(i int) string { return fmt.Sprintf("+996555%06d", 100_500+i) }
	blocks := func(n int) func(int) int {
		return func(used int) int { return max(identity.SuspectAddress, used) + n*identity.SuspectBlock }
	}
	return map[string]attack{
		"sequence": {atMost: blocks(11), newBehind: true, ask: func(_ *rand.Rand, i int) (string, string) {
			return sequence(i), shared
		}},
		"sequence from a /64": {atMost: func(int) int { return blocks(11)(0) }, newBehind: true, ask: func(_ *rand.Rand, i int) (string, string) {
			return sequence(i), fmt.Sprintf("2001:db8:0:1::%x", i+1)
		}},
		"one block from everywhere": {atMost: func(int) int { return identity.CertainBlock }, newBehind: true, ask: func(r *rand.Rand, i int) (string, string) {
			return fmt.Sprintf("+996555100%03d", r.IntN(1000)), fmt.Sprintf("10.0.%d.%d", i/250, i%250)
		}},
		"ten numbers": {atMost: blocks(1), newBehind: true, ask: func(_ *rand.Rand, i int) (string, string) {
			return fmt.Sprintf("+996555100%03d", i%10), shared
		}},
		// Here only phones that used a code before are served behind that address.
		"scattered": {atMost: func(used int) int { return max(identity.CertainAddress, used) }, ask: func(r *rand.Rand, _ int) (string, string) {
			return anyPhone(r), shared
		}},
	}
}

// honest are who logs in during an attack.
type honest struct{ asked, served int }

func (h *honest) note(err error) {
	h.asked++
	if err == nil {
		h.served++
	}
}

func (h honest) want(t *testing.T, who string) {
	t.Helper()
	t.Logf("%s: %d of %d served", who, h.served, h.asked)
	if h.asked < 40 || float64(h.served) < 0.99*float64(h.asked) {
		t.Errorf("%s: %d of %d served", who, h.served, h.asked)
	}
}

// TestS6CodePumping asks for 10 000 codes in an hour while 200 honest users log in,
// behind the same address and elsewhere, new ones and such that used a code before.
func TestS6CodePumping(t *testing.T) {
	t.Parallel()
	for name, how := range attacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
			r := rand.New(rand.NewPCG(6, uint64(len(name)))) // #nosec G404 -- a simulation
			known := make([]string, 50)                      // half of them in blocks that are attacked
			for i := range known {
				known[i] = anyPhone(r)
				if i%2 == 0 {
					known[i] = fmt.Sprintf("+996555100%03d", 900+i)
				}
				w.OK(w.login(known[i], shared))
			}
			w.Pass(identity.UnusedPer) // what they used no longer speaks for the address
			var before, behind, elsewhere honest
			for i := range 10_000 {
				w.Pass(360 * time.Millisecond)
				phone, address := how.ask(r, i)
				w.pump(phone, address)
				switch {
				case i%200 == 99:
					before.note(w.login(known[i/200], shared))
				case i%200 == 49:
					behind.note(w.login(anyPhone(r), shared))
				case i%100 == 0:
					elsewhere.note(w.login(anyPhone(r), fmt.Sprintf("198.51.100.%d", i/100)))
				}
			}
			before.want(t, "known, behind the address")
			elsewhere.want(t, "new, elsewhere")
			if how.newBehind {
				behind.want(t, "new, behind the address")
			}
			w.pumped(how.atMost(before.served + behind.served))
		})
	}
}

// pump asks for a code as an attacker does, and now and then for one abroad.
func (w *world) pump(phone, address string) {
	w.T.Helper()
	w.refused(w.send(w.app("+7701"+phone[len(phone)-7:], address)), "phone_foreign")
	err := w.send(w.app(phone, address))
	var p *problem.Error
	if err != nil && (!errors.As(err, &p) || p.Code != problem.TooMany || p.RetryAfter <= 0) {
		w.T.Fatalf("an attacker is answered %v", err)
	}
}

// pumped wants at most so many codes to phones that never used one, as many messages as codes, and no number
// with more than OpenAtMost in CodesPer.
func (w *world) pumped(atMost int) {
	w.T.Helper()
	unused := w.Number(`SELECT COUNT(*) FROM identity_codes WHERE phone_index NOT IN
		(SELECT phone_index FROM identity_codes WHERE used_at IS NOT NULL)`)
	w.T.Logf("%d messages to strangers, at most %d", unused, atMost)
	if unused == 0 || unused > atMost {
		w.T.Errorf("%d messages to strangers, at most %d may be", unused, atMost)
	}
	if codes, sent := w.Number("SELECT COUNT(*) FROM identity_codes"), w.Number("SELECT COUNT(*) FROM notify_messages"); codes != sent {
		w.T.Errorf("%d codes and %d messages", codes, sent)
	}
	span := identity.CodesPer.Microseconds()
	most := w.Number(fmt.Sprintf(`SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM identity_codes a JOIN identity_codes b
		ON a.phone_index = b.phone_index AND b.sent_at <= a.sent_at AND b.sent_at > a.sent_at - %d GROUP BY a.id) x`, span))
	if most > identity.OpenAtMost {
		w.T.Errorf("a number got %d codes in %v", most, identity.CodesPer)
	}
}

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
