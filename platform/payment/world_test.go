package payment_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/webhook"
)

const (
	wallet = "demo-wallet"
	aigul  = testworld.Aigul
	bakyt  = testworld.Bakyt
)

// errLost is an answer that did not come.
var errLost = errors.New("the answer was lost")

// register is a register of bills that takes each once, with knobs for what can
// go wrong.
type register struct {
	mu    sync.Mutex
	price map[string]money.Amount
	paid  map[string]payment.Settlement
	pays  int
	// lose drops this many answers after the effect; down fails this many calls
	// before it.
	lose, down int
	refuse     map[string]payment.Outcome
	// pause holds a settlement before it is sent, asked the answer to what a bill costs, untouched one
	// that is known not to have been taken up, after it was marked; nil: none.
	pause, asked, untouched func()
}

func newRegister() *register {
	return &register{
		price: map[string]money.Amount{}, paid: map[string]payment.Settlement{},
		refuse: map[string]payment.Outcome{},
	}
}

func (r *register) Service() string { return "fine" }

func (r *register) Admit(context.Context, caller.Caller, []string) error { return nil }

func (r *register) Quote(_ context.Context, b payment.Bill) (payment.Quote, error) {
	if asked := r.asked; asked != nil {
		asked()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down > 0 {
		r.down--
		return payment.Quote{}, problem.New(problem.Unavailable, "problem.registry_down")
	}
	if _, done := r.paid[b.Ref]; done {
		return payment.Quote{}, problem.New(problem.Conflict, "problem.fine_paid")
	}
	if price, ok := r.price[b.Ref]; ok {
		return payment.Quote{Amount: price}, nil
	}
	return payment.Quote{}, problem.New(problem.NotFound, "problem.fine_gone")
}

func (r *register) Settle(ctx context.Context, s payment.Settlement) (payment.Outcome, error) {
	if pause := r.pause; pause != nil {
		pause()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down > 0 {
		r.down--
		return "", errLost
	}
	if outcome, ok := r.refuse[s.Ref]; ok {
		return outcome, nil
	}
	if was, done := r.paid[s.Ref]; done {
		if s.Sent && was.PaymentID == s.PaymentID && was.At.Equal(s.At) {
			return payment.OutcomeSettled, nil
		}
		return payment.OutcomePaid, nil
	}
	if err := s.Sending(ctx); err != nil {
		return "", err
	}
	if stall := r.untouched; stall != nil {
		r.mu.Unlock()
		stall()
		r.mu.Lock()
		return "", errors.Join(errLost, s.Unsent(ctx))
	}
	r.paid[s.Ref] = s
	r.pays++
	if r.lose > 0 {
		r.lose--
		return "", errLost
	}
	return payment.OutcomeSettled, nil
}

// world is a payment service with everything it stands on.
type world struct {
	*testworld.World
	*payment.Service
	register *register
	released error // what HoldPhone says
	// ahead is how far the clock is ahead of the database's.
	ahead time.Duration
}

// HoldPhone is that of identity: refuses where the world was told that the number changed hands.
func (w *world) HoldPhone(context.Context, *store.Tx, string, time.Time) error { return w.released }

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{}), register: newRegister()}
	var err error
	w.Service, err = payment.New(payment.Deps{
		DB: db, Phones: w, Queue: w.Queue, Sealer: w.Sealer, Trail: w.World.Trail, Events: &webhook.Events{DB: db, Now: w.Clock.Now}, Texts: w.Texts, Now: w.Clock.Now, Random: rand.Reader, Log: w.Log,
		Clock: func(context.Context) (time.Time, error) { return w.World.Clock.Now().Add(-w.ahead), nil },
	}, w.register)
	w.OK(err)
	return w
}

// awaiting opens and confirms a payment of bills at 1 500 som each.
func (w *world) awaiting(t testing.TB, phone, turn string, refs ...string) payment.Payment {
	t.Helper()
	w.register.mu.Lock()
	for _, ref := range refs {
		if _, has := w.register.price[ref]; !has {
			w.register.price[ref] = 1500 * money.Som
		}
	}
	w.register.mu.Unlock()
	p, err := w.Open(context.Background(), w.Caller(phone, turn), "fine", refs)
	testworld.OK(t, err)
	p, err = w.Confirm(context.Background(), w.Caller(phone, turn), p.ID)
	testworld.OK(t, err)
	return p
}

func (w *world) accept(t testing.TB, txn string, p payment.Payment) payment.Answer {
	t.Helper()
	a, err := w.Accept(context.Background(), payment.Partner{ID: wallet, Every: true}, txn, p.Code, p.Amount, w.Clock.Now())
	testworld.OK(t, err)
	return a
}

func (w *world) state(t testing.TB, phone string, p payment.Payment) payment.Payment {
	t.Helper()
	p, err := w.Get(context.Background(), w.Caller(phone, ""), p.ID)
	testworld.OK(t, err)
	return p
}
