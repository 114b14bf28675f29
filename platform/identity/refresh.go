package identity

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

const (
	// RefreshRetry is how long a request for tokens whose answer was lost may come again.
	RefreshRetry = 10 * time.Minute
	// refreshBytes is the length of a refresh token, random or a MAC.
	refreshBytes = 32
	// reuseNews is how long it is worth telling a phone that its sign-in was in two hands.
	reuseNews = 24 * time.Hour
)

// The problems of refresh tokens.
var (
	errRefresh       = problem.New(problem.Unauthenticated, "problem.identity_refresh")
	errRefreshReused = problem.New(problem.Unauthenticated, "problem.identity_refresh_reused")
	errRefreshKey    = problem.New(problem.Mismatch, "problem.identity_refresh_key")
	errRefreshMany   = problem.New(problem.TooMany, "problem.identity_refresh_many", "n", refreshes.N)
)

// Refresh takes a refresh token, which is good once, and gives the tokens that follow. The
// same request again, by c.Key, gives the same next refresh token within RefreshRetry and
// while that was not used. A used token that comes otherwise is in two hands, of which
// nobody knows the owner's: the sign-in ends.
func (s *Service) Refresh(ctx context.Context, c caller.Caller, token string) (Tokens, error) {
	mac := s.refreshMAC(token)
	known, err := db.New(s.DB.Reader()).RefreshToken(ctx, mac)
	if errors.Is(err, sql.ErrNoRows) {
		return Tokens{}, errRefresh
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("look for a refresh token: %w", err)
	}
	// A limiter that cannot count lets pass: nothing is guessed here.
	if ok, wait, err := s.Limiter.Allow(ctx, "refresh:"+known.SignInID, refreshes.Rate); err == nil && !ok {
		return Tokens{}, errRefreshMany.Until(c.Now, wait)
	}
	var row db.IdentitySignIn
	var next string
	var refused error
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		if row, err = db.New(tx).LockSignIn(ctx, known.SignInID); err != nil {
			return err
		}
		phone, err := s.Sealer.Open(row.PhoneSealed, signInContext)
		if err != nil {
			return fmt.Errorf("open a sign-in's phone: %w", err)
		}
		c.Phone = string(phone)
		next, refused, err = s.exchange(ctx, tx, c, &row, token)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) { // forgotten since
		return Tokens{}, errRefresh
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("exchange a refresh token: %w", err)
	}
	if refused != nil {
		return Tokens{}, refused
	}
	return s.tokens(ctx, c, row, next)
}

// exchange gives the token that follows one of a locked sign-in of the caller's phone, and
// the refusal apart from the error: that the sign-in ended must stay.
func (s *Service) exchange(ctx context.Context, tx *store.Tx, c caller.Caller, row *db.IdentitySignIn, token string) (next string, refused, err error) {
	q, by := db.New(tx), c.Key
	if refused, err := s.over(ctx, q, *row, c); refused != nil || err != nil {
		return "", refused, err
	}
	given, err := q.RefreshToken(ctx, s.refreshMAC(token))
	if err != nil {
		return "", nil, err
	}
	next = s.Sealer.Index(nextPurpose, token+"|"+by)
	if !given.UsedAt.IsZero() {
		again, err := s.repeated(ctx, q, c, given, next)
		if err != nil || again {
			return next, nil, err
		}
		return "", errRefreshReused, s.endReused(ctx, tx, c, *row)
	}
	if by != "" && given.MadeBy == by {
		return "", errRefreshKey, nil
	}
	now := dbtime.From(c.Now)
	if err := q.UseRefreshToken(ctx, db.UseRefreshTokenParams{UsedAt: now, UsedBy: by, TokenMac: given.TokenMac}); err != nil {
		return "", nil, err
	}
	good := s.refreshMAC(next)
	if err := q.AddRefreshToken(ctx, db.AddRefreshTokenParams{TokenMac: good, SignInID: row.ID, MadeBy: by}); err != nil {
		return "", nil, err
	}
	was := []*audit.Group{signInOf(*row), refreshOf(given.TokenMac)}
	row.UsedAt, row.ExpiresAt = now, dbtime.From(earlier(c.Now.Add(SignInIdles), row.BegunAt.Add(SignInLasts)))
	if err := q.KeepSignIn(ctx, db.KeepSignInParams{UsedAt: now, ExpiresAt: row.ExpiresAt, ID: row.ID}); err != nil {
		return "", nil, err
	}
	entry := s.entry(c, "refresh", "done", row.ID, row.PhoneIndex, signInOf(*row), refreshOf(good))
	entry.Was = was
	return next, nil, s.Trail.Leave(ctx, tx, trail.Step{Audit: entry})
}

