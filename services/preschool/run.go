package preschool

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// The states of an allocation. One is next at a time, and none while another makes its offers.
const (
	runNext     = "next"     // its seed is committed to
	runOffering = "offering" // it is decided: who is offered what stands
	runDone     = "done"
	runWrong    = "wrong" // the check found a fault: nobody was offered a place
)

// runNoFault is the verdict of a check that found nothing.
const runNoFault = "no fault"

var (
	problemRunGone  = problem.New(problem.Conflict, "problem.preschool_allocation_gone")
	problemRunBusy  = problem.New(problem.Conflict, "problem.preschool_allocation_busy")
	problemRunSeats = problem.New(problem.Conflict, "problem.preschool_allocation_seats")
	problemRunNone  = problem.New(problem.Conflict, "problem.preschool_allocation_none")
)

// Shown are the figures of an allocation with which it is proposed.
type Shown struct {
	N int64 // which allocation
	// Seats are the most that it may offer: what was free when somebody looked, or more.
	Seats int
	// Waiting is how many children asked for them.
	Waiting int
}

// Decided is what an allocation decided.
type Decided struct {
	N                      int64
	Seats, Waiting, Placed int
	Shown                  Shown
}

// seedContext is what an allocation's seed is sealed for, before its id.
const seedContext = "preschool.seed:"

// seedBytes is how long a seed is.
const seedBytes = 32

// next is the allocation that is next, with its seed. Where there is none its seed is drawn
// and committed to: from then on nobody chooses whom it favours among children of one moment.
// Problem: preschool_allocation_busy.
func (s *Service) next(ctx context.Context) (db.PreschoolRun, []byte, error) {
	q := db.New(s.DB.Reader())
	row, err := q.LastRun(ctx)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (row.State == runDone || row.State == runWrong) {
		if err = s.commit(ctx, row.N+1); err == nil {
			row, err = q.LastRun(ctx)
		}
	}
	switch {
	case err != nil:
		return row, nil, fmt.Errorf("find the next allocation: %w", err)
	case row.State == runOffering:
		return row, nil, problemRunBusy
	}
	seed, err := s.Sealer.Open(row.SeedSealed, seedContext+row.ID)
	if err != nil {
		return row, nil, fmt.Errorf("open the seed of an allocation: %w", err)
	}
	return row, seed, nil
}

// commit draws an allocation's seed and commits to it; nothing happens where somebody did.
func (s *Service) commit(ctx context.Context, n int64) error {
	seed := make([]byte, seedBytes)
	if _, err := io.ReadFull(s.Random, seed); err != nil {
		return fmt.Errorf("draw the seed of an allocation: %w", err)
	}
	row := db.PreschoolRun{ID: strconv.FormatInt(n, 10), N: n, Commitment: commitment(seed), CommittedAt: dbtime.From(s.Now())}
	var err error
	if row.SeedSealed, err = s.Sealer.Seal(seed, seedContext+row.ID); err != nil {
		return fmt.Errorf("seal the seed of an allocation: %w", err)
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		made, err := db.New(tx).AddRun(ctx, db.AddRunParams{ID: row.ID, N: row.N, Commitment: row.Commitment, SeedSealed: row.SeedSealed, CommittedAt: row.CommittedAt})
		if err != nil || made == 0 {
			return err
		}
		return s.note(ctx, tx, "system", "allocation_commit", row.ID, "the SHA-256 of its seed: "+row.Commitment, seedGroup(row))
	})
	if err != nil {
		return fmt.Errorf("commit to the seed of an allocation: %w", err)
	}
	return nil
}

// commitment is what is published of a seed before it decides anything.
func commitment(seed []byte) string {
	sum := sha256.Sum256(seed)
	return hex.EncodeToString(sum[:])
}

// note writes into the audit log, whose records are the leaves of a tree that outsiders witness,
// what becomes of an allocation.
func (s *Service) note(ctx context.Context, tx *store.Tx, actor, action, id, purpose string, group *audit.Group) error {
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: s.Now(), Actor: actor, Action: "preschool." + action, Object: id, Purpose: purpose, Decided: []*audit.Group{group},
	}})
}

func (s *Service) gatherNow(ctx context.Context, seed []byte, all []Kindergarten) (m market, err error) {
	err = s.DB.Snapshot(ctx, func(tx *sql.Tx) (err error) {
		m, err = s.gather(ctx, db.New(tx), seed, all, s.Now())
		return err
	})
	return m, err
}

