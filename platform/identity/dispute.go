package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// ErrNoDispute is Unblock's answer for a phone that takes part in none about the person.
var ErrNoDispute = problem.New(problem.NotFound, "problem.identity_no_dispute")

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

// ErrNoPersonalNumber is Unblock's answer to what is none.
var ErrNoPersonalNumber = errPINFormat

// Unblock takes an operator's word that a phone (E.164) in dispute is the person's whose
// document, with the personal number pin, the operator saw: for that person alone, whoever
// else the phone is disputed about. It may be proved again at once, it is told of the person in
// place of all others, and from now on no phone that no operator cleared undoes it, nor hears of
// it, until its number is released. The person's other phones are told. act is the operator's.
// Errors: ErrNoPersonalNumber, ErrNoDispute.
func (s *Service) Unblock(ctx context.Context, act staff.Act, phone, pin string) error {
	number, ok := parsePIN(pin)
	if !ok {
		return ErrNoPersonalNumber
	}
	now, index := s.Now(), s.phoneIndex(phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if err := s.lockPhone(ctx, q, index, now); err != nil {
			return err
		}
		all, err := q.BindingsByPIN(ctx, s.Sealer.Index(pinPurpose, number))
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(b db.IdentityBinding) bool { return b.PhoneIndex == index && isBlocked(b, now) })
		if at < 0 {
			return ErrNoDispute
		}
		if err := s.unblock(ctx, tx, all[at], phone, act.Actor, now); err != nil {
			return err
		}
		return s.tellCleared(ctx, tx, all, index, phone, now)
	})
	if err != nil {
		return fmt.Errorf("clear a phone: %w", err)
	}
	return nil
}

// DisputeFacts says what clearing a phone (E.164) for the person with the personal number pin
// rests on: that it is in this dispute. Errors: ErrNoPersonalNumber, ErrNoDispute.
func (s *Service) DisputeFacts(ctx context.Context, phone, pin string) (string, error) {
	number, ok := parsePIN(pin)
	if !ok {
		return "", ErrNoPersonalNumber
	}
	all, err := db.New(s.DB.Reader()).BindingsByPIN(ctx, s.Sealer.Index(pinPurpose, number))
	if err != nil {
		return "", fmt.Errorf("look for a dispute: %w", err)
	}
	for _, b := range all {
		if b.PhoneIndex == s.phoneIndex(phone) && isBlocked(b, s.Now()) {
			return fmt.Sprintf("person %s, blocked until %s", b.CitizenID, clock.Second(b.BlockedUntilAt.Time)), nil
		}
	}
	return "", ErrNoDispute
}

// tellCleared tells a phone that an operator cleared that it may be proved again, and the
// person's other phones of it: should the operator have been deceived, one of them says so.
func (s *Service) tellCleared(ctx context.Context, tx *store.Tx, all []db.IdentityBinding, index, phone string, now time.Time) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	var messages []notify.Message
	for _, b := range all {
		m := notify.Message{
			To: phone, Locale: spoken(b), Purpose: notify.Receipt, ExpiresAt: now.Add(UndoLasts), Dedup: "identity.cleared:" + id + ":" + b.PhoneIndex,
			Text: gsm.Pick(s.Texts.Message(spoken(b), "identity.cleared_sms")),
		}
		if b.PhoneIndex != index {
			if b.PhoneSealed == nil {
				continue
			}
			if m.To, err = s.phoneOf(b); err != nil {
				return err
			}
			m.Text = gsm.Pick(s.Texts.Message(spoken(b), "identity.cleared_other_sms", "tail", caller.Tail(phone)))
		}
		messages = append(messages, m)
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: messages})
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
	was := bindingOf(cleared)
	cleared.ClearedAt, cleared.BlockedUntilAt = dbtime.From(now), dbtime.Time{} // as Clear wrote them
	if err := q.ForgetNoticesOf(ctx, db.ForgetNoticesOfParams{CitizenID: cleared.CitizenID, PhoneIndex: cleared.PhoneIndex}); err != nil {
		return err
	}
	all, err := q.Bindings(ctx, cleared.CitizenID)
	if err != nil {
		return err
	}
	if err := s.severAll(ctx, tx, all, phone, phone, now); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: now, Actor: actor, Action: "identity.unblock", Object: cleared.PhoneIndex, Subject: cleared.CitizenID,
		Purpose: "an operator saw whose phone it is", Decided: []*audit.Group{bindingOf(cleared)}, Was: []*audit.Group{was},
	}})
}
