package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// KeyState is how a key of tokens stands.
type KeyState string

// The states.
const (
	KeyWaits    KeyState = "waits"    // it is published, and signs later
	KeySigns    KeyState = "signs"    // it signs the tokens that are made now
	KeyVerifies KeyState = "verifies" // another signs, its tokens are still good
	KeyOver     KeyState = "over"     // its tokens are over
	KeyRevoked  KeyState = "revoked"  // its tokens were ended
	KeyBroken   KeyState = "broken"   // its row was changed: it is not used
)

// TokenKey is a key of access tokens, without its halves.
type TokenKey struct {
	ID        string
	State     KeyState
	MadeAt    time.Time
	SignsFrom time.Time
	// Until is when it verifies no more; zero where no other key follows.
	Until time.Time
}

// TokenKeys lists the keys of access tokens, the oldest first. Those that have been over for
// a day are deleted.
func (s *Service) TokenKeys(ctx context.Context) ([]TokenKey, error) {
	rows, err := db.New(s.DB.Reader()).Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the keys of tokens: %w", err)
	}
	return s.describe(rows, s.Now()), nil
}

// describe says how keys stand.
func (s *Service) describe(rows []db.IdentityKey, now time.Time) (list []TokenKey) {
	s.keys.mu.Lock()
	ring := s.ring(rows)
	s.keys.mu.Unlock()
	signer, _ := signing(ring, now)
	for _, row := range rows {
		key := TokenKey{ID: row.Kid, State: KeyBroken, MadeAt: row.CreatedAt.Time, SignsFrom: row.SignsFromAt.Time, Until: row.RevokedAt.Time}
		if !key.Until.IsZero() {
			key.State = KeyRevoked
		}
		for _, k := range ring {
			if k.ID != row.Kid {
				continue
			}
			key.Until, key.State = k.until, KeyVerifies
			switch {
			case k.over(now):
				key.State = KeyOver
			case k.ID == signer.ID:
				key.State = KeySigns
			case now.Before(k.signsFrom):
				key.State = KeyWaits
			}
		}
		list = append(list, key)
	}
	return list
}

// RotateTokenKey makes the next key of access tokens, which signs from KeyLeads on; the
// former verifies until its tokens are over, so that no token is refused. Where such a key
// waits already, it is given and none is made.
func (s *Service) RotateTokenKey(ctx context.Context, act staff.Act) (key TokenKey, made bool, err error) {
	now := s.Now()
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		rows, err := heldKeys(ctx, db.New(tx))
		if err != nil {
			return err
		}
		list := s.describe(rows, now)
		if key, made = list[len(list)-1], false; key.State == KeyWaits {
			return nil
		}
		made = true
		key, err = s.makeKey(ctx, tx, rows[len(rows)-1].Slot+1, now, now.Add(KeyLeads), act.Actor)
		return err
	})
	if err != nil {
		return TokenKey{}, false, fmt.Errorf("rotate the key of tokens: %w", err)
	}
	return key, made, nil
}

// ReplaceTokenKey revokes all keys of access tokens, as one may be in other hands, and makes
// one that signs from now on. Every access token ends; the refresh tokens, which no key
// signs, give others.
func (s *Service) ReplaceTokenKey(ctx context.Context, act staff.Act) (key TokenKey, err error) {
	now, actor := s.Now(), act.Actor
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		rows, err := heldKeys(ctx, db.New(tx))
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.RevokedAt.IsZero() {
				if err := s.revokeKey(ctx, tx, row, now, actor); err != nil {
					return err
				}
			}
		}
		key, err = s.makeKey(ctx, tx, rows[len(rows)-1].Slot+1, now, now, actor)
		return err
	})
	if err != nil {
		return TokenKey{}, fmt.Errorf("replace the key of tokens: %w", err)
	}
	return key, nil
}

// KeyFacts says what replacing the keys of access tokens rests on: which is the newest.
func (s *Service) KeyFacts(ctx context.Context) (string, error) {
	keys, err := s.TokenKeys(ctx)
	if err != nil || len(keys) == 0 {
		return "", err
	}
	return "the newest key is " + keys[len(keys)-1].ID, nil
}

