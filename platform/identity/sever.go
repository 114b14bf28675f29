package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Tie is what another part keeps for a phone; its methods take part in a
// transaction of identity's.
type Tie interface {
	// CutPhone cuts whatever ties the phone (E.164) to its holder so far: the
	// number has another one.
	CutPhone(ctx context.Context, tx *store.Tx, phone string, now time.Time) error
}

// PersonTie is a Tie that tells a phone of a person.
type PersonTie interface {
	// CutPerson ends what ties a phone (E.164) to a citizen, for whatever cause: from now
	// on it is told nothing of them. heir is the phone that is told in its place; empty:
	// none, until one is proved.
	CutPerson(ctx context.Context, tx *store.Tx, citizen, phone, heir string, now time.Time) error
}

// Tie has whatever cuts a phone off reach what other parts keep. Call it before anything
// is served.
func (s *Service) Tie(ties ...Tie) { s.ties = append(s.ties, ties...) }

// sever is where every cut between a phone and a person goes through: an undo, an
// operator's word for another phone, the release of the number. The parts go in the
// reverse of their order, so that what they send to the phone until then is dropped. Where
// the phone is signed in ends.
func (s *Service) sever(ctx context.Context, tx *store.Tx, citizen, phone, heir string, now time.Time) error {
	if err := s.disenrol(ctx, db.New(tx), citizen, s.phoneIndex(phone), now); err != nil {
		return err
	}
	if err := s.cutSignIns(ctx, tx, s.phoneIndex(phone), now); err != nil {
		return err
	}
	for i := len(s.ties) - 1; i >= 0; i-- {
		if tie, tells := s.ties[i].(PersonTie); tells {
			if err := tie.CutPerson(ctx, tx, citizen, phone, heir, now); err != nil {
				return fmt.Errorf("cut a phone from a person: %w", err)
			}
		}
	}
	return nil
}

// cutSignIns ends where a phone is signed in over REST.
func (s *Service) cutSignIns(ctx context.Context, tx *store.Tx, index string, now time.Time) error {
	if err := db.New(tx).CutSignIns(ctx, db.CutSignInsParams{EndedAt: dbtime.From(now), PhoneIndex: index}); err != nil {
		return fmt.Errorf("end a phone's sign-ins: %w", err)
	}
	return nil
}

// severAll severs the phones of a person but one, its heir, and those that an operator cleared.
func (s *Service) severAll(ctx context.Context, tx *store.Tx, all []db.IdentityBinding, heir string, now time.Time) error {
	for _, b := range all {
		if !b.ClearedAt.IsZero() || b.PhoneSealed == nil || b.PhoneIndex == s.phoneIndex(heir) {
			continue
		}
		phone, err := s.phoneOf(b)
		if err != nil {
			return err
		}
		if err := s.sever(ctx, tx, b.CitizenID, phone, heir, now); err != nil {
			return err
		}
	}
	return nil
}

// heir is the phone (E.164) that is told of a person in place of those that are cut off:
// the last that an operator cleared, else the given one; empty: none.
func (s *Service) heir(all []db.IdentityBinding, otherwise string) (string, error) {
	for i := len(all) - 1; i >= 0; i-- {
		if b := all[i]; !b.ClearedAt.IsZero() && b.PhoneSealed != nil {
			return s.phoneOf(b)
		}
	}
	return otherwise, nil
}

func (s *Service) phoneOf(b db.IdentityBinding) (string, error) {
	phone, err := s.Sealer.Open(b.PhoneSealed, bindingContext)
	if err != nil {
		return "", fmt.Errorf("open a person's phone: %w", err)
	}
	return string(phone), nil
}

// severReleased cuts a phone, whose number has another holder, from all persons it was
// proved for: another phone that was proved for them and not undone is told from now on.
func (s *Service) severReleased(ctx context.Context, tx *store.Tx, phone string, now time.Time) error {
	q, index := db.New(tx), s.phoneIndex(phone)
	bound, err := q.BindingsOfPhone(ctx, index)
	if err != nil {
		return err
	}
	for _, b := range bound {
		if err := q.LockCitizen(ctx, b.CitizenID); err != nil {
			return err
		}
		all, err := q.Bindings(ctx, b.CitizenID)
		if err != nil {
			return err
		}
		var others []db.IdentityBinding
		last := ""
		for _, o := range all {
			if o.PhoneIndex == index || o.PhoneSealed == nil {
				continue
			}
			others = append(others, o)
			if o.BlockedUntilAt.IsZero() {
				if last, err = s.phoneOf(o); err != nil {
					return err
				}
			}
		}
		heir, err := s.heir(others, last)
		if err != nil {
			return err
		}
		if err := s.sever(ctx, tx, b.CitizenID, phone, heir, now); err != nil {
			return err
		}
	}
	return nil
}

// HoldPhone has a phone (E.164) stay its holder's until tx ends: a release waits for it. One
// that came since the request began is refused: what was asked is not done for the next holder.
func (s *Service) HoldPhone(ctx context.Context, tx *store.Tx, phone string, since time.Time) error {
	q, index := db.New(tx), s.phoneIndex(phone)
	if err := s.lockPhone(ctx, q, index, s.Now()); err != nil {
		return err
	}
	n, err := q.ReleasedSince(ctx, db.ReleasedSinceParams{PhoneIndex: index, ReleasedAt: dbtime.From(since)})
	if err != nil {
		return fmt.Errorf("hold a phone: %w", err)
	}
	if n > 0 {
		return errToken
	}
	return nil
}

// UndoNumber makes, in tx, the four digits by which a phone (E.164) that was proved for
// c.Subject undoes the caller's. tell is whether the phone may be told of the caller's
// at all: one that no operator cleared hears nothing of a person who has a cleared one.
// A phone that was never proved for the person is told without a number.
func (s *Service) UndoNumber(ctx context.Context, tx *store.Tx, c caller.Caller, phone string) (number string, tell bool, err error) {
	all, err := db.New(tx).Bindings(ctx, c.Subject)
	if err != nil {
		return "", false, fmt.Errorf("list a person's phones: %w", err)
	}
	var told, own *db.IdentityBinding
	cleared := false
	for i, b := range all {
		cleared = cleared || !b.ClearedAt.IsZero()
		switch b.PhoneIndex {
		case s.phoneIndex(phone):
			told = &all[i]
		case s.phoneIndex(c.Phone):
			own = &all[i]
		}
	}
	switch {
	case cleared && (told == nil || told.ClearedAt.IsZero()):
		return "", false, nil
	case told == nil || own == nil:
		return "", true, nil
	}
	number, _, err = s.addNotice(ctx, tx, c, *told, *own)
	return number, true, err
}
