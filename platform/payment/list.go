package payment

import (
	"context"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// MaxListed is the most payments that are listed at once.
const MaxListed = 100

// beyond is after every id, in every collation: ids are lower-case hexadecimal.
const beyond = "g"

// List gives the caller's payments, newest first and at most rows (1 to
// MaxListed) of them; before is the id to go on from, "" for the newest. Quotes
// that lapsed without being confirmed are left out.
func (s *Service) List(ctx context.Context, c caller.Caller, before string, rows int) ([]Payment, error) {
	if c.Phone == "" {
		return nil, errPhone
	}
	if before == "" {
		before = beyond
	}
	found, err := db.New(s.DB.Reader()).PaymentsOf(ctx, db.PaymentsOfParams{
		Owner: s.owner(c.Phone), Before: before, NowAt: dbtime.From(c.Now), Rows: int32(max(1, min(rows, MaxListed))), // #nosec G115 -- bounded
	})
	if err != nil {
		return nil, fmt.Errorf("list payments: %w", err)
	}
	list := make([]Payment, 0, len(found))
	for _, row := range found {
		p, err := s.load(ctx, row)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

var (
	errEarly   = problem.New(problem.Conflict, "problem.payment_unfinished")
	errRefused = problem.New(problem.Conflict, "problem.payment_refused")
)

// Receipt gives a payment of the caller's own that is over, with the words that
// the SMS has. Problems: payment_absent, payment_unfinished (its register does not
// know yet, or nothing was paid yet), payment_refused (nothing was paid, nor will be).
func (s *Service) Receipt(ctx context.Context, c caller.Caller, id string) (Payment, string, error) {
	p, err := s.Get(ctx, c, id)
	if err != nil {
		return Payment{}, "", err
	}
	if p.State == Refused {
		return Payment{}, "", errRefused
	}
	if !slices.Contains([]State{Settled, RefundDue, Refunded}, p.State) {
		return Payment{}, "", errEarly
	}
	return p, s.words(c.Locale, p), nil
}

// words are what the message of a payment that is over says.
func (s *Service) words(loc locales.Locale, p Payment) string {
	_, key, args := stand(p.Lines).over(p.Code)
	full, _ := s.Texts.Message(loc, key, args...)
	return full
}
