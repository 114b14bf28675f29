package sms

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/sms/db"
)

// Provider is a gateway that takes messages.
type Provider interface {
	// Name is the provider's for good: what it told us of is kept under it.
	Name() string
	// Send hands one message over and gives the provider's id for it, "" when it
	// names none. An error that wraps ErrNotTaken says that the provider has surely
	// not taken it, notify.ErrRefused that it never will, and notify.ErrUnanswered that
	// only a report can tell. Errors hold neither the number nor the text.
	Send(ctx context.Context, m notify.MT) (id string, err error)
}

// ErrNotTaken says that a message has surely not left, and may go another way at
// once. After any other error it may have left: sent another way it could come
// twice.
var ErrNotTaken = errors.New("the provider has not taken the message")

// Route is a provider with what it takes and costs.
type Route struct {
	Provider Provider
	// Prices are those of one part in tyiyn (1/100 som), by operator as
	// caller.Operator names it; the price under "" is that of all others. A route
	// without a price for an operator is not used for it.
	Prices map[string]int64
	// Rates are the parts a second that may go to an operator; "" are all others.
	// No rate is no limit.
	Rates map[string]float64
	// Reports says that the provider tells what became of a message: one that
	// nothing is heard of counts as late.
	Reports bool
	// AskAfter is when a report that did not come is asked for, where the provider can be
	// asked; zero: a minute.
	AskAfter time.Duration
	// Lookup has the provider asked for the operators of numbers, where it knows them.
	Lookup bool
	// LowBalance is what should be left in the account, where the provider tells it.
	LowBalance money.Amount
}

// Price is what a part to an operator costs; served is false where the route is
// not used for it.
func (r Route) Price(operator string) (tyiyn int64, served bool) {
	if tyiyn, served = r.Prices[operator]; !served {
		tyiyn, served = r.Prices[""]
	}
	return tyiyn, served
}

// Outcomes tells what became of the messages sent, as *notify.Outbox does.
type Outcomes interface {
	Outcomes(ctx context.Context, since time.Time, late time.Duration) ([]notify.Outcome, error)
}

// Router shares messages out among providers, by operator and price. It
// implements notify.Sender. See weights.go for how the shares move.
type Router struct {
	routes []Route
	db     *store.DB
	now    func() time.Time
	paces  map[lane]*rate.Limiter
	// operators is nil where no provider tells them; asking are the providers that were
	// asked for reports in vain.
	operators *operators
	asking    pauses
}

// lane is the way to an operator through a provider.
type lane struct{ provider, operator string }

// NewRouter makes a router; two routes of one name would be one provider.
func NewRouter(database *store.DB, now func() time.Time, routes ...Route) (*Router, error) {
	r := &Router{routes: routes, db: database, now: now, paces: map[lane]*rate.Limiter{}}
	names := map[string]bool{}
	for _, route := range routes {
		name := route.Provider.Name()
		if names[name] {
			return nil, fmt.Errorf("the SMS provider %q is there twice", name)
		}
		names[name] = true
		if teller, can := route.Provider.(operatorTeller); can && route.Lookup && r.operators == nil {
			r.operators = newOperators(teller, now)
		}
		for operator, limit := range route.Rates {
			if limit <= 0 || math.IsInf(limit, 0) || math.IsNaN(limit) {
				return nil, fmt.Errorf("the SMS provider %q takes a positive number of parts a second", name)
			}
			// A whole message passes at once, however long: the rate holds on average.
			r.paces[lane{name, operator}] = rate.NewLimiter(rate.Limit(limit), max(maxSent, int(math.Ceil(limit))))
		}
	}
	if len(routes) == 0 {
		return nil, errors.New("an SMS provider is needed")
	}
	return r, nil
}

// maxSent bounds the parts of one message: none of ours has as many.
const maxSent = 20

// Send hands a message to a provider. One that has surely not taken it is
// counted, and the next one asked; one that is closed for now, as its account is out of
// money, is passed over. The next one is asked too where one refuses the
// message for good, as another may know the number, or the citizen said STOP to that
// provider only: the refusal is counted if another takes the message.
func (r *Router) Send(ctx context.Context, m notify.MT) (notify.Submission, error) {
	operator := m.Operator
	if operator == "" {
		operator = r.operators.of(ctx, m.To, m.Purpose.Awaited())
	}
	parts := len(gsm.Split(m.Text).Texts)
	if parts > maxSent {
		return notify.Submission{}, fmt.Errorf("a message of %d parts: %w", parts, notify.ErrRefused)
	}
	order, err := r.order(ctx, operator, m)
	if err != nil {
		return notify.Submission{}, err
	}
	var so tries
	for _, route := range order {
		price, _ := route.Price(operator)
		taken := notify.Submission{Provider: route.Provider.Name(), Operator: operator, Parts: parts, Cost: price * int64(parts)}
		if err := r.wait(ctx, m.Purpose, taken); err != nil {
			return notify.Submission{}, errors.Join(append(so.faults, err)...)
		}
		if taken.ID, err = route.Provider.Send(ctx, m); err == nil {
			for _, by := range so.refused {
				_ = r.failed(ctx, by) // the message has left: an error would send it again
			}
			return taken, nil
		}
		if r.missed(ctx, &so, taken, err) {
			continue
		}
		if errors.Is(err, notify.ErrUnanswered) && route.Reports {
			return taken, errors.Join(so.faults...)
		}
		break
	}
	return notify.Submission{}, errors.Join(so.mostTelling()...)
}

