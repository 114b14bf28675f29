package identity

import (
	"context"
	"fmt"
	"slices"
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
	// none, until one is proved strongly.
	CutPerson(ctx context.Context, tx *store.Tx, citizen, phone, heir string, now time.Time) error
}

// ProofTie is a Tie that keeps something until a person is proved strongly.
type ProofTie interface {
	// ProvedStrongly has what waited for the person c.Subject, who is proved on c.Phone by
	// more than the numbers on a card, told there.
	ProvedStrongly(ctx context.Context, tx *store.Tx, c caller.Caller) error
}

// ForgetTie is a Tie that sent a phone what opens something by itself.
type ForgetTie interface {
	// Forgets ends that: whoever holds the phone (E.164) has it forget whom it was proved for.
	Forgets(ctx context.Context, tx *store.Tx, phone string, now time.Time) error
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

// provedStrongly is where every strong proof goes through, in the transaction that makes it: the parts
// that keep something for the person hear of the caller's phone.
func (s *Service) provedStrongly(ctx context.Context, tx *store.Tx, c caller.Caller, citizen string) error {
	c.Subject, c.Level = citizen, caller.LevelStrong
	for _, t := range s.ties {
		if tie, waits := t.(ProofTie); waits {
			if err := tie.ProvedStrongly(ctx, tx, c); err != nil {
				return fmt.Errorf("tell what waited for a person: %w", err)
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

// severAll severs the phones of a person but the one that keeps what it is told, and those
// that an operator cleared; heir is told in their place.
func (s *Service) severAll(ctx context.Context, tx *store.Tx, all []db.IdentityBinding, keeps, heir string, now time.Time) error {
	for _, b := range all {
		if !b.ClearedAt.IsZero() || b.PhoneSealed == nil || b.PhoneIndex == s.phoneIndex(keeps) {
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

// strongHears is for how long after its end a strong proof lets its phone be told in place of
// another. A number may be in other hands later.
const strongHears = rememberOver

// heir is the phone (E.164) that is told of a person in place of those that are cut off: of
// those given the last that an operator cleared, else the last that may and was proved for the
// person strongly; empty: none. The numbers on a card make nobody hear what others were told.
func (s *Service) heir(ctx context.Context, q *db.Queries, all []db.IdentityBinding, may func(db.IdentityBinding) bool, now time.Time) (string, error) {
	for _, b := range slices.Backward(all) {
		if !b.ClearedAt.IsZero() && b.PhoneSealed != nil {
			return s.phoneOf(b)
		}
	}
	for _, b := range slices.Backward(all) {
		if b.PhoneSealed == nil || !may(b) {
			continue
		}
		if strong, err := provedStrong(ctx, q, b, now); err != nil {
			return "", err
		} else if strong {
			return s.phoneOf(b)
		}
	}
	return "", nil
}

// provedStrong reports a phone that was proved for its person by more than the numbers on a card
// since it is bound, where that proof lasts or ended less than strongHears ago.
func provedStrong(ctx context.Context, q *db.Queries, b db.IdentityBinding, now time.Time) (bool, error) {
	n, err := q.StrongProofs(ctx, db.StrongProofsParams{
		CitizenID: b.CitizenID, PhoneIndex: b.PhoneIndex, Level: int64(caller.LevelStrong),
		BoundAt: b.BoundAt, EndedAt: dbtime.From(now.Add(-strongHears)),
	})
	if err != nil {
		return false, fmt.Errorf("look how surely a phone was proved: %w", err)
	}
	return n > 0, nil
}

func (s *Service) phoneOf(b db.IdentityBinding) (string, error) {
	phone, err := s.Sealer.Open(b.PhoneSealed, bindingContext)
	if err != nil {
		return "", fmt.Errorf("open a person's phone: %w", err)
	}
	return string(phone), nil
}

// severReleased cuts a phone, whose number has another holder, from all persons it was
// proved for: another phone that was proved for them strongly and not undone is told from now on.
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
		others := slices.DeleteFunc(all, func(o db.IdentityBinding) bool { return o.PhoneIndex == index })
		heir, err := s.heir(ctx, q, others, func(o db.IdentityBinding) bool { return o.BlockedUntilAt.IsZero() }, now)
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
