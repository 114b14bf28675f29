package fine_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

const (
	aigul = testworld.Aigul
	bakyt = testworld.Bakyt
	pin   = testworld.AigulPIN
	plate = "01KG123ABC"
)

var (
	start   = testworld.Start
	errLost = errors.New("the answer was lost")
)

// city is a Safe City in memory: what it answers, and what it was asked.
type city struct {
	mu    sync.Mutex
	fines map[string]*record // by payment number
	cars  map[string][]string
	calls []registry.Call
	pays  int
	lose  int  // answers to payments that get lost after the effect
	down  int  // checks that get no answer
	never bool // payments find the breaker open
	// closed refuses what only the owner may see.
	closed bool
}

type record struct {
	registry.Violation
	due  money.Amount
	info registry.PaymentInfo
	code int // instead of an answer
}

func newCity() *city {
	c := &city{fines: map[string]*record{}, cars: map[string][]string{"01KG777AAA": nil}}
	for _, f := range []struct {
		number, protocol, title string
		amount, due             money.Amount
	}{
		{"101", "9001", "Проезд на запрещающий сигнал светофора (красный)", 5000, 1500},
		{"102", "9002", "Превышение скорости на 40–60 км/ч", 7500, 7500},
		{"103", "9003", "Непристёгнутый ремень безопасности", 1000, 1000},
	} {
		c.fines[f.number] = &record{
			Violation: registry.Violation{
				PaymentNumber: f.number, ProtocolNumber: f.protocol, Type: f.title,
				Amount: f.amount * money.Som, Date: start, Place: "Чүй проспектиси",
			},
			due: f.due * money.Som,
		}
		c.cars[plate] = append(c.cars[plate], f.number)
	}
	return c
}

func (c *city) note(call registry.Call) func() {
	c.mu.Lock()
	c.calls = append(c.calls, call)
	return c.mu.Unlock
}

func (c *city) ByPlate(_ context.Context, call registry.Call, plate string) (registry.PlateResult, error) {
	defer c.note(call)()
	numbers, known := c.cars[plate]
	result := registry.PlateResult{Registered: known}
	for _, n := range numbers {
		if f := c.fines[n]; !f.info.Paid {
			result.Fines = append(result.Fines, registry.PlateFine{PaymentNumber: n, Amount: f.Amount})
		}
	}
	return result, nil
}

func (c *city) Violations(_ context.Context, call registry.Call, _, plate string) ([]registry.Violation, error) {
	defer c.note(call)()
	if c.closed {
		return nil, errLost
	}
	var list []registry.Violation
	for _, n := range c.cars[plate] {
		v := c.fines[n].Violation
		v.Paid = c.fines[n].info.Paid
		list = append(list, v)
	}
	return list, nil
}

func (c *city) Check(
	_ context.Context, call registry.Call, number string, _ money.Amount, _ time.Time,
) (registry.PayResult, error) {
	defer c.note(call)()
	if c.down > 0 {
		c.down--
		return registry.PayResult{}, errLost
	}
	f, known := c.fines[number]
	switch {
	case !known:
		return registry.PayResult{Code: registry.CodeNotFound}, nil
	case f.code != 0:
		return registry.PayResult{Code: f.code}, nil
	case f.info.Paid:
		return registry.PayResult{Code: registry.CodeAlreadyPaid}, nil
	}
	return registry.PayResult{Code: registry.CodeOK, Cost: f.due}, nil
}

func (c *city) Pay(
	ctx context.Context, call registry.Call, number string, sum money.Amount, at time.Time,
) (registry.PayResult, error) {
	if c.never {
		return registry.PayResult{}, &registry.Error{Side: registry.SideBreaker, Type: registry.TypeOpen}
	}
	if call.Leaving != nil {
		if err := call.Leaving(ctx); err != nil {
			return registry.PayResult{}, err
		}
	}
	answer, err := c.Check(ctx, call, number, sum, at)
	if err != nil || answer.Code != registry.CodeOK {
		return answer, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if sum != c.fines[number].due {
		return registry.PayResult{Code: registry.CodeSumTooSmall}, nil
	}
	c.fines[number].info = registry.PaymentInfo{Paid: true, Sum: sum, At: at}
	c.pays++
	if c.lose > 0 {
		c.lose--
		return registry.PayResult{}, errLost
	}
	return answer, nil
}

func (c *city) Info(_ context.Context, call registry.Call, protocol string) (registry.PaymentInfo, bool, error) {
	defer c.note(call)()
	for _, f := range c.fines {
		if f.ProtocolNumber == protocol {
			return f.info, true, nil
		}
	}
	return registry.PaymentInfo{}, false, nil
}

// world is the service with the real payments under it.
type world struct {
	*testworld.World
	*fine.Service
	city     *city
	payments *payment.Service
	proven   bool
}

// Proof and PIN implement fine.Identity.
func (w *world) Proof(context.Context, caller.Caller) (identity.Citizen, bool, error) {
	return identity.Citizen{ID: "citizen-1"}, w.proven, nil
}

func (*world) PIN(context.Context, string) (string, error) { return pin, nil }

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{}), city: newCity()}
	var err error
	w.payments, err = payment.New(payment.Deps{
		DB: db, Queue: w.Queue, Sealer: w.Sealer, Trail: w.Trail, Texts: w.Texts, Now: w.Now, Random: rand.Reader, Log: w.Log,
	}, fine.NewBiller(w.city, db, w.Sealer, w.Now))
	w.OK(err)
	w.Service, err = fine.New(fine.Deps{
		DB: db, Register: w.city, Cashier: w.city, Payments: w.payments, Identity: w,
		Limiter: w.Limiter, Sealer: w.Sealer, Trail: w.Trail,
	})
	w.OK(err)
	return w
}

func (w *world) caller(turn string) caller.Caller { return w.Caller(aigul, turn) }

// paid opens, confirms and accepts a payment of one fine.
func (w *world) paid(t *testing.T, turn, number string) payment.Payment {
	t.Helper()
	ctx := context.Background()
	_, err := w.Lookup(ctx, w.caller(turn), plate)
	testworld.OK(t, err)
	p, err := w.payments.Open(ctx, w.caller(turn), fine.Name, []string{number})
	testworld.OK(t, err)
	p, err = w.payments.Confirm(ctx, w.caller(turn), p.ID)
	testworld.OK(t, err)
	answer, err := w.payments.Accept(ctx, "demo-wallet", turn, p.Code, p.Amount, w.Now())
	testworld.OK(t, err)
	if answer.Decision != payment.Approved {
		t.Fatalf("not accepted: %+v", answer)
	}
	return p
}

func (w *world) state(t *testing.T, p payment.Payment) payment.Payment {
	t.Helper()
	p, err := w.payments.Get(context.Background(), w.caller(""), p.ID)
	testworld.OK(t, err)
	return p
}
