package fine_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/platform/webhook"
	"github.com/eshik-kg/eshik/services/fine"
)

const (
	aigul   = testworld.Aigul
	bakyt   = testworld.Bakyt
	pin     = testworld.AigulPIN
	plate   = "01KG123ABC"
	citizen = "citizen-1"
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
	// sold has every car be another's.
	sold    bool
	follows map[string]string // plates by our number
	// meanwhile happens while the register is told that a car is followed no more; nil: nothing.
	meanwhile func()
	photos    map[string][]byte
	dark      bool // photos get no answer
}

type record struct {
	registry.Violation
	due  money.Amount
	info registry.PaymentInfo
	code int // instead of an answer
}

func newCity() *city {
	c := &city{follows: map[string]string{}, fines: map[string]*record{}, cars: map[string][]string{"01KG777AAA": nil}}
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
	if c.sold {
		return nil, problem.New(problem.Forbidden, "problem.registry_not_owner")
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

func (c *city) Photo(_ context.Context, call registry.Call, _, _, number string) ([]byte, error) {
	defer c.note(call)()
	if c.sold {
		return nil, problem.New(problem.Forbidden, "problem.registry_not_owner")
	}
	if c.dark {
		return nil, errLost
	}
	return c.photos[number], nil
}

// Subscribe and Unsubscribe implement fine.Follower.
func (c *city) Subscribe(_ context.Context, call registry.Call, _, plate, unique string) error {
	defer c.note(call)()
	c.follows[unique] = plate
	return nil
}

func (c *city) Unsubscribe(_ context.Context, call registry.Call, _, _, unique string) error {
	if c.meanwhile != nil {
		c.meanwhile()
	}
	defer c.note(call)()
	delete(c.follows, unique)
	return nil
}

// add has a camera see the car: a fine with a discount, delivered at a moment.
func (c *city) add(number string, delivered time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fines[number] = &record{Violation: registry.Violation{
		PaymentNumber: number, ProtocolNumber: "9" + number, Type: "Движение по тротуару", Amount: 5000 * money.Som, Date: delivered, Delivered: delivered,
	}, due: 1500 * money.Som}
	c.cars[plate] = append(c.cars[plate], number)
}

// world is the service with the real payments under it.
type world struct {
	*testworld.World
	*fine.Service
	city     *city
	payments *payment.Service
	proven   bool
	strong   bool
	phones   []string // of the person
	holder   string   // as whom the phone is proved; empty: the citizen
}

// Proof and the rest implement fine.Identity.
func (w *world) Proof(context.Context, caller.Caller) (identity.Citizen, bool, error) {
	level := caller.LevelWeak
	if w.strong {
		level = caller.LevelStrong
	}
	return identity.Citizen{ID: cmp.Or(w.holder, citizen), Level: level}, w.proven, nil
}

func (w *world) HoldProof(context.Context, *store.Tx, caller.Caller) (bool, error) {
	return w.proven, nil
}

func (*world) Locale(context.Context, string) (locales.Locale, error) { return locales.RU, nil }

// PhonesToTell are the phones that the test says are the person's.
func (w *world) PhonesToTell(context.Context, *store.Tx, string, time.Time) ([]identity.Reachable, error) {
	var list []identity.Reachable
	for _, phone := range w.phones {
		list = append(list, identity.Reachable{Phone: phone, Locale: locales.RU})
	}
	return list, nil
}

func (*world) PIN(context.Context, string) (string, error) { return pin, nil }

// HoldPhone has every number stay its holder's.
func (w *world) HoldPhone(context.Context, *store.Tx, string, time.Time) error { return nil }

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, db, testworld.Setup{}), city: newCity()}
	var err error
	w.payments, err = payment.New(payment.Deps{
		DB: db, Phones: w, Queue: w.Queue, Sealer: w.Sealer, Trail: w.Trail, Events: &webhook.Events{DB: db, Now: w.Now}, Texts: w.Texts, Now: w.Now, Clock: db.Clock, Random: rand.Reader, Log: w.Log,
	}, fine.NewBiller(w.city, db, w.Sealer, w.Now))
	w.OK(err)
	w.Service, err = fine.New(fine.Deps{
		DB: db, Queue: w.Queue, Register: w.city, Cashier: w.city, Follower: w.city, Payments: w.payments, Outbox: w.Outbox, Identity: w,
		Limiter: w.Limiter, Sealer: w.Sealer, Trail: w.Trail, Texts: w.Texts, Random: rand.Reader, Now: w.Now, Log: w.Log, PhotoURL: "https://eshik.example.kg/e/",
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
	answer, err := w.payments.Accept(ctx, payment.Partner{ID: "demo-wallet", Every: true}, turn, p.Code, p.Amount, w.Now())
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

// Now is the test's clock, which the service has too.
func (w *world) Now() time.Time { return w.World.Now() }
