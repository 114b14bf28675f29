package fine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
	"github.com/eshik-kg/eshik/platform/testworld"
	"github.com/eshik-kg/eshik/services/fine"
)

// Protocol implements fine.Resolutions.
func (c *city) Protocol(_ context.Context, call registry.Call, protocol string) (registry.Violation, bool, error) {
	defer c.note(call)()
	if c.closed {
		return registry.Violation{}, false, errLost
	}
	for _, f := range c.fines {
		if f.ProtocolNumber == protocol {
			return f.Violation, true, nil
		}
	}
	return registry.Violation{}, false, nil
}

func (w *world) user(name string) payment.User {
	return payment.User{Partner: payment.Partner{ID: "demo-wallet", Every: true}, Name: name, Locale: locales.RU, Now: w.Now(), Key: name}
}

// TestPartnersFindFines: by plate and by both numbers of a notice; what was found is quoted, and what was
// not is not.
func TestPartnersFindFines(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), t.Context()
		w.payments.Offer(fine.NewFinder(w.Service, w.city))
		w.city.fines["103"].info.Paid = true
		for name, c := range map[string]struct {
			search payment.Search
			known  bool
			refs   []string
		}{
			"plate":              {payment.Search{By: payment.ByPlate, Value: "01 kg 123 abc"}, true, []string{"101", "102"}},
			"clean":              {payment.Search{By: payment.ByPlate, Value: "01KG777AAA"}, true, nil},
			"unknown plate":      {payment.Search{By: payment.ByPlate, Value: "09KG999ZZZ"}, false, nil},
			"number":             {payment.Search{By: payment.ByNumber, Value: "102"}, true, []string{"102"}},
			"resolution":         {payment.Search{By: payment.ByResolution, Value: "9001"}, true, []string{"101"}},
			"paid":               {payment.Search{By: payment.ByNumber, Value: "103"}, true, nil},
			"unknown number":     {payment.Search{By: payment.ByNumber, Value: "9001"}, false, nil},
			"unknown resolution": {payment.Search{By: payment.ByResolution, Value: "101"}, false, nil},
		} {
			found, err := w.payments.FindBills(ctx, w.user(name), c.search)
			var refs []string
			for _, b := range found.Bills {
				refs = append(refs, b.Ref)
			}
			if err != nil || found.Known != c.known || fmt.Sprint(refs) != fmt.Sprint(c.refs) {
				t.Errorf("%s: %+v, %v", name, found, err)
			}
		}
		q, err := w.payments.Quote(ctx, w.user("resolution"), fine.Name, []string{"101"})
		if err != nil || q.Amount != w.city.fines["101"].due || q.Source == "" {
			t.Errorf("quoted %+v, %v", q, err)
		}
		for name, ref := range map[string]string{"another's": "102", "number": "101", "made up": "77"} {
			if _, err := w.payments.Quote(ctx, w.user(name), fine.Name, []string{ref}); problem.From(err).Key != "problem.fine_gone" {
				t.Errorf("%s, which nobody showed it: %v", name, err)
			}
		}
		_, err = w.payments.FindBills(ctx, w.user("x"), payment.Search{By: payment.ByNumber, Value: "1a"})
		if problem.From(err).Key != "problem.fine_number" {
			t.Errorf("letters: %v", err)
		}
		w.city.closed = true
		if _, err = w.payments.FindBills(ctx, w.user("x"), payment.Search{By: payment.ByResolution, Value: "9001"}); err == nil {
			t.Error("a register that does not answer knows no resolution")
		}
	})
}

// TestAPartnersUserLooksAtTen: plates and numbers are counted together, for each user apart.
func TestAPartnersUserLooksAtTen(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.payments.Offer(fine.NewFinder(w.Service, w.city))
		for n := range 12 {
			search := payment.Search{By: []payment.By{payment.ByPlate, payment.ByNumber, payment.ByResolution}[n%3], Value: fmt.Sprint(1000 + n)}
			if search.By == payment.ByPlate {
				search.Value = fmt.Sprintf("01KG%03dABC", n)
			}
			_, err := w.payments.FindBills(t.Context(), w.user("u"), search)
			if many := problem.From(err).Key == "problem.fine_plates"; many != (n >= 10) || !many && err != nil {
				t.Errorf("look-up %d: %v", n+1, err)
			}
		}
		_, err := w.payments.FindBills(t.Context(), w.user("another"), payment.Search{By: payment.ByPlate, Value: plate})
		testworld.OK(t, err)
	})
}
