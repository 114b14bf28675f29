package sms_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/sms"
)

// prepaid is a carrier that tells its money, operators and reports.
type prepaid struct {
	carrier
	credit   sms.Credit
	away     error
	asked    int
	operator string
	status   map[string]string // of messages
}

func (p *prepaid) Credit(context.Context) (sms.Credit, error) {
	p.asked++
	return p.credit, p.away
}

func (p *prepaid) OperatorOf(context.Context, string) (string, error) { return p.operator, p.away }

func (p *prepaid) AskReport(_ context.Context, m notify.Unreported) (string, error) {
	p.asked++
	return p.status[m.ID], p.away
}

// TestCreditWatch: an account is asked for its money every five minutes, every minute
// while it does not answer; low money is logged once an hour, and shown.
func TestCreditWatch(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	account := &prepaid{carrier: carrier{name: "prepaid"}, credit: sms.Credit{Left: 500 * money.Som, Price: 70}}
	router, err := sms.NewRouter(db, func() time.Time { return now },
		sms.Route{Provider: account, Prices: map[string]int64{"": 70}, LowBalance: 100 * money.Som},
		sms.Route{Provider: &carrier{name: "lent"}, Prices: map[string]int64{"": 90}})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	watch := router.WatchCredit(slog.New(slog.NewTextHandler(&log, nil)))
	step := func(name string, later time.Duration, asked int, degraded, logged string) {
		t.Helper()
		now = now.Add(later)
		account.asked = 0
		log.Reset()
		err := watch.Check(t.Context())
		if (err != nil) != (account.away != nil && asked > 0) || account.asked != asked {
			t.Errorf("%s: asked %d times: %v", name, account.asked, err)
		}
		if got := watch.Degraded(); (degraded == "") != (got == "") || !strings.Contains(got, degraded) {
			t.Errorf("%s: shown as %q, want %q", name, got, degraded)
		}
		if got := log.String(); (logged == "") != (got == "") || !strings.Contains(got, logged) {
			t.Errorf("%s: logged %q, want %q", name, got, logged)
		}
	}
	if standing := watch.Standing(); len(standing) != 1 || standing[0].Low() {
		t.Errorf("before it is asked: %+v", standing)
	}
	const low, running = "degraded: the SMS account at prepaid has 99.99 som left, and should have 100.00: pay into it\n", "level=WARN msg=\"an SMS account is running out of money: pay into it\" provider=prepaid left=99.99 least=100.00"
	step("enough", 0, 1, "", "")
	step("not yet", 5*time.Minute-time.Second, 0, "", "")
	account.credit.Left = 9999
	step("low", time.Second, 1, low, running)
	step("low still", 5*time.Minute, 1, low, "")
	step("an hour later", 55*time.Minute, 1, low, running)
	account.away = errors.New("planned")
	step("away", 5*time.Minute, 1, low, "")
	step("away: not yet", 59*time.Second, 0, low, "")
	step("away again", time.Second, 1, low, "")
	account.away, account.credit.Left = nil, 100*money.Som
	step("paid in", time.Minute, 1, "", "enough money again")
	account.away = errors.New("planned")
	step("away once", 5*time.Minute, 1, "", "")
	step("away for long", 10*time.Minute, 1, "degraded: prepaid does not tell what is left", "")
	account.away, account.credit = nil, sms.Credit{Left: -300}
	step("lent", time.Minute, 1, "has -3.00 som left", "left=-3.00")
}

