package identity

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/assurance"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

const (
	// ProofLasts is how long a proof is good at most, in the session that it was made in. Phones
	// are shared and numbers recycled: not for long.
	ProofLasts = 12 * time.Hour
	// usesNoted is how long a proof is used before that is noted once more: by as much the span
	// of silence after its last use may be over earlier.
	usesNoted = time.Minute
)

// sessionOf names the session that the caller's turn is of, for the proofs made in it. One by
// text is of none: all by text are one, which ends by a span of silence.
func sessionOf(c caller.Caller) string { return cmp.Or(c.Session, string(c.Channel)) }

// Proof gives the citizen who is proved to hold the caller's phone, in the caller's session or, for
// a call or a text, a short while ago (assurance.Silence) in another; not ok when nobody is. It notes
// that the proof was used.
func (s *Service) Proof(ctx context.Context, c caller.Caller) (citizen Citizen, ok bool, err error) {
	row, proved, err := s.lastProof(ctx, c)
	if err != nil || !proved {
		return Citizen{}, false, err
	}
	if err := s.use(ctx, c, row); err != nil {
		return Citizen{}, false, err
	}
	citizen, err = s.provedBy(row)
	return citizen, err == nil, err
}

// lastProof is the row of Proof, which it does not note as used.
func (s *Service) lastProof(ctx context.Context, c caller.Caller) (row db.GoodProofsRow, proved bool, err error) {
	if c.Phone == "" {
		return row, false, nil
	}
	rows, err := s.goodProofs(ctx, db.New(s.DB.Reader()), c)
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return strongest(rows), true, nil
}

// goodProofs are the proofs of the caller's phone that are good in the caller's session at
// c.Now, its own first. Calls and texts share theirs for a while: who makes them has the phone in
// hand. An app has its own only, and nobody else has them: a device that was signed in once may be
// anywhere, and the phone in another's hand than the app's.
func (s *Service) goodProofs(ctx context.Context, q *db.Queries, c caller.Caller) ([]db.GoodProofsRow, error) {
	bare, secret, text := assurance.Silence(c.Now)
	own := ProofLasts // whenever its session used it last
	if c.Session == "" {
		own = text
	}
	rows, err := q.GoodProofs(ctx, db.GoodProofsParams{
		PhoneIndex: s.phoneIndex(c.Phone), Session: sessionOf(c), Now: dbtime.From(c.Now), Shared: c.Channel != caller.REST,
		OwnSilentAt: dbtime.From(c.Now.Add(-own)), SilentAt: dbtime.From(c.Now.Add(-bare)), SecretSilentAt: dbtime.From(c.Now.Add(-secret)),
	})
	if err != nil {
		return nil, fmt.Errorf("look for a proof: %w", err)
	}
	return rows, nil
}

// strongest is the proof of the first one's person that says most: a later one by the numbers
// of a card takes nothing from it.
func strongest(rows []db.GoodProofsRow) db.GoodProofsRow {
	best := rows[0]
	for _, row := range rows[1:] {
		if row.CitizenID == best.CitizenID && row.Level > best.Level {
			best = row
		}
	}
	return best
}

// use notes that a proof is made use of now, unless that was noted a moment ago.
func (s *Service) use(ctx context.Context, c caller.Caller, row db.GoodProofsRow) error {
	noted := c.Now.Add(-usesNoted)
	if row.UsedAt.After(noted) {
		return nil
	}
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).UseProof(ctx, db.UseProofParams{Now: dbtime.From(c.Now), ID: row.ID, NotedAt: dbtime.From(noted)})
		if err != nil || n == 0 { // another request noted it, or it ended
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: s.entry(c, "proof", "used", row.ID, s.phoneIndex(c.Phone))})
	})
	if err != nil {
		return fmt.Errorf("note the use of a proof: %w", err)
	}
	return nil
}

// Holds reports that the caller's phone is proved for a citizen now, in the caller's session.
func (s *Service) Holds(ctx context.Context, c caller.Caller, citizen string) (bool, error) {
	c.Now = s.Now()
	row, proved, err := s.lastProof(ctx, c)
	return proved && row.CitizenID == citizen, err
}

func (s *Service) provedBy(row db.GoodProofsRow) (Citizen, error) {
	called, err := s.calledBy(row)
	return Citizen{ID: row.CitizenID, Called: called, Level: caller.Level(row.Level)}, err
}

// HoldProof reports that the caller's phone is proved, in the caller's session, for c.Subject at
// c.Level, and has it stay so until tx ends: an undo waits for it, and one that came first is seen.
func (s *Service) HoldProof(ctx context.Context, tx *store.Tx, c caller.Caller) (bool, error) {
	q := db.New(tx)
	if err := q.LockCitizen(ctx, c.Subject); err != nil {
		return false, fmt.Errorf("hold a proof: %w", err)
	}
	// Of this moment: at the request's beginning, which may have waited for a register, it was
	// proved whatever came meanwhile.
	c.Now = s.Now()
	rows, err := s.goodProofs(ctx, q, c)
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if row.CitizenID == c.Subject && caller.Level(row.Level) >= c.Level {
			return true, nil
		}
	}
	return false, nil
}

// endProofs ends, in the caller's transaction, whatever a phone proved, in all its sessions, and
// a national sign-in that would.
func (s *Service) endProofs(ctx context.Context, q *db.Queries, index string, now time.Time) error {
	if err := q.CutNational(ctx, db.CutNationalParams{PhoneIndex: index, Wiped: []byte{}}); err != nil {
		return err
	}
	return q.LapseProofs(ctx, db.LapseProofsParams{ExpiresAt: dbtime.From(now), PhoneIndex: index})
}

// proofOf is in which session a proof was made, and for how long at most.
func proofOf(id, session string, lasts time.Duration) *audit.Group {
	return audit.Decided(groupProof).Text(id, session).Number(int64(lasts / time.Second))
}