// Allocate decides who is offered which free place, and makes the offers. It is computed anew:
// who waits may be others than were shown, but where more seats are free than were shown it is
// refused, so that a mistake of the register does not go further than two persons saw.
//
// What is decided stands, whatever becomes of the first offers: all that are left Proceed makes,
// as a chore, which also meets again, and reports, what failed here.
// Problems: preschool_allocation_gone, _busy, _seats, _none.
func (s *Service) Allocate(ctx context.Context, act staff.Act, shown Shown) (Decided, error) {
	row, seed, err := s.admitted(ctx, shown)
	if err != nil {
		return Decided{}, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return Decided{}, err
	}
	var m market
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		m, err = s.decide(ctx, tx, act, row, seed, all, shown)
		return err
	})
	if err != nil {
		return Decided{}, err
	}
	_ = s.proceed(ctx, 1) // see above
	return Decided{N: row.N, Seats: m.seats(), Waiting: len(m.children), Placed: m.placed(), Shown: shown}, nil
}

// admitted is the next allocation, if it is the one that was shown.
func (s *Service) admitted(ctx context.Context, shown Shown) (db.PreschoolRun, []byte, error) {
	row, seed, err := s.next(ctx)
	if err == nil && row.N != shown.N {
		err = problem.New(problemRunGone.Code, problemRunGone.Key, "n", shown.N)
	}
	return row, seed, err
}

// admit reports whether a market is one that was agreed to.
func (m market) admit(shown Shown) error {
	switch {
	case m.placed() == 0:
		return problemRunNone
	case m.seats() > shown.Seats:
		return problem.New(problemRunSeats.Code, problemRunSeats.Key, "n", m.seats(), "agreed", shown.Seats)
	}
	return nil
}

// decide claims the allocation and writes down what it rests on and decides. Of two who decide
// at once the second finds it claimed. The market is of one moment, after the claim.
func (s *Service) decide(ctx context.Context, tx *store.Tx, act staff.Act, row db.PreschoolRun, seed []byte, all []Kindergarten, shown Shown) (m market, err error) {
	now := s.Now()
	p := s.rules.at(now)
	row.State, row.Seed, row.Intake, row.OpenEvery = runOffering, hex.EncodeToString(seed), int64(p.intake(now)), int64(p.OpenEvery)
	row.ShownSeats, row.ShownWaiting, row.Actor, row.DecidedAt = int64(shown.Seats), int64(shown.Waiting), act.Actor, dbtime.From(now)
	q := db.New(tx)
	claimed, err := q.DecideRun(ctx, db.DecideRunParams{
		Seed: row.Seed, Intake: row.Intake, OpenEvery: row.OpenEvery, ShownSeats: row.ShownSeats, ShownWaiting: row.ShownWaiting,
		Actor: row.Actor, DecidedAt: row.DecidedAt, N: row.N,
	})
	if err != nil {
		return m, fmt.Errorf("claim an allocation: %w", err)
	}
	if claimed == 0 {
		return m, problem.New(problemRunGone.Code, problemRunGone.Key, "n", row.N)
	}
	if m, err = s.gatherNow(ctx, seed, all); err != nil {
		return m, err
	}
	if err := m.admit(shown); err != nil {
		return m, err
	}
	row.Seats, row.Waiting, row.Placed = int64(m.seats()), int64(len(m.children)), int64(m.placed())
	if _, row.Replay, err = writeReplay(row, m); err != nil {
		return m, err
	}
	if err := q.CountRun(ctx, db.CountRunParams{Seats: row.Seats, Waiting: row.Waiting, Placed: row.Placed, Replay: row.Replay, N: row.N}); err != nil {
		return m, fmt.Errorf("count an allocation: %w", err)
	}
	if err := s.keepMarket(ctx, tx, row.N, m); err != nil {
		return m, err
	}
	return m, s.note(ctx, tx, act.Actor, "allocate", row.ID, sayDecided(row), runGroup(row, m))
}

// sayDecided is what the audit log says of an allocation.
func sayDecided(r db.PreschoolRun) string {
	return fmt.Sprintf("free seats: %d (shown: at most %d), children who ask for them: %d (shown: %d), offered: %d; the seed: %s; the SHA-256 of the replay file: %s",
		r.Seats, r.ShownSeats, r.Waiting, r.ShownWaiting, r.Placed, r.Seed, r.Replay)
}
