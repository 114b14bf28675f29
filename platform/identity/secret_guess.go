package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// ProveBySecret proves, strongly and for ProofLasts, the person whose secret it is on the
// caller's phone, whoever else has one there. Problems: errSecretFormat, errSecretWrong,
// errSecretLocked, errSecretNone; errBlocked for a person whose phones accuse each other.
func (s *Service) ProveBySecret(ctx context.Context, c caller.Caller, typed string) (Citizen, error) {
	if err := ownPhone(c); err != nil {
		return Citizen{}, err
	}
	citizen := Citizen{Level: caller.LevelStrong}
	row, err := s.guessSecret(ctx, c, "", typed, func(tx *store.Tx, row db.IdentitySecret) (err error) {
		citizen.Called, err = s.proveBySecret(ctx, tx, c, row)
		return err
	})
	if err != nil {
		return Citizen{}, err
	}
	citizen.ID = row.CitizenID
	return citizen, nil
}

// proveBySecret proves the person whose secret was typed, and gives what they are called.
// Their other phones hear nothing: the phone was theirs before.
func (s *Service) proveBySecret(ctx context.Context, tx *store.Tx, c caller.Caller, row db.IdentitySecret) (string, error) {
	q := db.New(tx)
	name, err := s.Sealer.Open(row.CalledSealed, secretName)
	if err != nil {
		return "", fmt.Errorf("open the name of a secret: %w", err)
	}
	person, err := s.genuine(ctx, q, row.CitizenID)
	if err != nil {
		return "", err
	}
	bound, until, err := binding(ctx, q, person.PinIndex, row.PhoneIndex, c.Now)
	switch {
	case err != nil:
		return "", err
	case !until.IsZero():
		return "", errBlocked.Until(c.Now, until.Sub(c.Now))
	case bound == nil:
		return "", errSecretNone
	}
	proof, err := s.noteProof(ctx, tx, c, person, *bound, bindingOf(*bound), proofAs{string(name), caller.LevelStrong, ProofLasts})
	if err != nil {
		return "", err
	}
	if err := s.Trail.Leave(ctx, tx, s.checked(c, "secret", "done", proof, person.ID)); err != nil {
		return "", err
	}
	return string(name), s.provedStrongly(ctx, tx, c, person.ID)
}

// nothing follows from a right guess.
func nothing(*store.Tx, db.IdentitySecret) error { return nil }

// guessSecret compares what was typed with the secret of a citizen on the caller's phone, or
// of all who have one there (""), and gives the row of the one that fits; then follows from a
// right guess, in the transaction that forgives the wrong ones before. The guess is counted
// and committed before it is compared, so that guesses made at once, or cut off by a crash,
// are no more than SecretTries. Those of one phone wait for each other.
func (s *Service) guessSecret(
	ctx context.Context, c caller.Caller, citizen, typed string, then func(*store.Tx, db.IdentitySecret) error,
) (db.IdentitySecret, error) {
	secret, ok := parseSecret(typed)
	if !ok {
		return db.IdentitySecret{}, errSecretFormat
	}
	held, err := s.proving.Lock(ctx, s.phoneIndex(c.Phone))
	if err != nil {
		return db.IdentitySecret{}, fmt.Errorf("wait for an earlier proof: %w", err)
	}
	defer held.Unlock()
	counted, err := s.countGuess(ctx, c, citizen, "")
	if err != nil {
		return db.IdentitySecret{}, err
	}
	right, err := s.fits(ctx, counted, secret)
	if err != nil {
		return db.IdentitySecret{}, err
	}
	if right == nil {
		return db.IdentitySecret{}, s.missed(ctx, c, counted)
	}
	return *right, s.forgive(ctx, c, counted, *right, then)
}

// fits finds which of the secrets was typed. All are tried, so that the time tells nothing.
func (s *Service) fits(ctx context.Context, rows []db.IdentitySecret, secret string) (right *db.IdentitySecret, err error) {
	for i, row := range rows {
		ok, err := s.slow.Fits(ctx, s.peppered(row, secret), row.Hash)
		if err != nil {
			return nil, err
		}
		if ok {
			right = &rows[i]
		}
	}
	return right, nil
}

