//go:build !race

// One goroutine asks ten thousand times five times over: the race detector has nothing to see in it and
// takes minutes.

package identity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

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
