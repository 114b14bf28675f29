package payment_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

// machine is what a correct payment service would do, beside the real one.
type machine struct {
	w        *world
	prefix   string
	payments []*modelPayment
	claimed  map[string]bool // bills paid or being paid
	settled  map[string]bool // of those, bills that their register knows of
	txns     map[string]modelTxn
	in       money.Amount // taken from citizens
	out      money.Amount // settled or due back
	turns    int
}

type modelPayment struct {
	payment.Payment
	open []string // claimed lines
}

type modelTxn struct {
	account string
	sum     money.Amount
	answer  payment.Answer
}

func (m *machine) bill(t *rapid.T) string {
	return fmt.Sprintf("%s-%d", m.prefix, rapid.IntRange(0, 5).Draw(t, "bill"))
}

// refusal is what is said of bills of which one is paid or being paid; empty: none is.
func (m *machine) refusal(bills []string) string {
	claimed, settled := 0, 0
	for _, b := range bills {
		if m.claimed[b] {
			claimed++
		}
		if m.settled[b] {
			settled++
		}
	}
	switch {
	case claimed == 0:
		return ""
	case settled == len(bills):
		return "problem.payment_paid"
	case settled > 0:
		return "problem.payment_part_paid"
	case claimed == len(bills):
		return "problem.payment_taken"
	}
	return "problem.payment_part_taken"
}

// openAndConfirm makes a payment of one to three bills.
func (m *machine) openAndConfirm(t *rapid.T) {
	refs := map[string]bool{}
	for range rapid.IntRange(1, 3).Draw(t, "bills") {
		refs[m.bill(t)] = true
	}
	m.turns++
	c := m.w.Caller(aigul, fmt.Sprintf("%s/%d", m.prefix, m.turns))
	bills := slices.Sorted(maps.Keys(refs))
	p, err := m.w.Open(context.Background(), c, "fine", bills)
	want := m.refusal(bills)
	if (want != "") != (err != nil) || err != nil && problem.From(err).Key != want {
		t.Fatalf("open %v: %v, not %q", bills, err, want)
	}
	if want != "" {
		return
	}
	if p, err = m.w.Confirm(context.Background(), c, p.ID); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	known := func(q *modelPayment) bool { return q.ID == p.ID }
	if !slices.ContainsFunc(m.payments, known) { // the same bills again give the same payment
		m.payments = append(m.payments, &modelPayment{Payment: p})
	}
}

func (m *machine) pick(t *rapid.T) *modelPayment {
	if len(m.payments) == 0 {
		t.Skip("no payment yet")
	}
	return m.payments[rapid.IntRange(0, len(m.payments)-1).Draw(t, "payment")]
}

// accept pays with a transaction id that may have been used before.
func (m *machine) accept(t *rapid.T) {
	p := m.pick(t)
	sum := p.Amount + money.Amount(rapid.SampledFrom([]int{0, 0, 0, 0, -1, 1}).Draw(t, "difference"))
	id := fmt.Sprintf("%d", rapid.IntRange(0, 40).Draw(t, "txn"))
	got, err := m.w.Accept(context.Background(), payment.Partner{ID: wallet + m.prefix, Every: true}, id, p.Code, sum, m.w.Clock.Now())
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	if was, used := m.txns[id]; used {
		want := was.answer
		if was.account != p.Code || was.sum != sum {
			want = payment.Answer{Decision: payment.Reused}
		}
		if got != want {
			t.Fatalf("transaction %s again: %+v, want %+v", id, got, want)
		}
		return
	}
	m.txns[id] = modelTxn{p.Code, sum, got}
	if want := m.judge(p, sum); got.Decision != want {
		t.Fatalf("accept of a payment that is %s: %s, want %s", p.State, got.Decision, want)
	}
	if got.Decision == payment.Approved {
		m.in += sum
	}
}

