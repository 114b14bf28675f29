package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// What the record of an erasure says of the person's number.
const (
	saidErased     = "erased"
	saidNumberKept = "erased, the number kept"
)

// DisputedUntil is when the dispute about a person's phones ends; not after now where
// there is none. Until then it is not known which of them is the person's.
func (s *Service) DisputedUntil(ctx context.Context, tx *store.Tx, citizen string, now time.Time) (time.Time, error) {
	all, err := db.New(tx).Bindings(ctx, citizen)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for a dispute: %w", err)
	}
	var until time.Time
	for _, b := range all {
		if isBlocked(b, now) && b.BlockedUntilAt.After(until) {
			until = b.BlockedUntilAt.Time
		}
	}
	return until, nil
}

// Reachable is a phone that was proved for a person.
type Reachable struct {
	Phone  string // E.164
	Locale locales.Locale
}

// PhonesToWarn are the phones that were proved for a person, however, and are not in dispute, the
// earliest first. They hear that something is done in the person's name, so that the person learns of it
// wherever they are, and never what is known of the person: see PhonesToTell.
func (s *Service) PhonesToWarn(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]Reachable, error) {
	return s.phones(ctx, db.New(tx), citizen, func(b db.IdentityBinding) (bool, error) { return !isBlocked(b, now), nil })
}

// PhonesToTell are the phones that are told what is known of a person, the earliest first: those that
// an operator cleared and those that were proved strongly as the person (provedStrong), but none that an
// undo cut off and that was not proved since. Each stays the person's until tx ends: a cut waits for it,
// and drops what was queued for the phone meanwhile. Call it before rows of the person's are locked.
func (s *Service) PhonesToTell(ctx context.Context, tx *store.Tx, citizen string, now time.Time) ([]Reachable, error) {
	q := db.New(tx)
	if err := q.LockCitizen(ctx, citizen); err != nil {
		return nil, fmt.Errorf("hold a person's phones: %w", err)
	}
	return s.phones(ctx, q, citizen, func(b db.IdentityBinding) (bool, error) {
		if !b.ClearedAt.IsZero() {
			return true, nil
		}
		if !b.BlockedUntilAt.IsZero() {
			return false, nil
		}
		return provedStrong(ctx, q, b, now)
	})
}

// phones are those of a person that may hear.
func (s *Service) phones(ctx context.Context, q *db.Queries, citizen string, may func(db.IdentityBinding) (bool, error)) ([]Reachable, error) {
	all, err := q.Bindings(ctx, citizen)
	if err != nil {
		return nil, fmt.Errorf("list a person's phones: %w", err)
	}
	var list []Reachable
	for _, b := range all {
		if b.PhoneSealed == nil {
			continue
		}
		if hears, err := may(b); err != nil {
			return nil, err
		} else if !hears {
			continue
		}
		phone, err := s.phoneOf(b)
		if err != nil {
			return nil, err
		}
		list = append(list, Reachable{Phone: phone, Locale: spoken(b)})
	}
	return list, nil
}

// Personal is what identity keeps of a person.
func (s *Service) Personal() personal.Holder { return holder{s} }

type holder struct{ s *Service }

// Export implements personal.Holder. The number and the phones are masked: whoever holds
// a shared phone reads this, and the person knows both.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Record, error) {
	q := db.New(tx)
	row, err := q.Citizen(ctx, p.ID)
	if err != nil {
		return nil, fmt.Errorf("find a citizen: %w", err)
	}
	number, err := numberOf(h.s.Sealer, row)
	if err != nil {
		return nil, err
	}
	list := []personal.Record{{Kind: "person", Fields: []personal.Field{
		personal.Text("personal_number", masked(number)), personal.Moment("known_since", row.CreatedAt.Time),
	}}}
	all, err := q.Bindings(ctx, p.ID)
	if err != nil {
		return nil, fmt.Errorf("list a person's phones: %w", err)
	}
	for _, b := range all {
		phone := ""
		if b.PhoneSealed != nil {
			if phone, err = h.s.phoneOf(b); err != nil {
				return nil, err
			}
		}
		list = append(list, personal.Record{Kind: "phone", Fields: []personal.Field{
			personal.Text("phone", hidden(phone)), personal.Moment("known_since", b.BoundAt.Time), personal.Text("language", b.Locale),
		}})
	}
	signIns, err := h.signIns(ctx, q, p)
	return append(list, signIns...), err
}

// signIns are where the phone that asks is signed in.
func (h holder) signIns(ctx context.Context, q *db.Queries, p personal.Person) (list []personal.Record, err error) {
	rows, err := q.SignIns(ctx, db.SignInsParams{PhoneIndex: h.s.phoneIndex(p.Phone), ExpiresAt: dbtime.From(p.Now)})
	if err != nil {
		return nil, fmt.Errorf("list a phone's sign-ins: %w", err)
	}
	for _, row := range rows {
		device, err := h.s.Sealer.Open(row.LabelSealed, deviceContext)
		if err != nil {
			return nil, fmt.Errorf("open a device's name: %w", err)
		}
		list = append(list, personal.Record{Kind: "sign_in", Fields: []personal.Field{
			personal.Text("device", string(device)), personal.Moment("begun", row.BegunAt.Time), personal.Moment("used", row.UsedAt.Time),
		}})
	}
	return list, nil
}

// masked shows the last four digits of a personal number.
func masked(pin string) string {
	const tail = 4
	if len(pin) <= tail {
		return ""
	}
	return strings.Repeat("*", len(pin)-tail) + pin[len(pin)-tail:]
}

// Keeps implements personal.Holder: what is kept of a number, others keep it for.
func (h holder) Keeps(context.Context, *store.Tx, personal.Person) ([]personal.Kept, error) {
	return nil, nil
}

// Erase implements personal.Holder: proofs, phones, notices and, where nobody keeps what it
// is needed for, the number. The pseudonym, which the audit log goes on naming, is then
// nobody's.
func (h holder) Erase(ctx context.Context, tx *store.Tx, p personal.Person) error {
	q := db.New(tx)
	if err := q.LockCitizen(ctx, p.ID); err != nil {
		return fmt.Errorf("lock a citizen: %w", err)
	}
	row, err := q.Citizen(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("find a citizen: %w", err)
	}
	for _, erase := range []func(context.Context, string) error{q.EraseProofs, q.EraseEnrolments, q.EraseSecrets, q.EraseNational, q.EraseBindings, q.EraseNotices} {
		if err := erase(ctx, p.ID); err != nil {
			return fmt.Errorf("erase a person: %w", err)
		}
	}
	if err := q.EraseAttempts(ctx, db.EraseAttemptsParams{PinSealed: []byte{}, PinIndex: row.PinIndex}); err != nil {
		return fmt.Errorf("erase a person's attempts: %w", err)
	}
	said := saidNumberKept
	if !p.KeepNumber {
		said = saidErased
		if err := q.EraseCitizen(ctx, p.ID); err != nil {
			return fmt.Errorf("erase a person's number: %w", err)
		}
	}
	return h.s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: p.Now, Actor: "system", Action: "identity.erase", Object: p.ID, Subject: p.ID, Purpose: said,
	}})
}

// erased takes the record of an erasure: the person has no phone from then on, and
// perhaps no number.
func (c *Check) erased(e audit.Recorded) {
	for _, citizens := range c.bound {
		delete(citizens, e.Subject)
	}
	for _, citizens := range c.secrets {
		delete(citizens, e.Subject)
	}
	if e.Purpose == saidErased {
		delete(c.people, e.Subject)
	}
}
