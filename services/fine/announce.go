package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/money"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// news is what a phone is told of a fine.
type news struct {
	kind, plate, number string
	amount, due         money.Amount
	until               time.Time // zero: no discount, or nobody knows until when
}

// announce tells of one unpaid fine what was not told yet.
func (s *Service) announce(ctx context.Context, row db.FineCar, plate string, r registry.Violation, told map[string]bool) error {
	n := news{kind: kindNew, plate: plate, number: r.PaymentNumber, amount: r.Amount}
	if told[kindNew+" "+n.number] {
		n.kind = kindEnds
	}
	if told[n.kind+" "+n.number] || n.kind == kindEnds && !endsSoon(r.Delivered, s.Now()) {
		return nil
	}
	answer, err := s.Cashier.Check(ctx, callAbout(row, ""), n.number, priceOnly, s.Now())
	if err != nil || answer.Code != registry.CodeOK { // paid or closed meanwhile
		return err
	}
	n.due, n.until = answer.Cost, discountEnds(r.Delivered, n.amount, answer.Cost, s.Now())
	if n.kind == kindEnds && n.until.IsZero() {
		return nil
	}
	return s.write(ctx, row, n)
}

// endsSoon says that a discount ends within the days before which it is reminded of.
func endsSoon(delivered, now time.Time) bool {
	return !delivered.IsZero() && !now.Before(lawEnds(delivered, now).AddDate(0, 0, -policy.Value("reminder.days", now)))
}

// write makes a code by which the fine is paid and tells it, once.
func (s *Service) write(ctx context.Context, row db.FineCar, n news) error {
	phone, err := s.Sealer.Open(row.PhoneSealed, phoneSeal(row.ID))
	if err != nil {
		return fmt.Errorf("open the phone of a car: %w", err)
	}
	loc, err := s.Identity.Locale(ctx, string(phone))
	if err != nil {
		return err
	}
	if loc == "" {
		loc = locales.Locale(row.Locale)
	}
	p, err := s.codeFor(ctx, string(phone), loc, row.ID, n)
	if code := problem.From(err).Code; err != nil && (code == problem.Conflict || code == problem.NotFound) {
		return nil // somebody pays it just now, or it is gone
	}
	if err != nil {
		return fmt.Errorf("make the code of a fine: %w", err)
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error { return s.tellOnce(ctx, tx, row, p, loc, string(phone), n) })
}

// codeFor makes the payment code of a fine for a phone. Whoever makes it again gets the same
// one. The code goes into our message, so the phone is sent no other with it.
func (s *Service) codeFor(ctx context.Context, phone string, loc locales.Locale, car string, n news) (payment.Payment, error) {
	c := caller.Caller{Phone: phone, Locale: loc, Channel: caller.SMS, Now: s.Now(), Key: "fine." + n.kind + ":" + car + ":" + n.number}
	if err := s.noteBills(ctx, c, []Bill{{Number: n.number}}); err != nil {
		return payment.Payment{}, err
	}
	p, err := s.Payments.Open(ctx, c, Name, []string{n.number})
	if err != nil {
		return payment.Payment{}, err
	}
	return s.Payments.Confirm(ctx, c, p.ID)
}

// tellOnce sends the message, unless it was sent, or the phone is the person's no more: then
// the code that was made for it is nobody's. A cut waits for the row, and drops what is queued.
func (s *Service) tellOnce(ctx context.Context, tx *store.Tx, row db.FineCar, p payment.Payment, loc locales.Locale, phone string, n news) error {
	q, now := db.New(tx), s.Now()
	held, err := q.HoldCar(ctx, row.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && held.PhoneIndex != row.PhoneIndex {
		return s.Payments.Disown(ctx, tx, phone, []string{p.ID}, now)
	}
	if err != nil {
		return fmt.Errorf("hold a car: %w", err)
	}
	fresh, err := q.Tell(ctx, db.TellParams{CarID: row.ID, Number: n.number, Kind: n.kind, PaymentID: p.ID, ToldAt: dbtime.From(now)})
	if err != nil || fresh == 0 {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{At: now, Actor: "system", Action: "fine.tell", Object: row.ID, Subject: row.CitizenID, Purpose: Name},
		Messages: []notify.Message{{
			To: phone, Locale: loc, Purpose: notify.Notice, About: row.CitizenID, ExpiresAt: p.ExpiresAt,
			Dedup: "fine." + n.kind + ":" + row.ID + ":" + n.number, Text: s.say(loc, n, p),
		}},
	})
}

// say is the text of a message.
func (s *Service) say(loc locales.Locale, n news, p payment.Payment) string {
	key := "fine.sms_new"
	switch {
	case n.kind == kindEnds:
		key = "fine.sms_ends"
	case n.until.IsZero():
		key = "fine.sms_new_full"
	}
	return gsm.Pick(s.Texts.Message(loc, key,
		"plate", n.plate, "amount", p.Amount.String(), "date", clock.Day(n.until), "total", n.amount.String(), "code", p.Code))
}

// sold unlinks a car that is the citizen's no more by the register, and tells the phone that
// nothing more comes.
func (s *Service) sold(ctx context.Context, row db.FineCar, plate string) error {
	phone, err := s.Sealer.Open(row.PhoneSealed, phoneSeal(row.ID))
	if err != nil {
		return fmt.Errorf("open the phone of a car: %w", err)
	}
	loc := locales.Locale(row.Locale)
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		held, err := db.New(tx).HoldCar(ctx, row.ID)
		if errors.Is(err, sql.ErrNoRows) || err == nil && held.PhoneIndex != row.PhoneIndex {
			return nil
		}
		if err != nil {
			return fmt.Errorf("hold a car: %w", err)
		}
		return s.end(ctx, tx, held, trail.Step{
			Audit: audit.Entry{At: s.Now(), Actor: "system", Purpose: "the register says that the car is another's"},
			Messages: []notify.Message{{
				To: string(phone), Locale: loc, Purpose: notify.Notice, About: row.CitizenID, ExpiresAt: s.Now().Add(payment.CodeLife),
				Dedup: "fine.sold:" + row.ID + ":" + row.LinkedAt.String(), Text: gsm.Pick(s.Texts.Message(loc, "fine.sms_sold", "plate", plate)),
			}},
		})
	})
}
