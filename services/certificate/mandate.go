package certificate

import (
	"context"
	"errors"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/store"
)

// A representative acts for who gave them a mandate: the certificate is about the giver, the order
// is the representative's.

// RequestUnder is Request for whoever gave the citizen c.Subject the mandate with an id. Problem:
// mandate_absent, of one that is not theirs, not for certificates, over or was never there;
// certificate_unknown_giver.
func (s *Service) RequestUnder(ctx context.Context, c caller.Caller, kind Kind, id string) (Certificate, error) {
	if id == "" {
		return Certificate{}, mandate.ErrAbsent
	}
	return s.request(ctx, c, order{kind: kind, mandate: id})
}

// giver is the personal number of who gave a holder a mandate, and what they are called. With the
// giver's death it ends; while their number is blocked nothing is issued under it, and it lasts.
func (s *Service) giver(ctx context.Context, id, holder string, q Question, now time.Time) (pin, called string, err error) {
	m, err := s.Mandates.Use(ctx, id, holder, name, now)
	if err != nil {
		return "", "", err
	}
	if pin, err = s.Identity.PIN(ctx, m.Giver); err != nil {
		return "", "", err
	}
	err = s.alive(ctx, Question{PIN: pin, By: q.By, Issue: q.Issue})
	switch {
	case errors.Is(err, errDied):
		if err = s.Mandates.Died(ctx, m.Giver, now); err == nil {
			err = mandate.ErrAbsent
		}
	case errors.Is(err, errBarred):
		err = mandate.ErrAbsent
	}
	return pin, m.Called, err
}

// holderOf is whom a certificate is about, in the transaction that stores it; "": who asks.
func (s *Service) holderOf(ctx context.Context, tx *store.Tx, c caller.Caller, o order, child string) (string, error) {
	switch {
	case o.mandate != "":
		m, err := s.Mandates.Hold(ctx, tx, o.mandate, c.Subject, name, c.Now) // it may have ended while the register was asked
		return m.Giver, err
	case o.child != "":
		return s.Pseudonyms.Pseudonym(ctx, tx, asParent(c.Subject), child, c.Now)
	}
	return "", nil
}
