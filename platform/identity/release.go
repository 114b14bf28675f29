package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Resumed notes that an earlier conversation goes on in the caller's session. Whoever holds the
// phone now need not be who held it then: a proof is good in this session for as long as any that
// was made in another (assurance.Silence), and a national sign-in under way is begun anew. Codes
// stay as they are, sent or used. A code shows in whose hand the SIM is, which has not changed, and
// on most phones a call drops because its holder reads the message with the code: that must not
// cost the code.
func (s *Service) Resumed(ctx context.Context, c caller.Caller) error {
	index := s.phoneIndex(c.Phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lockPhone(ctx, q, index, c.Now); err != nil {
			return err
		}
		if err := q.CutNational(ctx, db.CutNationalParams{PhoneIndex: index, Wiped: []byte{}}); err != nil {
			return err
		}
		return q.NoteSession(ctx, db.NoteSessionParams{Talk: c.Session, PhoneIndex: index})
	})
	if err != nil {
		return fmt.Errorf("note that a conversation goes on: %w", err)
	}
	return nil
}

// lapseProofs forgets, in the caller's transaction, whom the phone was proved for.
func (s *Service) lapseProofs(ctx context.Context, q *db.Queries, index string, now time.Time) error {
	if err := s.lockPhone(ctx, q, index, now); err != nil {
		return err
	}
	return s.endProofs(ctx, q, index, now)
}

// lapse forgets all that the phone proved, its codes as well.
func (s *Service) lapse(ctx context.Context, q *db.Queries, index string, now time.Time) error {
	if err := s.lapseProofs(ctx, q, index, now); err != nil {
		return err
	}
	return q.LapseCodes(ctx, db.LapseCodesParams{VoidAt: dbtime.From(now), PhoneIndex: index})
}

// Release takes the operator's word that a number has another holder. Nothing of
// the earlier one's is inherited: language, proofs, codes, tokens, a conversation that broke
// off, guesses, and what the ties keep for the phone. The count of codes sent stays with
// the number: it bounds what the network is paid, and no release may lift that.
// Guesses about a person stay counted for that person. It is all or nothing. phone is in
// E.164.
func (s *Service) Release(ctx context.Context, act staff.Act, phone string) error {
	now, index := s.Now(), s.phoneIndex(phone)
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		if err := s.lockPhone(ctx, db.New(tx), index, now); err != nil {
			return err
		}
		if err := s.severReleased(ctx, tx, phone, now); err != nil {
			return err
		}
		if err := s.release(ctx, tx, index, now); err != nil {
			return err
		}
		for _, tie := range s.ties {
			if err := tie.CutPhone(ctx, tx, phone, now); err != nil {
				return err
			}
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: now, Actor: act.Actor, Action: "identity.release", Object: index, Subject: index, Purpose: "number released",
		}})
	})
	if err != nil {
		return fmt.Errorf("release a number: %w", err)
	}
	return nil
}

// ReleaseFacts says what releasing a number (E.164) rests on: what it is tied to.
func (s *Service) ReleaseFacts(ctx context.Context, phone string) (string, error) {
	q, index := db.New(s.DB.Reader()), s.phoneIndex(phone)
	bound, err := q.BindingsOfPhone(ctx, index)
	if err != nil {
		return "", fmt.Errorf("look whose a number is: %w", err)
	}
	generation, err := q.Generation(ctx, index)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // a number that was never here has none
		return "", fmt.Errorf("look how often a number was cut off: %w", err)
	}
	facts := fmt.Sprintf("cut off %d times; persons:", generation)
	for _, b := range bound {
		facts += " " + b.CitizenID
	}
	return facts, nil
}

// release cuts what identity itself keeps for a phone.
func (s *Service) release(ctx context.Context, tx *store.Tx, index string, now time.Time) error {
	q := db.New(tx)
	if err := s.lapse(ctx, q, index, now); err != nil {
		return err
	}
	if err := q.Release(ctx, db.ReleaseParams{ChangedAt: dbtime.From(now), PhoneIndex: index}); err != nil {
		return err
	}
	if err := s.cutSignIns(ctx, tx, index, now); err != nil {
		return err
	}
	if err := q.WipeAttemptsOf(ctx, db.WipeAttemptsOfParams{PinSealed: []byte{}, PhoneIndex: index}); err != nil {
		return err
	}
	// Also of persons whom the phone was never proved for: the code was given to the earlier holder.
	if err := q.VoidEnrolmentsOfPhone(ctx, db.VoidEnrolmentsOfPhoneParams{VoidAt: dbtime.From(now), PhoneIndex: index}); err != nil {
		return err
	}
	if err := q.DropSecretsOfPhone(ctx, index); err != nil {
		return err
	}
	if err := q.Unbind(ctx, index); err != nil {
		return err
	}
	return q.ForgetNotices(ctx, index)
}

// Kept reports that a phone (E.164) that was a citizen's at a moment is so still, as far
// as we know: its number has had the same holder since, and nobody undid it.
func (s *Service) Kept(ctx context.Context, phone, citizen string, since time.Time) (bool, error) {
	q := db.New(s.DB.Reader())
	n, err := q.ReleasedSince(ctx, db.ReleasedSinceParams{
		PhoneIndex: s.phoneIndex(phone), ReleasedAt: dbtime.From(since),
	})
	if err != nil {
		return false, fmt.Errorf("look whether a number was released: %w", err)
	}
	if n > 0 {
		return false, nil
	}
	b, err := q.Binding(ctx, db.BindingParams{CitizenID: citizen, PhoneIndex: s.phoneIndex(phone)})
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("look whether a phone was undone: %w", err)
	}
	undone := b.BlockedUntilAt.Add(-DisputeLasts)
	return b.BlockedUntilAt.IsZero() || undone.Before(since), nil
}
