package fine

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/registry"
)

// Resolutions know a resolution by its number: Safe City. Of the record only the number that it is
// paid by is looked at; all else is for the car's owner.
type Resolutions interface {
	Protocol(ctx context.Context, call registry.Call, protocolNumber string) (v registry.Violation, found bool, err error)
}

// Finder lets partners look for fines: it implements payment.Finder.
type Finder struct {
	fines       *Service
	resolutions Resolutions
}

// NewFinder makes the finder of fines.
func NewFinder(fines *Service, resolutions Resolutions) *Finder {
	return &Finder{fines, resolutions}
}

// Service implements payment.Finder.
func (*Finder) Service() string { return Name }

// Source implements payment.Finder: a price is the cost that a check call tells.
func (*Finder) Source() string { return "safe-city/setPaymentLegal" }

// Find implements payment.Finder. Problems: fine_plate, fine_number, fine_plates (too many
// different plates and numbers), and the registry's.
func (f *Finder) Find(ctx context.Context, c caller.Caller, s payment.Search) (payment.Found, error) {
	if s.By == payment.ByPlate {
		list, err := f.fines.Lookup(ctx, c, s.Value)
		if err != nil {
			return payment.Found{}, err
		}
		return payment.Found{Known: list.Known, Bills: found(list.Bills)}, nil
	}
	number, known, err := f.number(ctx, c, s)
	if err != nil || !known {
		return payment.Found{}, err
	}
	return f.fines.byNumber(ctx, c, number)
}

// number is what the fine that is looked for is paid by.
func (f *Finder) number(ctx context.Context, c caller.Caller, s payment.Search) (number string, known bool, err error) {
	if !billNumber.MatchString(s.Value) {
		return "", false, errNumber
	}
	// Numbers run in sequence: they are counted with the plates.
	if err := f.fines.admit(ctx, c, Plate{Text: string(s.By) + " " + s.Value}); err != nil {
		return "", false, err
	}
	if s.By == payment.ByNumber {
		return s.Value, true, nil
	}
	record, known, err := f.resolutions.Protocol(ctx, f.fines.call(c), s.Value)
	if err != nil {
		return "", false, fmt.Errorf("look for a resolution: %w", err)
	}
	return record.PaymentNumber, known, nil
}

// byNumber is the fine that is paid by a number; known without bills where it is paid or closed.
func (s *Service) byNumber(ctx context.Context, c caller.Caller, number string) (payment.Found, error) {
	answer, err := s.Cashier.Check(ctx, s.call(c), number, priceOnly, c.Now)
	if err != nil {
		return payment.Found{}, fmt.Errorf("look for a fine: %w", err)
	}
	if answer.Code != registry.CodeOK {
		return payment.Found{Known: answer.Code != registry.CodeNotFound}, nil
	}
	bill := Bill{Number: number, Due: answer.Cost}
	if bill.Paying, err = s.Payments.Claimed(ctx, Name, number); err != nil {
		return payment.Found{}, err
	}
	bills := []Bill{bill}
	if err := s.noteBills(ctx, c, bills); err != nil {
		return payment.Found{}, err
	}
	return payment.Found{Known: true, Bills: found(bills)}, nil
}

func found(bills []Bill) []payment.FoundBill {
	list := make([]payment.FoundBill, len(bills))
	for i, b := range bills {
		list[i] = payment.FoundBill{Service: Name, Ref: b.Number, Due: b.Due, Paying: b.Paying}
	}
	return list
}