// tries are what came of offering a message around.
type tries struct {
	// faults are the providers', closed the ways that are not open for now, as for want
	// of money in the account, and refusals the message's.
	faults, closed, refusals []error
	refused                  []notify.Submission // those who refused it
}

// mostTelling is what a message's fate hangs on when nobody took it: a fault counts as a
// try, a way that is closed for now is waited for, and only what all refuse is given up.
func (t tries) mostTelling() []error {
	switch {
	case len(t.faults) > 0:
		return t.faults
	case len(t.closed) > 0:
		return t.closed
	}
	return t.refusals
}

// missed notes that a provider has not taken a message; next says that another may be
// offered it.
func (r *Router) missed(ctx context.Context, so *tries, taken notify.Submission, err error) (next bool) {
	err = fmt.Errorf("%s: %w", taken.Provider, err)
	switch {
	case errors.Is(err, notify.ErrRefused):
		so.refusals, so.refused = append(so.refusals, err), append(so.refused, taken)
		return true
	case errors.Is(err, notify.ErrUnavailable):
		so.closed = append(so.closed, err)
		return true
	}
	so.faults = append(so.faults, err)
	if errors.Is(err, notify.ErrFull) {
		return false // nobody's fault
	}
	if err := r.failed(ctx, taken); err != nil {
		so.faults = append(so.faults, err)
	}
	return errors.Is(err, ErrNotTaken)
}

// order is the providers that serve an operator, the one whose turn it is first.
// Each try of a code goes another way than the one before: its provider may answer
// nobody, two copies are the most that may be under way, and a code is worth little in
// an hour. All else stays where it may
// have been taken: the citizen sees one message, not two.
func (r *Router) order(ctx context.Context, operator string, m notify.MT) ([]Route, error) {
	serving := r.serving(operator)
	if len(serving) == 0 {
		return nil, fmt.Errorf("no SMS provider serves the operator %q: %w", operator, notify.ErrRefused)
	}
	if len(serving) == 1 {
		return serving, nil
	}
	points, _, err := r.points(ctx, operator)
	if err != nil {
		return nil, err
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(m.ID)) // a hash takes everything
	at := int(hash.Sum32() % allPoints)
	first := slices.IndexFunc(serving, func(route Route) bool {
		at -= points[route.Provider.Name()]
		return at < 0
	})
	chosen := serving[max(first, 0)]
	rest := slices.DeleteFunc(slices.Clone(serving), func(route Route) bool { return route.Provider == chosen.Provider })
	order := append([]Route{chosen}, rest...)
	turn := 0
	if m.Purpose == notify.Code {
		turn = (max(m.Try, 1) - 1) % len(order)
	}
	return append(order[turn:len(order):len(order)], order[:turn]...), nil
}

// serving are the routes to an operator, the cheapest first.
func (r *Router) serving(operator string) (routes []Route) {
	for _, route := range r.routes {
		if _, served := route.Price(operator); served {
			routes = append(routes, route)
		}
	}
	slices.SortStableFunc(routes, func(a, b Route) int {
		one, _ := a.Price(operator)
		other, _ := b.Price(operator)
		return cmp.Compare(one, other)
	})
	return routes
}

// longestWait is what a message that is not urgent waits for its operator at once.
const longestWait = 5 * time.Second

// wait holds a message back while its operator has got enough from us.
func (r *Router) wait(ctx context.Context, purpose notify.Purpose, taken notify.Submission) error {
	limiter := r.paces[lane{taken.Provider, taken.Operator}]
	if limiter == nil {
		limiter = r.paces[lane{taken.Provider, ""}]
	}
	if limiter == nil {
		return nil
	}
	if !purpose.Awaited() {
		// Who need not hurry reserves no more than a little of what is to come.
		own := time.Duration(float64(taken.Parts) / float64(limiter.Limit()) * float64(time.Second))
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longestWait+own)
		defer cancel()
	}
	if err := limiter.WaitN(ctx, taken.Parts); err != nil {
		return fmt.Errorf("wait for the operator's rate: %w: %w", notify.ErrFull, err)
	}
	return nil
}

// failed counts a try that came to nothing.
func (r *Router) failed(ctx context.Context, taken notify.Submission) error {
	// Counted also when the time for sending is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	err := r.db.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).KeepFailure(ctx, db.KeepFailureParams{
			ID: uuid.NewString(), Provider: taken.Provider, Operator: taken.Operator, FailedAt: dbtime.From(r.now()),
		})
	})
	if err != nil {
		return fmt.Errorf("count a failed try: %w", err)
	}
	return nil
}