// countGuess counts a guess at the secrets on the caller's phone, of a citizen or of all (""),
// but of one, and gives those that bear it. None: errSecretNone, or errSecretLocked.
func (s *Service) countGuess(ctx context.Context, c caller.Caller, citizen, but string) (counted []db.IdentitySecret, err error) {
	index, now := s.phoneIndex(c.Phone), dbtime.From(c.Now)
	var refused error
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lockPhone(ctx, q, index, c.Now); err != nil {
			return err
		}
		counted, err = q.TrySecrets(ctx, db.TrySecretsParams{
			Now: now, Most: SecretTries, UntilAt: dbtime.From(c.Now.Add(SecretLocks)), PhoneIndex: index, CitizenID: citizen, But: but,
		})
		if refused = nil; err != nil || len(counted) > 0 {
			return err
		}
		until, err := q.SecretsLockedUntil(ctx, db.SecretsLockedUntilParams{PhoneIndex: index, CitizenID: citizen, But: but})
		if refused = errSecretNone; err == nil {
			refused = errSecretLocked.Until(c.Now, until.Sub(c.Now))
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count a guess at a secret: %w", err)
	}
	return counted, refused
}

// forgive ends a right guess: it was none at the others' secrets.
func (s *Service) forgive(
	ctx context.Context, c caller.Caller, counted []db.IdentitySecret, right db.IdentitySecret, then func(*store.Tx, db.IdentitySecret) error,
) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := s.lockPhone(ctx, q, right.PhoneIndex, c.Now); err != nil {
			return err
		}
		if err := q.LockCitizen(ctx, right.CitizenID); err != nil { // an undo under way comes first
			return err
		}
		n, err := q.ForgiveSecret(ctx, db.ForgiveSecretParams{CitizenID: right.CitizenID, PhoneIndex: right.PhoneIndex, Hash: right.Hash})
		if err != nil {
			return err
		}
		if n == 0 { // it was cut, or changed, meanwhile
			return errSecretNone
		}
		for _, row := range counted {
			if row.CitizenID == right.CitizenID {
				continue
			}
			if err := q.UncountSecret(ctx, db.UncountSecretParams{CitizenID: row.CitizenID, PhoneIndex: row.PhoneIndex}); err != nil {
				return err
			}
		}
		return then(tx, right)
	})
	if err != nil {
		return fmt.Errorf("take a secret: %w", err)
	}
	return nil
}

// missed ends a wrong guess: it says how many are left, and tells the phones of whoever's
// secret bears none.
func (s *Service) missed(ctx context.Context, c caller.Caller, counted []db.IdentitySecret) error {
	left := 0
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		left = 0
		for _, row := range counted {
			if left = max(left, SecretTries-int(row.Tries)); row.Tries < SecretTries {
				continue
			}
			if err := s.tellLocked(ctx, tx, c, row); err != nil {
				return err
			}
		}
		return s.Trail.Leave(ctx, tx, s.checked(c, "secret", "refused", counted[0].PhoneIndex, counted[0].PhoneIndex))
	})
	if err != nil {
		return fmt.Errorf("note a wrong secret: %w", err)
	}
	if left == 0 {
		return errSecretLocked.Until(c.Now, SecretLocks)
	}
	return errSecretWrong(left)
}

// tellLocked tells the phones of a person that somebody guessed at their secret.
func (s *Service) tellLocked(ctx context.Context, tx *store.Tx, c caller.Caller, row db.IdentitySecret) error {
	all, err := db.New(tx).Bindings(ctx, row.CitizenID)
	if err != nil {
		return err
	}
	step := trail.Step{Audit: s.entry(c, "secret", "locked", row.PhoneIndex, row.CitizenID)}
	for _, b := range all {
		if b.PhoneSealed == nil || isBlocked(b, c.Now) {
			continue
		}
		phone, err := s.phoneOf(b)
		if err != nil {
			return err
		}
		step.Messages = append(step.Messages, notify.Message{
			To: phone, Locale: spoken(b), Purpose: notify.Receipt, ExpiresAt: row.LockedUntilAt.Time,
			Dedup: "identity.secret:" + row.CitizenID + ":" + row.PhoneIndex + ":" + b.PhoneIndex + ":" + row.LockedUntilAt.UTC().Format(time.RFC3339Nano),
			Text: gsm.Pick(s.Texts.Message(spoken(b), "identity.secret_locked_sms",
				"tail", caller.Tail(c.Phone), "until", clock.NotBefore(row.LockedUntilAt.Time))),
		})
	}
	return s.Trail.Leave(ctx, tx, step)
}

// notAnothers refuses as a new secret what is another person's on the caller's phone.
func (s *Service) notAnothers(ctx context.Context, c caller.Caller, citizen, secret string) error {
	counted, err := s.countGuess(ctx, c, "", citizen)
	if errors.Is(err, errSecretNone) {
		return nil
	}
	if err != nil {
		return err
	}
	right, err := s.fits(ctx, counted, secret)
	if err != nil {
		return err
	}
	if right != nil {
		return errSecretTaken
	}
	for _, row := range counted {
		if row.Tries == SecretTries {
			return s.missed(ctx, c, counted)
		}
	}
	return nil
}
