package fine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		list, err := w.Lookup(ctx, w.caller("t1"), "01kg123авс")
		testworld.OK(t, err)
		if !list.Known || len(list.Bills) != 3 || list.Total != 10_000*money.Som || !list.Heavy {
			t.Errorf("three fines: %+v", list)
		}
		if list.Bills[0].Due != 1500*money.Som {
			t.Errorf("the due amount is not the register's: %+v", list.Bills[0])
		}
		clean, err := w.Lookup(ctx, w.caller("t2"), "01KG777AAA")
		testworld.OK(t, err)
		unknown, err := w.Lookup(ctx, w.caller("t3"), "09KG999ZZZ")
		testworld.OK(t, err)
		if !clean.Known || len(clean.Bills) != 0 || unknown.Known {
			t.Errorf("clean %+v, unknown %+v", clean, unknown)
		}
		w.paid(t, "t4", "101")
		w.city.fines["102"].code = registry.CodeClosed
		list, err = w.Lookup(ctx, w.caller("t5"), plate)
		testworld.OK(t, err)
		if len(list.Bills) != 2 || !list.Bills[0].Paying || list.Total != 1000*money.Som || list.Heavy {
			t.Errorf("one being paid, one closed: %+v", list)
		}
		for _, call := range w.city.calls {
			if call.UserID == "" || call.Issue == "" || strings.Contains(call.UserID, "996") {
				t.Errorf("an untraceable or personal call: %+v", call)
			}
		}
	})
}

func TestLookupsAreLimited(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		look := func(n int) error {
			_, err := w.Lookup(ctx, w.caller(""), fmt.Sprintf("01KG%03dABC", n))
			return err
		}
		for n := range 10 {
			testworld.OK(t, look(n))
			testworld.OK(t, look(n)) // the same again is free
		}
		for range 3 { // asking twice does not get around it
			if err := look(11); problem.From(err).Key != "problem.fine_plates" {
				t.Errorf("the eleventh plate: %v", err)
			}
		}
		testworld.OK(t, look(3))
		w.Pass(time.Hour + time.Minute)
		testworld.OK(t, look(11))
	})
}

func TestDetailsAreForTheOwner(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		if _, err := w.Details(ctx, w.caller("t1"), plate); problem.From(err).Key != "problem.fine_proof" {
			t.Errorf("without a proof: %v", err)
		}
		if len(w.city.calls) != 0 {
			t.Error("the register was asked without a proof")
		}
		w.proven = true
		for loc, want := range map[locales.Locale]string{
			locales.KY: "Коопсуздук курун тагынбоо", locales.KYLatn: "Коопсуздук курун тагынбоо",
			locales.RU: "Непристёгнутый ремень безопасности",
		} {
			c := w.caller("t2")
			c.Locale = loc
			list, err := w.Details(ctx, c, plate)
			testworld.OK(t, err)
			if len(list) != 3 || list[2].Title != want || list[2].Resolution != "9003" {
				t.Errorf("%s: %+v", loc, list)
			}
		}
		if call := w.city.calls[0]; call.UserID != "KG"+pin || !strings.HasPrefix(call.Issue, "eshik-") {
			t.Errorf("called as %+v", call)
		}
	})
}

// TestWhereItWasIsForTheOwnerAlone: who typed the numbers of the owner's card sees what is to be
// paid and for what, not where the car was and at what hour, and not which cars the owner has.
func TestWhereItWasIsForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.proven = true
		w.city.fines["102"].Date = start.Add(90 * time.Minute)
		look := func(turn string, level caller.Level) (fine.Violation, error) {
			w.strong = level == caller.LevelStrong
			list, err := w.Details(t.Context(), w.caller(turn), plate)
			testworld.OK(t, err)
			_, err = w.Cars(t.Context(), caller.Caller{Now: w.Now().AddDate(0, 1, 0), Subject: "c1", Level: level})
			return list[0], err
		}
		strong, err := look("t1", caller.LevelStrong)
		if err != nil || strong.Place == "" || !strong.At.Equal(start.Add(90*time.Minute)) {
			t.Errorf("the owner sees %+v; cars: %v", strong, err)
		}
		weak, err := look("t2", caller.LevelWeak)
		if weak.Number != strong.Number || weak.Due != strong.Due || weak.Place != "" || !weak.At.Equal(clock.Midnight(strong.At)) {
			t.Errorf("by a card's numbers one sees %+v", weak)
		}
		if !errors.Is(err, assurance.ErrWeak) {
			t.Errorf("by a card's numbers the cars are listed: %v", err)
		}
	})
}

