package sms_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// carrier is a provider that answers as planned.
type carrier struct {
	name string
	mu   sync.Mutex
	err  error
	sent []string
}

func (c *carrier) Name() string { return c.name }

func (c *carrier) Send(_ context.Context, m notify.MT) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, m.ID)
	return c.name + m.ID, c.err
}

func (c *carrier) plan(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// figures stands for what the outbox counts.
type figures []notify.Outcome

func (f figures) Outcomes(context.Context, time.Time, time.Duration) ([]notify.Outcome, error) {
	return f, nil
}

// market is a router over two providers: the first is cheaper, except for O!,
// which the second alone serves.
type market struct {
	*sms.Router
	t           *testing.T
	cheap, dear *carrier
	now         time.Time
}

func newMarket(t *testing.T, db *store.DB) *market {
	t.Helper()
	m := &market{t: t, cheap: &carrier{name: "cheap"}, dear: &carrier{name: "dear"}, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	var err error
	m.Router, err = sms.NewRouter(db, func() time.Time { return m.now },
		sms.Route{Provider: m.dear, Prices: map[string]int64{"": 150, "O!": 150}, Reports: true},
		sms.Route{Provider: m.cheap, Prices: map[string]int64{"MegaCom": 90, "Beeline": 100}, Reports: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func parcel(n, try int, to string) notify.MT {
	return notify.MT{ID: fmt.Sprintf("m%d", n), To: to, Text: "Салам", Try: try}
}

// share sends a thousand messages to a MegaCom number and counts the dearer
// provider's.
func (m *market) share() (dear int) {
	m.t.Helper()
	m.dear.sent = nil
	for n := range 1000 {
		if _, err := m.Send(m.t.Context(), parcel(n, 1, aigul)); err != nil {
			m.t.Fatal(err)
		}
	}
	return (len(m.dear.sent) + 5) / 10
}

// balance lets the router look at the figures after some time.
func (m *market) balance(later time.Duration, f figures) {
	m.t.Helper()
	m.now = m.now.Add(later)
	if err := m.Balance(m.t.Context(), f); err != nil {
		m.t.Fatal(err)
	}
}

func TestRouteByOperatorAndPrice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := newMarket(t, db)
		taken, err := m.Send(t.Context(), notify.MT{ID: "a", To: aigul, Text: "Салам, бул эки бөлүктүү кат: эки бөлүккө бөлүнгөн билдирүү келип жатат сизге"})
		if want := (notify.Submission{Provider: "cheap", ID: "cheapa", Operator: "MegaCom", Parts: 2, Cost: 180}); err != nil || taken != want {
			t.Errorf("taken as %+v, %v", taken, err)
		}
		taken, err = m.Send(t.Context(), parcel(1, 1, azat)) // O!
		if want := (notify.Submission{Provider: "dear", ID: "dearm1", Operator: "O!", Parts: 1, Cost: 150}); err != nil || taken != want {
			t.Errorf("taken as %+v, %v", taken, err)
		}
		if _, err := m.Send(t.Context(), notify.MT{ID: "b", To: aigul, Text: string(make([]byte, 5000))}); !errors.Is(err, notify.ErrRefused) {
			t.Errorf("an endless message: %v", err)
		}
	})
}

// A message that was surely not taken goes the other way at once; one whose
// outcome is unknown does not, unless it is a code that is tried once more; one that
// all refuse goes nowhere.
func TestRouteAround(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := newMarket(t, db)
		m.cheap.plan(fmt.Errorf("planned: %w", sms.ErrNotTaken))
		if taken, err := m.Send(t.Context(), parcel(1, 1, aigul)); err != nil || taken.Provider != "dear" || taken.Cost != 150 {
			t.Errorf("taken as %+v, %v", taken, err)
		}
		m.cheap.plan(errors.New("planned: no answer"))
		for try, dear := range map[int]bool{1: false, 2: true, 3: false, 4: true, 5: false} {
			code := parcel(2, try, aigul)
			code.Purpose = notify.Code
			if taken, err := m.Send(t.Context(), code); (err == nil) != dear {
				t.Errorf("try %d of a code: %+v, %v", try, taken, err)
			}
			if taken, err := m.Send(t.Context(), parcel(2, try, aigul)); err == nil {
				t.Errorf("try %d of what may have left: %+v", try, taken)
			}
		}
		// One provider's refusal is its own: the citizen said STOP there, or has taken
		// the number to another network.
		m.cheap.plan(fmt.Errorf("planned: %w", notify.ErrRefused))
		failures := func() (n int) {
			if err := db.Reader().QueryRow("SELECT COUNT(*) FROM sms_failures WHERE provider = 'cheap'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := failures()
		if taken, err := m.Send(t.Context(), parcel(3, 1, aigul)); err != nil || taken.Provider != "dear" || failures() != before+1 {
			t.Errorf("refused by one: %+v, %v, %d failures after %d", taken, err, failures(), before)
		}
		m.cheap.plan(fmt.Errorf("planned: %w", notify.ErrFull))
		if _, err := m.Send(t.Context(), parcel(3, 1, aigul)); !errors.Is(err, notify.ErrFull) || failures() != before+1 {
			t.Errorf("a full way: %v, %d failures after %d", err, failures(), before)
		}
		m.cheap.plan(fmt.Errorf("planned: %w", notify.ErrRefused))
		m.dear.plan(fmt.Errorf("planned: %w", notify.ErrRefused))
		if _, err := m.Send(t.Context(), parcel(3, 1, aigul)); !errors.Is(err, notify.ErrRefused) {
			t.Errorf("refused by all: %v", err)
		}
		m.dear.plan(errors.New("planned: no answer"))
		if _, err := m.Send(t.Context(), parcel(3, 1, aigul)); err == nil || errors.Is(err, notify.ErrRefused) {
			t.Errorf("refused by one, unknown at the other: %v", err)
		}
	})
}

func TestRouterNeedsProviders(t *testing.T) {
	t.Parallel()
	one := sms.Route{Provider: &carrier{name: "one"}, Prices: map[string]int64{"MegaCom": 90}}
	if _, err := sms.NewRouter(nil, time.Now); err == nil {
		t.Error("a router without providers")
	}
	if _, err := sms.NewRouter(nil, time.Now, one, one); err == nil {
		t.Error("a provider twice")
	}
	broken := one
	broken.Rates = map[string]float64{"": -1}
	if _, err := sms.NewRouter(nil, time.Now, broken); err == nil {
		t.Error("a negative rate")
	}
	r, err := sms.NewRouter(nil, time.Now, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Send(t.Context(), parcel(1, 1, azat)); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("an operator that nobody serves: %v", err)
	}
}

// Ten points move from a provider that does badly, never twice within five
// minutes, and back when it does well.
func TestWeights(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := newMarket(t, db)
		outcome := func(failed, slow, silent int) figures {
			return figures{
				{Provider: "cheap", Operator: "MegaCom", Messages: 100, Failed: failed, Slow: slow, Silent: silent},
				{Provider: "dear", Operator: "MegaCom", Messages: 100, Failed: 1},
			}
		}
		if got := m.share(); got != 0 {
			t.Errorf("at first the dearer provider has %d %%", got)
		}
		near := func(what string, want int) {
			t.Helper()
			if got := m.share(); got < want-4 || got > want+4 {
				t.Errorf("%s the dearer provider has %d %%, want about %d", what, got, want)
			}
		}
		m.balance(0, outcome(14, 0, 0))
		near("with 14 % bad", 0)
		m.balance(0, outcome(5, 5, 5))
		near("with 15 % bad", 10)
		m.balance(4*time.Minute, outcome(100, 0, 0))
		near("four minutes later", 10)
		m.balance(time.Minute, outcome(0, 15, 0))
		near("after five", 20)
		m.balance(5*time.Minute, outcome(0, 0, 15))
		near("with nothing heard", 30)
		m.balance(5*time.Minute, figures{{Provider: "cheap", Operator: "Beeline", Messages: 1, Failed: 1}})
		near("when it does well again", 20)
		for range 5 {
			m.balance(5*time.Minute, outcome(0, 0, 0))
		}
		near("in the end", 0)
	})
}

