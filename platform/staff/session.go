package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// How long a session lasts.
const (
	SessionIdles = 20 * time.Minute // unless it is used before
	SessionLasts = 8 * time.Hour    // however much it is used: a working day
)

// ErrSession says that a session is over, or never was one.
var ErrSession = problem.New(problem.Unauthenticated, "problem.staff_session")

// Session is what somebody who is signed in shows, from the origin where they signed in: a
// token that was copied to another one is good for nothing.
type Session struct{ Token, Origin string }

// Authenticate gives who is signed in and may act. A session is over once its account is
// disabled or reset.
func (s *Service) Authenticate(ctx context.Context, shown Session) (Officer, error) {
	h, err := s.authenticate(ctx, shown)
	if err == nil && h.row.Owes != "" {
		err = ErrOwes
	}
	return h.Officer, err
}

// SignedIn gives who is signed in, whatever of their account they have still to change: with
// that, they may do nothing but change it, and sign out.
func (s *Service) SignedIn(ctx context.Context, shown Session) (Officer, error) {
	h, err := s.authenticate(ctx, shown)
	return h.Officer, err
}

// authenticate gives who is signed in, whatever of their account they have still to change.
func (s *Service) authenticate(ctx context.Context, shown Session) (holder, error) {
	mac, now := s.sessionMAC(shown), s.Now()
	q := db.New(s.DB.Reader())
	session, err := q.Session(ctx, mac)
	if errors.Is(err, sql.ErrNoRows) {
		return holder{}, ErrSession
	}
	if err != nil {
		return holder{}, fmt.Errorf("look for a session: %w", err)
	}
	row, err := q.AccountOfSession(ctx, mac)
	if errors.Is(err, sql.ErrNoRows) { // ended meanwhile
		return holder{}, ErrSession
	}
	if err != nil {
		return holder{}, fmt.Errorf("look for a session's account: %w", err)
	}
	if err := s.genuine(row); err != nil {
		return holder{}, err
	}
	// The token says whose it is: whoever moves its row to another account gains nothing.
	if id, _, _ := strings.Cut(shown.Token, "."); id != row.ID {
		return holder{}, ErrSession
	}
	over := !now.Before(session.ExpiresAt.Time) || !now.Before(session.UsedAt.Add(SessionIdles))
	if over || !row.DisabledAt.IsZero() || s.Invented(officerOf(row)) {
		return holder{}, ErrSession
	}
	return holder{Officer: officerOf(row), row: row, session: session}, s.use(ctx, mac)
}

// use notes that a session is used now, if it is there still.
func (s *Service) use(ctx context.Context, mac string) error {
	used := int64(0)
	err := s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		used, err = db.New(tx).UseSession(ctx, db.UseSessionParams{UsedAt: dbtime.From(s.Now()), TokenMac: mac})
		return err
	})
	if err != nil {
		return fmt.Errorf("note that a session is used: %w", err)
	}
	if used == 0 {
		return ErrSession
	}
	return nil
}

// SignOut ends a session; that it was over already is no error.
func (s *Service) SignOut(ctx context.Context, shown Session) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q, mac := db.New(tx), s.sessionMAC(shown)
		row, err := q.AccountOfSession(ctx, mac)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := q.EndSession(ctx, mac); err != nil {
			return err
		}
		return s.leave(ctx, tx, officerOf(row).Actor(), "sign_out", row.ID, "signing out")
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// proposalKept is how long a proposal that nobody decided says that it expired.
const proposalKept = 30 * 24 * time.Hour

// Tidy forgets sessions and proposals that are over, and tries that count no more.
func (s *Service) Tidy(ctx context.Context) error {
	now := s.Now()
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		return errors.Join(
			q.ForgetSessions(ctx, dbtime.From(now)),
			q.ForgetProposals(ctx, dbtime.From(now.Add(-proposalKept))),
			q.ForgetAttempts(ctx, db.ForgetAttemptsParams{SinceAt: dbtime.From(now.Add(-TriesLast)), GoodAt: dbtime.From(now.Add(-TrustLasts))}),
		)
	})
	if err != nil {
		return fmt.Errorf("tidy the sessions of staff: %w", err)
	}
	return nil
}

// sessionMAC is what is kept of a session's token.
func (s *Service) sessionMAC(shown Session) string {
	return s.Sealer.Index(sessionPurpose, shown.Token+"|"+shown.Origin)
}
