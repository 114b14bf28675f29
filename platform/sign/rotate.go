package sign

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/sign/db"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Rotate makes a new key, which signs from now on, and returns its id. What the others signed
// goes on verifying. When two processes rotate at once, one new key is made.
func (k *Keys) Rotate(ctx context.Context, act staff.Act) (kid string, err error) {
	return k.rotate(ctx, act, func(*store.Tx, db.SignKey) error { return nil })
}

// Reveal says that private halves may be in other hands, and makes a new key: to who verifies
// without asking us, a signature of the others proves nothing any more.
func (k *Keys) Reveal(ctx context.Context, act staff.Act) (kid string, err error) {
	return k.rotate(ctx, act, func(tx *store.Tx, former db.SignKey) error {
		if !former.RevealedAt.IsZero() {
			return nil
		}
		former.RevealedAt = dbtime.From(k.Now())
		if err := db.New(tx).RevealKey(ctx, db.RevealKeyParams{Kid: former.Kid, RevealedAt: former.RevealedAt}); err != nil {
			return fmt.Errorf("note that a signing key was revealed: %w", err)
		}
		return k.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: former.RevealedAt.Time, Actor: act.Actor, Action: "signing_key.revealed", Object: former.Kid, Purpose: "who verifies certificates trusts it no more",
			Decided: []*audit.Group{revealed(former)},
		}})
	})
}

// rotate makes the next key in one transaction with what is done to each former one.
func (k *Keys) rotate(ctx context.Context, act staff.Act, end func(tx *store.Tx, former db.SignKey) error) (kid string, err error) {
	err = k.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		rows, err := db.New(tx).Keys(ctx)
		if err != nil {
			return fmt.Errorf("read the signing keys: %w", err)
		}
		row, _, err := k.newest(rows)
		if err != nil {
			return err
		}
		for _, former := range rows {
			if err := end(tx, former); err != nil {
				return err
			}
		}
		next := row.Generation + 1
		for slices.ContainsFunc(rows, func(r db.SignKey) bool { return r.Generation == next }) { // by a row that is no key
			next++
		}
		return k.add(ctx, tx, next)
	})
	if err != nil {
		return "", err
	}
	current, err := k.current(ctx)
	if err != nil {
		return "", err
	}
	return current.kid, nil
}

// add makes the key of a generation, unless somebody else just did.
func (k *Keys) add(ctx context.Context, tx *store.Tx, generation int64) error {
	kid, public, private, err := newKey(rand.Reader)
	if err != nil {
		return err
	}
	sealed, err := k.Sealer.Seal(private, sealContext(kid))
	if err != nil {
		return fmt.Errorf("seal a signing key: %w", err)
	}
	_, err = db.New(tx).AddKey(ctx, db.AddKeyParams{
		Kid: kid, Generation: generation, Public: public, Sealed: sealed, MadeAt: dbtime.From(k.Now()),
	})
	if err != nil {
		return fmt.Errorf("store a signing key: %w", err)
	}
	return nil
}
