package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// ErrNoDispute is Unblock's answer for a phone that takes part in none.
var ErrNoDispute = errors.New("the phone takes part in no dispute")

// Disputed is a phone that takes part in a dispute.
type Disputed struct {
	Person string // the citizen's pseudonym: phones of one person stand together
	Phone  string // with the middle hidden; "" where only its index is known
	Bound  time.Time
	Until  time.Time // when the dispute ends by itself
}

// Disputes lists the phones in dispute, by person, the earliest first.
func (s *Service) Disputes(ctx context.Context) ([]Disputed, error) {
	rows, err := db.New(s.DB.Reader()).Disputed(ctx, dbtime.From(s.Now()))
	if err != nil {
		return nil, fmt.Errorf("list disputes: %w", err)
	}
	list := make([]Disputed, 0, len(rows))
	for _, b := range rows {
		d := Disputed{Person: b.CitizenID, Bound: b.BoundAt.Time, Until: b.BlockedUntilAt.Time}
		if b.PhoneSealed != nil {
			phone, err := s.Sealer.Open(b.PhoneSealed, bindingContext)
			if err != nil {
				return nil, fmt.Errorf("open a disputed phone: %w", err)
			}
			d.Phone = hidden(string(phone))
		}
		list = append(list, d)
	}
	return list, nil
}

// Unblock takes an operator's word that a phone (E.164) in dispute is the person's:
// it may be proved again at once, it is told of the person in place of all others, and from now on
// no other phone undoes it, nor hears of it, until its number is released. actor is
// who says so, for the audit log.
func (s *Service) Unblock(ctx context.Context, phone, actor string) error {
	now, index := s.Now(), s.phoneIndex(phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lockPhone(ctx, q, index, now); err != nil {
			return err
		}
		bound, err := q.BindingsOfPhone(ctx, index)
		if err != nil {
			return err
		}
		found := false
		for _, b := range bound {
			if !isBlocked(b, now) {
				continue
			}
			found = true
			if err := s.unblock(ctx, tx, b, phone, actor, now); err != nil {
				return err
			}
		}
		if !found {
			return ErrNoDispute
		}
		return s.tellCleared(ctx, tx, bound[0], phone, now)
	})
	if err != nil {
		return fmt.Errorf("clear a phone: %w", err)
	}
	return nil
}

// tellCleared tells a phone that an operator cleared that it may be proved again, once
// however many persons it is cleared for.
func (s *Service) tellCleared(ctx context.Context, tx *store.Tx, b db.IdentityBinding, phone string, now time.Time) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: []notify.Message{{
		To: phone, Locale: spoken(b), Purpose: notify.Receipt, ExpiresAt: now.Add(UndoLasts), Dedup: "identity.cleared:" + id,
		Text: gsm.Pick(s.Texts.Message(spoken(b), "identity.cleared_sms")),
	}}})
}

func (s *Service) unblock(ctx context.Context, tx *store.Tx, cleared db.IdentityBinding, phone, actor string, now time.Time) error {
	q := db.New(tx)
	if err := q.LockCitizen(ctx, cleared.CitizenID); err != nil {
		return err
	}
	err := q.Clear(ctx, db.ClearParams{ClearedAt: dbtime.From(now), CitizenID: cleared.CitizenID, PhoneIndex: cleared.PhoneIndex})
	if err != nil {
		return err
	}
	cleared.ClearedAt, cleared.BlockedUntilAt = dbtime.From(now), dbtime.Time{} // as Clear wrote them
	if err := q.ForgetNoticesOf(ctx, db.ForgetNoticesOfParams{CitizenID: cleared.CitizenID, PhoneIndex: cleared.PhoneIndex}); err != nil {
		return err
	}
	all, err := q.Bindings(ctx, cleared.CitizenID)
	if err != nil {
		return err
	}
	if err := s.severAll(ctx, tx, all, phone, now); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: now, Actor: actor, Action: "identity.unblock", Object: cleared.PhoneIndex, Subject: cleared.CitizenID,
		Purpose: "an operator saw whose phone it is", Decided: []*audit.Group{bindingOf(cleared)},
	}})
}
