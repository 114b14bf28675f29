package staff

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// How often it may be tried to sign in: see Limits. Where the holder signed in within
// TrustLasts the bound of all origins does not count, so that nobody is shut out by strangers.
const (
	TriesLast      = 15 * time.Minute
	TriesOfOrigin  = 5  // for one account from one origin
	TriesFromOne   = 30 // from one origin, for all accounts
	TriesOfAccount = 50 // for one account, from origins where its holder never was
	TrustLasts     = 30 * 24 * time.Hour
)

var (
	// ErrSignIn is the one answer to a wrong name, password or code, a code that was used,
	// and a disabled account.
	ErrSignIn = problem.New(problem.Unauthenticated, "problem.staff_sign_in")
	// ErrTries is returned after too many tries, with the bound and until when it holds.
	ErrTries = problem.New(problem.TooMany, triesMany)
)

const triesMany = "problem.staff_many"

// The rules of signing in. One who guesses runs into the first, and the account's holder,
// who comes from elsewhere, does not; the last is for guesses from many places.
var (
	triesOfOrigin = limit.Rule{
		Name: "staff.account", What: "tries to sign in", Who: "an account of staff, from one address or terminal",
		Rate: limit.Rate{N: TriesOfOrigin, Per: TriesLast}, Refusal: triesMany, In: limit.InSQL,
	}
	triesFromOne = limit.Rule{
		Name: "staff.origin", What: "tries to sign in to accounts of staff", Who: "an address or terminal",
		Rate: limit.Rate{N: TriesFromOne, Per: TriesLast}, Refusal: triesMany, In: limit.InSQL,
	}
	triesOfAccount = limit.Rule{
		Name: "staff.elsewhere", What: "tries to sign in", Who: "an account of staff, from all places where its holder was not within 30 days",
		Rate: limit.Rate{N: TriesOfAccount, Per: TriesLast}, Refusal: triesMany, In: limit.InSQL,
	}
)

// Limits are the rules of staff, for the table of all.
func Limits() []limit.Rule { return []limit.Rule{triesOfOrigin, triesFromOne, triesOfAccount} }

// SignIn takes a name, a password and a code of the account's app, from an origin: an
// address or a terminal. It gives the token of a session, which is kept nowhere.
func (s *Service) SignIn(ctx context.Context, origin, name, password, code string) (token string, o Officer, err error) {
	at := s.attemptOf(origin, name)
	if err := s.admit(ctx, at); err != nil {
		return "", Officer{}, err
	}
	row, step, err := s.judge(ctx, at, password, strings.TrimSpace(code))
	if err != nil {
		return "", Officer{}, fmt.Errorf("sign in: %w", err)
	}
	var refused error
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		n := int64(0)
		if step > 0 {
			if n, err = db.New(tx).UseTOTP(ctx, db.UseTOTPParams{Step: step, ID: row.ID, Mac: row.Mac}); err != nil {
				return err
			}
		}
		if n == 0 {
			refused = ErrSignIn
			return s.leave(ctx, tx, at.actor(), "sign_in.refused", row.ID, "signing in")
		}
		if s.Invented(officerOf(row)) {
			refused = ErrInvented
			return s.leave(ctx, tx, at.actor(), "sign_in.refused", row.ID, "signing in")
		}
		refused = nil
		token, err = s.begin(ctx, tx, at, row)
		return err
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return "", Officer{}, err
	}
	return token, officerOf(row), nil
}

// attempt is a try to sign in; account and origin are blind indexes.
type attempt struct {
	name, from      string // as they came
	account, origin string
	now             time.Time
}

// attemptOf is a try from an origin, now.
func (s *Service) attemptOf(origin, name string) attempt {
	at := attempt{from: origin, name: strings.ToLower(strings.TrimSpace(name)), now: s.Now()}
	at.account, at.origin = s.Sealer.Index(loginPurpose, at.name), s.Sealer.Index(originPurpose, origin)
	return at
}

// actor is who tries, by where: what is typed for a name may be a password.
func (a attempt) actor() string { return "origin:" + a.origin }

