package staff

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// ErrNoSitting is of a session that is another account's, over, or never was one.
var ErrNoSitting = problem.New(problem.NotFound, "problem.staff_session_absent")

// sittingPurpose is of the names of sessions, by which nobody signs in.
const sittingPurpose = "staff.session.name"

// Sitting is where an officer is signed in, as they see it.
type Sitting struct {
	ID        string
	BegunAt   time.Time
	UsedAt    time.Time
	ExpiresAt time.Time // however much it is used
	Current   bool      // the one that asks
}

// Sittings lists where whoever is signed in is so, the last used first.
func (s *Service) Sittings(ctx context.Context, shown Session) ([]Sitting, error) {
	h, err := s.authenticate(ctx, shown)
	if err != nil {
		return nil, err
	}
	rows, err := s.sittings(ctx, db.New(s.DB.Reader()), h)
	if err != nil {
		return nil, err
	}
	list := make([]Sitting, len(rows))
	for i, row := range rows {
		list[i] = Sitting{
			ID: s.sittingID(row), BegunAt: row.BegunAt.Time, UsedAt: row.UsedAt.Time, ExpiresAt: row.ExpiresAt.Time,
			Current: row.TokenMac == s.sessionMAC(shown),
		}
	}
	return list, nil
}

func (s *Service) sittings(ctx context.Context, q *db.Queries, h holder) ([]db.StaffSession, error) {
	now := s.Now()
	rows, err := q.SessionsOf(ctx, db.SessionsOfParams{AccountID: h.row.ID, ExpiresAt: dbtime.From(now), UsedAt: dbtime.From(now.Add(-SessionIdles))})
	if err != nil {
		return nil, fmt.Errorf("list an officer's sessions: %w", err)
	}
	return rows, nil
}

// sittingID names a session.
func (s *Service) sittingID(row db.StaffSession) string {
	const enough = 16
	return s.Sealer.Index(sittingPurpose, row.TokenMac)[:enough]
}

// EndSitting ends a session of whoever is signed in, as one that was left open elsewhere. Problem:
// staff_session_absent.
func (s *Service) EndSitting(ctx context.Context, shown Session, id string) error {
	h, err := s.authenticate(ctx, shown)
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		rows, err := s.sittings(ctx, q, h)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if s.sittingID(row) != id {
				continue
			}
			n, err := q.EndSession(ctx, row.TokenMac)
			if err != nil {
				return fmt.Errorf("end a session: %w", err)
			}
			if n == 0 {
				return ErrNoSitting
			}
			return s.leave(ctx, tx, h.Actor(), "sign_out", h.row.ID, "ending a session of one's own")
		}
		return ErrNoSitting
	})
}