// over refuses a sign-in that has ended, was cut off or has lapsed.
func (s *Service) over(ctx context.Context, q *db.Queries, row db.IdentitySignIn, c caller.Caller) (refused, err error) {
	switch {
	case s.phoneIndex(c.Phone) != row.PhoneIndex:
		return errRefresh, nil
	case row.EndedBy == endedReused: // so that the owner hears of it too
		return errRefreshReused, nil
	case !row.EndedAt.IsZero(), !c.Now.Before(row.ExpiresAt.Time):
		return errRefresh, nil
	}
	generation, err := q.Generation(ctx, row.PhoneIndex)
	if errors.Is(err, sql.ErrNoRows) || err == nil && generation != row.Generation {
		return errRefresh, nil
	}
	return nil, err
}

// repeated reports that a used token came with the request that used it: the answer was
// lost, as what it brought was not used.
func (s *Service) repeated(ctx context.Context, q *db.Queries, c caller.Caller, used db.IdentityRefreshToken, next string) (bool, error) {
	if c.Key == "" || used.UsedBy != c.Key || c.Now.Sub(used.UsedAt.Time) >= RefreshRetry {
		return false, nil
	}
	follows, err := q.RefreshToken(ctx, s.refreshMAC(next))
	if err != nil {
		return false, fmt.Errorf("look for the next refresh token: %w", err)
	}
	return follows.UsedAt.IsZero(), nil
}

// endReused ends a sign-in that is in two hands, with whatever its phone proved, and tells its phone, which a thief does not
// read. A sign-in costs a code, so that nobody has many such messages sent.
func (s *Service) endReused(ctx context.Context, tx *store.Tx, c caller.Caller, row db.IdentitySignIn) error {
	q := db.New(tx)
	row, err := q.EndSignIn(ctx, db.EndSignInParams{
		EndedAt: dbtime.From(c.Now), EndedBy: endedReused, ID: row.ID, PhoneIndex: row.PhoneIndex,
	})
	if err != nil {
		return err
	}
	if err := s.endProofs(ctx, q, row.PhoneIndex, c.Now); err != nil {
		return err
	}
	// The request may be the thief's: the language is the phone's own.
	chosen, err := q.PhoneLocale(ctx, row.PhoneIndex)
	if err != nil {
		return fmt.Errorf("look for a phone's language: %w", err)
	}
	loc := cmp.Or(locales.Locale(chosen), locales.KY)
	return s.Trail.Leave(ctx, tx, trail.Step{
		Audit: s.ended(c, "refresh", "reused", row),
		Messages: []notify.Message{{
			To: c.Phone, Locale: loc, Purpose: notify.Receipt, ExpiresAt: c.Now.Add(reuseNews), Dedup: "identity.refresh_reused:" + row.ID,
			Text: gsm.Pick(s.Texts.Message(loc, "identity.refresh_reused_sms")),
		}},
	})
}

// newRefreshToken makes the first token of a sign-in. Those after it are MACs of the one
// before and the request, so that the same request gives the same one and none is kept.
func (s *Service) newRefreshToken() (string, error) {
	var b [refreshBytes]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fmt.Errorf("make a refresh token: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// refreshMAC is what is kept of a refresh token.
func (s *Service) refreshMAC(token string) string { return s.Sealer.Index(refreshPurpose, token) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