// TestDetailsAreNewestFirst (A4): whatever the register's order, and the paid ones
// among them; those of one moment keep its order.
func TestDetailsAreNewestFirst(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.proven = true
		days := func(n int) time.Time { return start.AddDate(0, 0, -n) }
		for want, at := range map[string][3]time.Time{
			"103 102 101": {days(3), days(2), days(1)},
			"101 102 103": {days(1), days(2), days(3)},
			"102 103 101": {days(400), days(1), days(2)},
			"103 101 102": {days(2), days(2), days(1)},
		} {
			for i, number := range []string{"101", "102", "103"} {
				w.city.fines[number].Date = at[i]
			}
			w.city.fines["102"].info.Paid = true
			list, err := w.Details(ctx, w.caller("t "+want), plate)
			testworld.OK(t, err)
			var got []string
			for _, v := range list {
				got = append(got, v.Number)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("listed %v, not %s", got, want)
			}
		}
	})
}

// Money that was taken while the register did not answer the check was never
// paid by us: a fine that somebody else paid meanwhile goes back.
func TestCheckFailedThenPaidElsewhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		p := w.paid(t, "t1", "101")
		w.city.down = 2
		for range 2 {
			if err := w.payments.Settle(ctx, p.ID); !errors.Is(err, errLost) {
				t.Fatalf("a check without an answer: %v", err)
			}
		}
		w.city.fines["101"].info = registry.PaymentInfo{Paid: true, Sum: p.Amount, At: start.Add(time.Minute)}
		testworld.OK(t, w.payments.Settle(ctx, p.ID))
		got := w.state(t, p)
		if got.State != payment.RefundDue || got.Lines[0].Reason != payment.OutcomePaid || w.city.pays != 0 {
			t.Errorf("%s (%s) after %d payments of ours", got.State, got.Lines[0].Reason, w.city.pays)
		}
		testworld.OK(t, w.payments.VerifyLedger(ctx))
	})
}

// Numbers cannot be counted up: only fines that the caller was shown are priced.
func TestOpenTakesWhatWasShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		refused := func(key string, numbers ...string) {
			t.Helper()
			asked := len(w.city.calls)
			if _, err := w.payments.Open(ctx, w.caller(""), fine.Name, numbers); problem.From(err).Key != key {
				t.Errorf("%q: %v, want %s", numbers, err, key)
			}
			if len(w.city.calls) != asked {
				t.Errorf("%q: the register was asked", numbers)
			}
		}
		for _, bad := range []string{"", "x", "0101", "' OR 1", "٣٤٥", "1\x00", "\xff", strings.Repeat("1", 20)} {
			refused("problem.fine_number", bad)
		}
		refused("problem.fine_gone", "101")
		_, err := w.Lookup(ctx, w.caller("t1"), plate)
		testworld.OK(t, err)
		_, err = w.payments.Open(ctx, w.caller("t2"), fine.Name, []string{"101", "102"})
		testworld.OK(t, err)
		refused("problem.fine_gone", "101", "104")
		w.Pass(time.Hour + time.Minute)
		refused("problem.fine_gone", "101")
	})
}