// judge says what accepting must answer, and does it in the model.
func (m *machine) judge(p *modelPayment, sum money.Amount) payment.Decision {
	switch {
	case p.State != payment.Awaiting:
		return payment.NotPayable
	case sum < p.Amount:
		return payment.SumTooSmall
	case sum > p.Amount:
		return payment.SumTooLarge
	}
	for _, l := range p.Lines {
		if m.claimed[l.Ref] {
			p.State = payment.Refused
			return payment.NotPayable
		}
	}
	p.State = payment.Accepted
	for _, l := range p.Lines {
		m.claimed[l.Ref] = true
		p.open = append(p.open, l.Ref)
	}
	return payment.Approved
}

// settle works a payment once, with what can go wrong on the way.
func (m *machine) settle(t *rapid.T) {
	p := m.pick(t)
	r := m.w.register
	r.lose = rapid.IntRange(0, 1).Draw(t, "lost answers")
	r.down = rapid.IntRange(0, 1).Draw(t, "failed calls")
	if p.State == payment.Accepted && rapid.IntRange(0, 4).Draw(t, "refuse") == 0 && len(p.open) == len(p.Lines) {
		if _, sent := r.paid[p.open[0]]; !sent {
			r.refuse[p.open[0]] = payment.OutcomePaid
		}
	}
	err := m.w.Settle(context.Background(), p.ID)
	r.lose, r.down = 0, 0
	if err != nil && !errors.Is(err, errLost) {
		t.Fatalf("settle: %v", err)
	}
	now, err := m.w.Get(context.Background(), m.w.Caller(aigul, ""), p.ID)
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	m.follow(p, now)
}

// follow takes over how far a settlement came.
func (m *machine) follow(p *modelPayment, now payment.Payment) {
	for _, l := range now.Lines {
		i := slices.Index(p.open, l.Ref)
		if i < 0 || l.State == payment.Claimed {
			continue
		}
		p.open = slices.Delete(p.open, i, i+1)
		m.out += l.Amount
		m.paid(l.Ref) // a refund here is of a bill that another paid at the register
		if l.State == payment.RefundDue {
			delete(m.claimed, l.Ref)
			delete(m.w.register.refuse, l.Ref)
		} else {
			m.settled[l.Ref] = true
		}
	}
	p.State = now.State
}

// paid closes what can be paid and holds a bill that is paid.
func (m *machine) paid(ref string) {
	for _, p := range m.payments {
		has := func(l payment.Line) bool { return l.Ref == ref }
		if p.State == payment.Awaiting && slices.ContainsFunc(p.Lines, has) {
			p.State = payment.Refused
		}
	}
}

// check holds after every step: no tyiyn is lost, and no bill was paid twice.
func (m *machine) check(t *rapid.T) {
	var open money.Amount
	for _, p := range m.payments {
		for _, l := range p.Lines {
			if slices.Contains(p.open, l.Ref) {
				open += l.Amount
			}
		}
	}
	if m.in != m.out+open {
		t.Fatalf("taken %d, settled or due back %d, in clearing %d", m.in, m.out, open)
	}
	if len(m.w.register.paid) != m.w.register.pays {
		t.Fatalf("%d bills were paid %d times", len(m.w.register.paid), m.w.register.pays)
	}
}

func TestLedgerStateMachine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		var runs atomic.Int64
		rapid.Check(t, func(t *rapid.T) {
			m := &machine{
				w: w, prefix: fmt.Sprintf("r%d", runs.Add(1)),
				claimed: map[string]bool{}, settled: map[string]bool{}, txns: map[string]modelTxn{},
			}
			for i := range 6 {
				w.register.price[fmt.Sprintf("%s-%d", m.prefix, i)] = money.Amount(100_000 + i)
			}
			t.Repeat(map[string]func(*rapid.T){
				"open": m.openAndConfirm, "accept": m.accept, "settle": m.settle, "": m.check,
			})
			if err := w.VerifyLedger(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	})
}
