package fine

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// CutPhone has no car tell a phone whose number got another holder, and ends the links that it was sent.
func (s *Service) CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	rows, err := db.New(tx).CarsOfPhone(ctx, s.carPhone(phone))
	if err != nil {
		return fmt.Errorf("list the cars that a phone is told of: %w", err)
	}
	if err := s.hand(ctx, tx, rows, phone, "", now); err != nil {
		return err
	}
	return s.voidOfPhone(ctx, tx, "", phone, now)
}

// Forgets ends the links to photos that a phone was sent: who leaves a borrowed phone leaves them in it.
func (s *Service) Forgets(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	return s.voidOfPhone(ctx, tx, "", phone, now)
}

// CutPerson has the citizen's cars tell heir, and the phone no more; with them those that tell
// nobody. Without an heir nobody is told, until the person is proved strongly again. An heir is told
// of decisions of appeals that no phone heard of, the one that is cut off among them. The links to photos
// that the phone was sent are good no more.
func (s *Service) CutPerson(ctx context.Context, tx *store.Tx, citizen, phone, heir string, now time.Time) error {
	all, err := db.New(tx).CarsOfCitizen(ctx, citizen)
	if err != nil {
		return fmt.Errorf("list a person's cars: %w", err)
	}
	var cut []db.FineCar
	for _, row := range all {
		if row.PhoneIndex == s.carPhone(phone) || row.PhoneIndex == "" && heir != "" {
			cut = append(cut, row)
		}
	}
	if err := s.hand(ctx, tx, cut, phone, heir, now); err != nil {
		return err
	}
	if err := s.voidOfPhone(ctx, tx, citizen, phone, now); err != nil || heir == "" {
		return err
	}
	loc, err := s.Identity.Locale(ctx, heir)
	if err != nil {
		return err
	}
	return s.tellUnheard(ctx, tx, citizen, identity.Reachable{Phone: heir, Locale: cmp.Or(loc, locales.KY)}, phone, now)
}

// hand has cars tell a phone in place of another; empty: none. The codes that were made for
// the other are its no more: it is not told what becomes of them.
func (s *Service) hand(ctx context.Context, tx *store.Tx, rows []db.FineCar, from, to string, now time.Time) error {
	q := db.New(tx)
	for _, listed := range rows {
		row, err := q.HoldCar(ctx, listed.ID)
		if errors.Is(err, sql.ErrNoRows) {
			continue // it was unlinked meanwhile
		}
		if err != nil {
			return fmt.Errorf("hold a car: %w", err)
		}
		told, err := q.ToldOf(ctx, row.ID)
		if err != nil {
			return fmt.Errorf("read what was told of a car: %w", err)
		}
		var payments []string
		for _, t := range told {
			if t.PaymentID != "" {
				payments = append(payments, t.PaymentID)
			}
		}
		if err := s.Payments.Disown(ctx, tx, from, payments, now); err != nil {
			return err
		}
		err = s.turn(ctx, tx, row, to, audit.Entry{At: now, Actor: "system", Purpose: "the phone is cut off from the citizen"})
		if err != nil {
			return err
		}
	}
	return nil
}

// turn has a car, whose row is held, tell a phone from now on; empty: none. e says when, by whom and why.
func (s *Service) turn(ctx context.Context, tx *store.Tx, row db.FineCar, to string, e audit.Entry) error {
	q := db.New(tx)
	if err := s.setPhone(ctx, q, row.ID, to, locales.Locale(row.Locale)); err != nil {
		return err
	}
	e.Action = "fine.phone"
	entry, err := changed(ctx, q, row.ID, &row, e)
	if err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: entry})
}

// tellAgain has the cars of the citizen c.Subject that tell nobody, as a dispute or a released
// number silenced them, tell the phone on which the citizen is proved strongly just now. That is as
// sure as what linking a car wants.
func (s *Service) tellAgain(ctx context.Context, tx *store.Tx, c caller.Caller) error {
	if may := Assurance.Admit(c, "cars.link") == nil; !may {
		return nil
	}
	q := db.New(tx)
	all, err := q.CarsOfCitizen(ctx, c.Subject)
	if err != nil {
		return fmt.Errorf("list a person's cars: %w", err)
	}
	for _, listed := range all {
		if listed.PhoneIndex != "" {
			continue
		}
		row, err := q.HoldCar(ctx, listed.ID)
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.PhoneIndex != "" {
			continue // it was unlinked, or linked on a phone, meanwhile
		}
		if err != nil {
			return fmt.Errorf("hold a car: %w", err)
		}
		if err := s.turn(ctx, tx, row, c.Phone, audit.Entry{At: c.Now, Actor: c.Subject, Purpose: "the citizen was proved strongly"}); err != nil {
			return err
		}
	}
	return nil
}