// heldKeys are all keys, which nobody else changes until the transaction ends.
func heldKeys(ctx context.Context, q *db.Queries) ([]db.IdentityKey, error) {
	if err := q.LockKeys(ctx); err != nil {
		return nil, err
	}
	rows, err := q.Keys(ctx)
	if err == nil && len(rows) == 0 {
		err = errors.New("there is no key")
	}
	return rows, err
}

// firstKey reads the keys of tokens and makes the first one where none is. Of several
// processes that start at once, one makes it.
func (s *Service) firstKey(ctx context.Context) error {
	now := s.Now()
	rows, err := db.New(s.DB.Reader()).Keys(ctx)
	if err == nil && len(rows) == 0 {
		err = s.DB.InTx(ctx, func(tx *store.Tx) error {
			_, err := s.makeKey(ctx, tx, 1, now, now, "system")
			return err
		})
	}
	if err != nil {
		return err
	}
	_, err = s.signingKey(ctx, now) // a wrong master key shows now
	return err
}

// makeKey makes the key of a slot, unless that is taken.
func (s *Service) makeKey(ctx context.Context, tx *store.Tx, slot int64, now, signsFrom time.Time, actor string) (TokenKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), s.Random)
	if err != nil {
		return TokenKey{}, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return TokenKey{}, fmt.Errorf("write a key: %w", err)
	}
	published, err := jws.KeyOf(&private.PublicKey)
	if err != nil {
		return TokenKey{}, err
	}
	row := db.IdentityKey{Slot: slot, Kid: published.ID, CreatedAt: dbtime.From(now), SignsFromAt: dbtime.From(signsFrom)}
	if row.PrivateSealed, err = s.Sealer.Seal(der, keySeal(row.Kid)); err != nil {
		return TokenKey{}, err
	}
	n, err := db.New(tx).InsertKey(ctx, db.InsertKeyParams{
		Slot: row.Slot, Kid: row.Kid, PrivateSealed: row.PrivateSealed, CreatedAt: row.CreatedAt, SignsFromAt: row.SignsFromAt,
	})
	if err != nil || n == 0 {
		return TokenKey{}, err
	}
	state := KeyWaits
	if !signsFrom.After(now) {
		state = KeySigns
	}
	return TokenKey{ID: row.Kid, State: state, MadeAt: row.CreatedAt.Time, SignsFrom: row.SignsFromAt.Time}, s.leaveKey(ctx, tx, row, now, actor, "made")
}

// revokeKey ends a key. Its private half is emptied, so that nobody who writes to the
// database takes that back.
func (s *Service) revokeKey(ctx context.Context, tx *store.Tx, row db.IdentityKey, now time.Time, actor string) error {
	row.RevokedAt, row.PrivateSealed = dbtime.From(now), []byte{}
	if err := db.New(tx).RevokeKey(ctx, db.RevokeKeyParams{RevokedAt: row.RevokedAt, PrivateSealed: row.PrivateSealed, Kid: row.Kid}); err != nil {
		return err
	}
	return s.leaveKey(ctx, tx, row, now, actor, "revoked")
}

func (s *Service) leaveKey(ctx context.Context, tx *store.Tx, row db.IdentityKey, now time.Time, actor, what string) error {
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: now, Actor: actor, Action: "identity.key." + what, Object: row.Kid, Purpose: "key rotation", Decided: []*audit.Group{keyOf(row)},
	}})
}

// ForgetKeys deletes the keys of tokens that have been over for a day.
func (s *Service) ForgetKeys(ctx context.Context) error {
	keys, err := s.TokenKeys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		ended := key.State == KeyOver || key.State == KeyRevoked
		if !ended || s.Now().Before(key.Until.Add(forgetAfter)) {
			continue
		}
		err := s.DB.InTx(ctx, func(tx *store.Tx) error { return db.New(tx).DeleteKey(ctx, key.ID) })
		if err != nil {
			return fmt.Errorf("forget a key of tokens: %w", err)
		}
	}
	return nil
}