// Failed tries count too, and of several instances one moves the points.
func TestWeightsAmongInstances(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := newMarket(t, db)
		m.cheap.plan(fmt.Errorf("planned: %w", sms.ErrNotTaken))
		for n := range 3 {
			if _, err := m.Send(t.Context(), parcel(n, 1, aigul)); err != nil {
				t.Fatal(err)
			}
		}
		m.cheap.plan(nil)
		other := newMarket(t, db)
		var all sync.WaitGroup
		for _, instance := range []*market{m, other, m, other} {
			all.Go(func() {
				if err := instance.Balance(t.Context(), figures{}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := other.share(); got < 6 || got > 14 {
			t.Errorf("the dearer provider has %d %%", got)
		}
		// Nobody does well: nothing moves.
		bad := figures{
			{Provider: "cheap", Operator: "MegaCom", Messages: 1, Failed: 1}, {Provider: "dear", Operator: "MegaCom", Messages: 1, Failed: 1},
		}
		m.balance(time.Hour, bad)
		if got := m.share(); got < 6 || got > 14 {
			t.Errorf("when both do badly the dearer provider has %d %%", got)
		}
	})
}

// An operator gets no more parts a second than its rate, on average: a burst of
// twenty, or of one second's, passes at once. A long message counts as its parts.
func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := &carrier{name: "one"}
		r, err := sms.NewRouter(nil, time.Now, sms.Route{
			Provider: one, Prices: map[string]int64{"": 1}, Rates: map[string]float64{"MegaCom": 100, "": 1},
		})
		if err != nil {
			t.Fatal(err)
		}
		begin, four := time.Now(), strings.Repeat("ж", 4*gsm.JoinedUnits)
		after := func(to, text string, want time.Duration) {
			t.Helper()
			if _, err := r.Send(t.Context(), notify.MT{ID: "m", To: to, Text: text}); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took != want {
				t.Errorf("a message to %s left after %s, want %s", to, took, want)
			}
		}
		for range 25 { // a hundred parts
			after(aigul, four, 0)
		}
		after(aigul, "a", 10*time.Millisecond)
		after(aigul, four, 50*time.Millisecond)
		for range 5 { // twenty parts to others, who have a pace of their own
			after(azat, four, 50*time.Millisecond)
		}
		after(azat, four, 4050*time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		sent := len(one.sent)
		if _, err := r.Send(ctx, notify.MT{ID: "m", To: azat, Text: four}); !errors.Is(err, notify.ErrFull) || len(one.sent) != sent {
			t.Errorf("a message that cannot wait so long passed: %v", err)
		}
	})
}