// admit counts a try before it is judged.
func (s *Service) admit(ctx context.Context, at attempt) error {
	var refused error
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		tried, err := s.count(ctx, tx, at, at.account, at.origin, triesOfOrigin)
		if refused = tried.refused; err != nil || refused != nil {
			return err
		}
		from, err := s.count(ctx, tx, at, "", at.origin, triesFromOne)
		if refused = from.refused; err != nil || refused != nil {
			return err
		}
		if tried.goodAt.After(at.now.Add(-TrustLasts)) {
			return nil
		}
		all, err := s.count(ctx, tx, at, at.account, "", triesOfAccount)
		refused = all.refused
		return err
	})
	if err != nil {
		return fmt.Errorf("count a try to sign in: %w", err)
	}
	return refused
}

// counted is a try that was counted.
type counted struct {
	refused error
	goodAt  time.Time
}

// count counts a try. The audit log says once that a bound was reached, not how often
// somebody ran into it.
func (s *Service) count(ctx context.Context, tx *store.Tx, at attempt, account, origin string, bound limit.Rule) (counted, error) {
	row, err := db.New(tx).CountAttempt(ctx, db.CountAttemptParams{
		Account: account, Origin: origin, SinceAt: dbtime.From(at.now), StaleAt: dbtime.From(at.now.Add(-TriesLast)),
	})
	c := counted{goodAt: row.GoodAt.Time}
	if err == nil && row.Tries > int64(bound.N) {
		c.refused = problem.New(problem.TooMany, triesMany, "n", bound.N).Until(at.now, row.SinceAt.Add(bound.Per).Sub(at.now))
	}
	if err == nil && row.Tries == int64(bound.N)+1 {
		err = s.leave(ctx, tx, at.actor(), "sign_in.held", account, "signing in")
	}
	return c, err
}

// judge looks whether name, password and code fit, in the same time whatever of them is
// wrong; step is 0 where one is. row is empty where there is no such account.
func (s *Service) judge(ctx context.Context, at attempt, password, code string) (row db.StaffAccount, used int64, err error) {
	hash, secret := decoy, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	row, err = db.New(s.DB.Reader()).AccountByLogin(ctx, at.name)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return row, 0, err
	}
	if known {
		if err := s.genuine(row); err != nil {
			return row, 0, err
		}
		if secret, err = s.secretOf(row); err != nil {
			return row, 0, err
		}
		hash = row.PasswordHash
	}
	right, err := s.passwords.Fits(ctx, password, hash)
	if err != nil {
		return row, 0, err
	}
	if used, err = step(secret, code, at.now); err != nil {
		return row, 0, err
	}
	if !right || !known || !row.DisabledAt.IsZero() {
		used = 0
	}
	return row, used, nil
}

// begin makes the session of an account whose holder it is.
func (s *Service) begin(ctx context.Context, tx *store.Tx, at attempt, row db.StaffAccount) (token string, err error) {
	if token, err = s.newToken(row.ID); err != nil {
		return "", err
	}
	q, now := db.New(tx), dbtime.From(at.now)
	err = errors.Join(s.forgive(ctx, q, at), q.AddSession(ctx, db.AddSessionParams{
		TokenMac: s.sessionMAC(Session{Token: token, Origin: at.from}), AccountID: row.ID, BegunAt: now, UsedAt: now, ExpiresAt: dbtime.From(at.now.Add(SessionLasts)),
	}))
	if err != nil {
		return "", err
	}
	return token, s.leave(ctx, tx, officerOf(row).Actor(), "sign_in.done", row.ID, "signing in")
}

// newToken draws the token of a session of an account.
func (s *Service) newToken(account string) (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fmt.Errorf("draw a session: %w", err)
	}
	return account + "." + base64.RawURLEncoding.EncodeToString(raw), nil
}

// forgive takes back what was counted of a try that was the holder's.
func (s *Service) forgive(ctx context.Context, q *db.Queries, at attempt) error {
	return errors.Join(
		q.HolderAttempt(ctx, db.HolderAttemptParams{GoodAt: dbtime.From(at.now), Account: at.account, Origin: at.origin}),
		q.ForgiveAttempt(ctx, db.ForgiveAttemptParams{Origin: at.origin}),
		q.ForgiveAttempt(ctx, db.ForgiveAttemptParams{Account: at.account}),
	)
}
