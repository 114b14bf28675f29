package sms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
)

const (
	// creditEvery is how often an account is asked for its money, and creditAgain how
	// soon after a question that failed.
	creditEvery = 5 * time.Minute
	creditAgain = time.Minute
	// creditOld is when what was told last is too old to be trusted.
	creditOld = 3 * creditEvery
	// warnEvery is how often a low account is logged anew.
	warnEvery = time.Hour
)

// Credit is the money of an account that is paid beforehand.
type Credit struct {
	// Left is below zero where the provider lends, and Price that of one part; zero: it
	// is not told.
	Left, Price money.Amount
}

// creditTeller is a provider whose account is paid beforehand.
type creditTeller interface {
	Credit(ctx context.Context) (Credit, error)
}

// CreditStanding is what is known of an account.
type CreditStanding struct {
	Provider string
	Credit
	// Least is what should be left.
	Least money.Amount
	// At is when the provider told it last; zero: never yet. Failing: it did not answer
	// since.
	At      time.Time
	Failing bool

	next, warned time.Time
}

// Low reports an account that has less than it should, or not enough for one part.
func (c CreditStanding) Low() bool {
	return !c.At.IsZero() && c.Left < max(c.Least, c.Price)
}

// Old reports that the provider has not told for long: nobody knows what is left.
func (c CreditStanding) Old(now time.Time) bool { return c.Failing && now.Sub(c.At) >= creditOld }

// CreditWatch watches the money of the accounts that messages go through.
type CreditWatch struct {
	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	tellers  []creditTeller
	standing []CreditStanding // of the teller at the same place
}

// WatchCredit makes a watch of the router's providers, those that tell their money.
func (r *Router) WatchCredit(log *slog.Logger) *CreditWatch {
	w := &CreditWatch{now: r.now, log: log}
	for _, route := range r.routes {
		if teller, can := route.Provider.(creditTeller); can {
			w.tellers = append(w.tellers, teller)
			w.standing = append(w.standing, CreditStanding{Provider: route.Provider.Name(), Least: route.LowBalance})
		}
	}
	return w
}

// Check asks the accounts whose turn it is. Run it every few seconds.
func (w *CreditWatch) Check(ctx context.Context) error {
	var faults []error
	for i, s := range w.Standing() {
		if w.now().Before(s.next) {
			continue
		}
		credit, err := w.tellers[i].Credit(ctx)
		now := w.now()
		if err != nil {
			s.Failing, s.next = true, now.Add(creditAgain)
			faults = append(faults, fmt.Errorf("ask %s for the account's money: %w", s.Provider, err))
		} else {
			s.Credit, s.At, s.Failing, s.next = credit, now, false, now.Add(creditEvery)
			s.warned = w.warn(ctx, s)
		}
		w.mu.Lock()
		w.standing[i] = s
		w.mu.Unlock()
	}
	return errors.Join(faults...)
}

// warn says, once an hour, that an account is low, and gives when it was said last.
func (w *CreditWatch) warn(ctx context.Context, s CreditStanding) time.Time {
	switch {
	case !s.Low():
		if !s.warned.IsZero() {
			w.log.InfoContext(ctx, "an SMS account has enough money again", "provider", s.Provider, "left", s.Left.Decimal())
		}
		return time.Time{}
	case s.At.Sub(s.warned) < warnEvery:
		return s.warned
	}
	w.log.WarnContext(ctx, "an SMS account is running out of money: pay into it", "provider", s.Provider, "left", s.Left.Decimal(), "least", s.Least.Decimal())
	return s.At
}

// Standing is what is known of every account that tells its money.
func (w *CreditWatch) Standing() []CreditStanding {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.standing)
}

// Degraded says, a line for each account, what an operator should see to; empty: nothing.
func (w *CreditWatch) Degraded() string {
	var lines strings.Builder
	for _, s := range w.Standing() {
		switch {
		case s.Low():
			fmt.Fprintf(&lines, "degraded: the SMS account at %s has %s som left, and should have %s: pay into it\n", s.Provider, s.Left.Decimal(), max(s.Least, s.Price).Decimal())
		case s.Old(w.now()):
			fmt.Fprintf(&lines, "degraded: %s does not tell what is left in the SMS account\n", s.Provider)
		}
	}
	return lines.String()
}