func TestSettlement(t *testing.T) {
	t.Parallel()
	other := func(sum money.Amount, at time.Time) func(*city) {
		return func(c *city) { c.fines["101"].info = registry.PaymentInfo{Paid: true, Sum: sum, At: at} }
	}
	paidByOther := other(1500*money.Som, start.Add(-time.Hour))
	code := func(n int) func(*city) { return func(c *city) { c.fines["101"].code = n } }
	for name, c := range map[string]struct {
		owner  bool // the owner looked at the details before
		before func(*city)
		lost   bool // the answer, after the effect
		never  bool // the call fails before it leaves
		after  func(*city)
		state  payment.State
		reason payment.Outcome
		pays   int
	}{
		"paid":               {state: payment.Settled, pays: 1},
		"answer lost, asked": {owner: true, lost: true, state: payment.Settled, pays: 1},
		"paid by another":    {before: paidByOther, state: payment.RefundDue, reason: payment.OutcomePaid},
		"closed":             {before: code(registry.CodeClosed), state: payment.RefundDue, reason: payment.OutcomeCancelled},
		"price changed":      {before: func(c *city) { c.fines["101"].due = 1 }, state: payment.RefundDue, reason: payment.OutcomeChanged},
		"gone":               {before: func(c *city) { delete(c.fines, "101") }, state: payment.RefundDue, reason: payment.OutcomeUnknown},
		// M2: what was sent is ours only where the register's record proves it.
		"M2 lost, no resolution known":      {lost: true, state: payment.InDoubt, pays: 1},
		"M2 lost, another, no resolution":   {lost: true, after: paidByOther, state: payment.InDoubt, pays: 1},
		"M2 lost, another was it":           {owner: true, lost: true, after: paidByOther, state: payment.RefundDue, reason: payment.OutcomePaid, pays: 1},
		"M2 lost, another second":           {owner: true, lost: true, after: other(1500*money.Som, start.Add(time.Second)), state: payment.RefundDue, reason: payment.OutcomePaid, pays: 1},
		"M2 lost, another sum":              {owner: true, lost: true, after: other(1499*money.Som, start), state: payment.RefundDue, reason: payment.OutcomePaid, pays: 1},
		"M2 lost, then closed, ours":        {owner: true, lost: true, after: code(registry.CodeClosed), state: payment.Settled, pays: 1},
		"M2 lost, then closed, unproven":    {lost: true, after: code(registry.CodeClosed), state: payment.InDoubt, pays: 1},
		"M2 lost, then gone, unproven":      {owner: true, lost: true, after: func(c *city) { delete(c.fines, "101") }, state: payment.InDoubt, pays: 1},
		"M2 lost, taken back, then closed":  {owner: true, lost: true, after: func(c *city) { other(0, start)(c); c.fines["101"].info.Paid = false; code(registry.CodeClosed)(c) }, state: payment.RefundDue, reason: payment.OutcomeCancelled, pays: 1},
		"M2 lost, taken back":               {lost: true, after: func(c *city) { c.fines["101"].info.Paid = false }, state: payment.Settled, pays: 2},
		"M2 never left, paid by another":    {never: true, after: paidByOther, state: payment.RefundDue, reason: payment.OutcomePaid},
		"M2 never left, then paid by us":    {never: true, state: payment.Settled, pays: 1},
		"M2 never left, closed by somebody": {never: true, after: code(registry.CodeClosed), state: payment.RefundDue, reason: payment.OutcomeCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, ctx := newWorld(t, db), context.Background()
				if w.proven = c.owner; c.owner {
					_, err := w.Details(ctx, w.caller("t0"), plate)
					testworld.OK(t, err)
				}
				p := w.paid(t, "t1", "101")
				if c.before != nil {
					c.before(w.city)
				}
				w.city.never = c.never
				if c.lost {
					w.city.lose = 1
				}
				if c.lost || c.never {
					if err := w.payments.Settle(ctx, p.ID); err == nil {
						t.Fatal("a failed call is no error")
					}
				}
				w.city.never = false
				if c.after != nil {
					c.after(w.city)
				}
				testworld.OK(t, w.payments.Settle(ctx, p.ID))
				got := w.state(t, p)
				if got.State != c.state || got.Lines[0].Reason != c.reason || w.city.pays != c.pays {
					t.Errorf("%s (%s) after %d payments; want %s (%s), %d", got.State, got.Lines[0].Reason, w.city.pays, c.state, c.reason, c.pays)
				}
				testworld.OK(t, w.payments.VerifyLedger(ctx))
			})
		})
	}
}

// TestDetailsSayWhatIsDue: what the register takes now, and until when: a month from the
// delivery that it reports, and nothing of a discount where that is over or not reported.
func TestDetailsSayWhatIsDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.NewSQLite(t)))
	w.proven, w.strong = true, true
	delivered := start.AddDate(0, 0, -4)
	w.city.fines["101"].Delivered = delivered
	w.city.fines["103"].code = registry.CodeClosed
	find := func(number string) fine.Violation {
		t.Helper()
		list, err := w.Details(t.Context(), w.caller(""), plate)
		testworld.OK(t, err)
		return list[slices.IndexFunc(list, func(v fine.Violation) bool { return v.Number == number })]
	}
	if v := find("101"); v.Due != 1500*money.Som || v.Percent() != 70 || !v.Until.Equal(delivered.AddDate(0, 1, 0)) {
		t.Errorf("with a discount: %+v", v)
	}
	if v := find("102"); v.Due != 7500*money.Som || v.Percent() != 0 || !v.Until.IsZero() {
		t.Errorf("not delivered: %+v", v)
	}
	if v := find("103"); v.Due != 0 || v.Percent() != 0 {
		t.Errorf("closed: %+v", v)
	}
	k := newConversation(t, w, locales.RU)
	k.start("")
	k.say("1")
	k.read(plate)
	k.expect(k.read("4"), "1 500 сом (-70%) до "+clock.Day(delivered.AddDate(0, 1, 0)), "7 500 сом. Постановление ещё не вручено")
	w.Pass(40 * 24 * time.Hour) // the register gives it for longer than the law, as far as we know
	w.proven = true
	if v := find("101"); v.Due != 1500*money.Som || !v.Until.IsZero() {
		t.Errorf("a discount that goes on: %+v", v)
	}
}