// TestRouteAroundMoney: an account without money is passed over and blamed for nothing;
// where no other way is open the message waits, whoever refused it, and a fault is
// still a fault.
func TestRouteAroundMoney(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		m := newMarket(t, db)
		empty := fmt.Errorf("planned: %w", notify.ErrUnavailable)
		m.cheap.plan(empty)
		for n := range 20 {
			if taken, err := m.Send(t.Context(), parcel(n, 1, aigul)); err != nil || taken.Provider != "dear" {
				t.Fatalf("taken by %q, %v", taken.Provider, err)
			}
		}
		m.balance(10*time.Minute, nil)
		m.cheap.plan(nil)
		if dear := m.share(); dear != 0 {
			t.Errorf("%d of 100 go the dear way when there is money again", dear)
		}
		for name, c := range map[string]struct {
			cheap, dear error
			want, not   error
		}{
			"both are out of money": {empty, empty, notify.ErrUnavailable, notify.ErrRefused},
			"the other refuses":     {empty, notify.ErrRefused, notify.ErrUnavailable, notify.ErrRefused},
			"the other fails":       {empty, sms.ErrNotTaken, sms.ErrNotTaken, notify.ErrUnavailable},
			"both refuse":           {notify.ErrRefused, notify.ErrRefused, notify.ErrRefused, notify.ErrUnavailable},
		} {
			m.cheap.plan(c.cheap)
			m.dear.plan(c.dear)
			if _, err := m.Send(t.Context(), parcel(1, 1, aigul)); !errors.Is(err, c.want) || errors.Is(err, c.not) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestRouteByLookup: where a provider tells operators, they count before the prefix, but
// not before the operator of a try that may have been taken.
func TestRouteByLookup(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	for name, c := range map[string]struct {
		lookup bool
		tells  string
		away   error
		before string
		want   string
	}{
		"ported": {true, "O!", nil, "", "O!"}, "unknown": {true, "", nil, "", "MegaCom"}, "away": {true, "", errors.New("planned"), "", "MegaCom"},
		"not to be asked": {false, "O!", nil, "", "MegaCom"}, "tried before": {true, "O!", nil, "Beeline", "Beeline"},
	} {
		knows := &prepaid{carrier: carrier{name: "knows"}, operator: c.tells, away: c.away}
		router, err := sms.NewRouter(db, time.Now, sms.Route{Provider: knows, Prices: map[string]int64{"": 70}, Lookup: c.lookup})
		if err != nil {
			t.Fatal(err)
		}
		out := parcel(1, 1, aigul)
		out.Operator = c.before
		if taken, err := router.Send(t.Context(), out); err != nil || taken.Operator != c.want {
			t.Errorf("%s: sent to %q, %v, want %q", name, taken.Operator, err, c.want)
		}
	}
}

// unheard is an outbox with messages that nothing is heard of.
type unheard struct {
	list  []notify.Unreported
	taken map[string]bool // by somebody else
	after time.Duration
	heard []string
}

func (u *unheard) Unreported(_ context.Context, provider string, after time.Duration, n int) ([]notify.Unreported, error) {
	u.after = after
	if provider != "prepaid" {
		return nil, errors.New("planned: who is " + provider)
	}
	return u.list[:min(n, len(u.list))], nil
}

func (u *unheard) Ask(_ context.Context, m notify.Unreported, _ time.Duration) (bool, error) {
	return !u.taken[m.ID], nil
}

func (u *unheard) NoteReceipt(_ context.Context, r notify.DeliveryReceipt) error {
	u.heard = append(u.heard, r.Message+" "+r.ID+" "+r.Status)
	if r.Status == "failed" {
		return notify.ErrUnknown // its try is followed by the next
	}
	return nil
}

// TestAskReports: a few messages in a round, none that another process asks for, and a
// pause after a question without an answer.
func TestAskReports(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, storetest.NewSQLite(t))
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	teller := &prepaid{carrier: carrier{name: "prepaid"}, status: map[string]string{"a": "delivered", "b": "", "c": "delivered", "d": "failed"}}
	silent := &prepaid{carrier: carrier{name: "silent"}}
	router, err := sms.NewRouter(db, func() time.Time { return now },
		sms.Route{Provider: teller, Prices: map[string]int64{"": 70}, Reports: true},
		sms.Route{Provider: silent, Prices: map[string]int64{"": 80}},
		sms.Route{Provider: &carrier{name: "dumb"}, Prices: map[string]int64{"": 90}, Reports: true})
	if err != nil {
		t.Fatal(err)
	}
	outbox := &unheard{
		list:  []notify.Unreported{{ID: "a", ProviderID: "A"}, {ID: "b", ProviderID: "B"}, {ID: "c", ProviderID: "C"}, {ID: "d", ProviderID: "D"}},
		taken: map[string]bool{"c": true},
	}
	if err := router.AskReports(t.Context(), outbox); err != nil || strings.Join(outbox.heard, ", ") != "a A delivered, d D failed" || outbox.after != time.Minute {
		t.Errorf("heard %v after %v: %v", outbox.heard, outbox.after, err)
	}
	if teller.asked != 3 || silent.asked != 0 {
		t.Errorf("asked %d and %d times", teller.asked, silent.asked)
	}
	teller.away = errors.New("planned")
	for range 3 {
		_ = router.AskReports(t.Context(), outbox)
	}
	if teller.asked != 4 {
		t.Errorf("who does not answer was asked %d times", teller.asked-3)
	}
	teller.away, now = nil, now.Add(30*time.Second)
	for range 30 {
		outbox.list = append(outbox.list, notify.Unreported{ID: "b"})
	}
	if err := router.AskReports(t.Context(), outbox); err != nil || teller.asked != 4+19 {
		t.Errorf("asked %d times in a round: %v", teller.asked-4, err)
	}
}
