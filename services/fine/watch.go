package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// The register takes subscriptions and publishes no way to tell subscribers of a fine: every
// linked car is asked about in turn. A car that is due is leased to a job, so that a register
// that is slow or down makes no second job of it; the job, or the end of the lease where its
// process died, makes it due again.
const (
	watchLease = time.Hour
	watchBatch = 200 // cars that one round gives to the queue
	// forgetAfter is how long an unlinked car is kept for the register to hear of it.
	forgetAfter = 24 * time.Hour
)

// The kinds of what is told of a fine, each once.
const (
	kindNew  = "new"
	kindEnds = "ends" // its discount ends soon
)

// watchArgs name a car.
type watchArgs struct {
	Car string `json:"car"`
}

// Kind implements job.Args.
func (watchArgs) Kind() string { return "fine.watch" }

// WatchDue gives the cars that are due to the queue.
func (s *Service) WatchDue(ctx context.Context) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		now := s.Now()
		ids, err := db.New(tx).ClaimCars(ctx, db.ClaimCarsParams{DueAt: dbtime.From(now), LeaseAt: dbtime.From(now.Add(watchLease)), Most: watchBatch})
		if err != nil {
			return err
		}
		jobs := make([]job.Wanted, 0, len(ids))
		for _, id := range ids {
			// Behind all else that waits for a register: nobody holds a phone meanwhile.
			jobs = append(jobs, job.Wanted{Args: watchArgs{id}, Options: job.Options{Slow: true, Priority: 4, MaxAttempts: 3}})
		}
		return s.Queue.InsertAll(ctx, tx, jobs)
	})
	if err != nil {
		return fmt.Errorf("take up the cars that are due: %w", err)
	}
	return nil
}

// Watch asks the register about a linked car and tells its phone what is new. Each thing is
// told once, however often it is asked, and whenever the process dies.
func (s *Service) Watch(ctx context.Context, id string) error {
	row, err := db.New(s.DB.Reader()).GetCar(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read a car: %w", err)
	}
	car, err := s.car(row, caller.Caller{})
	if err != nil {
		return err
	}
	if row.EndedAt.IsZero() {
		err = s.look(ctx, row, car.Plate)
	} else {
		err = s.letGo(ctx, row, car.Plate)
	}
	if err != nil { // it is asked again at its next turn, as everything here may be
		s.Log.WarnContext(ctx, "a car could not be watched", "car", id, "error", err)
	}
	next := s.Now().Add(time.Duration(policy.Value("watch.minutes", s.Now())) * time.Minute)
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		return db.New(tx).NextWatch(ctx, db.NextWatchParams{ID: id, WatchAt: dbtime.From(next)})
	})
	if err != nil {
		return fmt.Errorf("note when a car is watched next: %w", err)
	}
	return nil
}

// letGo tells the register that a car is followed no more, and forgets it.
func (s *Service) letGo(ctx context.Context, row db.FineCar, plate string) error {
	if !row.FollowedAt.IsZero() && s.Now().Before(row.EndedAt.Add(forgetAfter)) {
		pin, err := s.Identity.PIN(ctx, row.CitizenID)
		if err == nil {
			err = s.Follower.Unsubscribe(ctx, callAbout(row, pin), pin, plate, row.ID)
		}
		if err != nil && problem.From(err).Code == problem.Unavailable {
			return err
		}
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		n, err := db.New(tx).HoldEnded(ctx, row.ID)
		switch {
		case err != nil:
			return fmt.Errorf("hold a car that was unlinked: %w", err)
		case n > 0:
			return s.forget(ctx, tx, row)
		}
		// It was linked again while the register was told: it is to be told so too.
		return db.New(tx).Unfollowed(ctx, row.ID)
	})
}

// forget deletes a car and what was told of it.
func (s *Service) forget(ctx context.Context, tx *store.Tx, row db.FineCar) error {
	q := db.New(tx)
	if err := q.ForgetTold(ctx, row.ID); err != nil {
		return fmt.Errorf("forget what was told of a car: %w", err)
	}
	if err := q.DeleteCar(ctx, row.ID); err != nil {
		return fmt.Errorf("forget a car: %w", err)
	}
	return nil
}

func callAbout(row db.FineCar, pin string) registry.Call {
	return registry.Call{UserID: "KG" + pin, Issue: row.ID}
}

// look tells what is new of a linked car. One that is the citizen's no more is unlinked.
func (s *Service) look(ctx context.Context, row db.FineCar, plate string) error {
	if row.PhoneIndex == "" { // nobody would be told
		return nil
	}
	pin, err := s.Identity.PIN(ctx, row.CitizenID)
	if err != nil {
		return fmt.Errorf("read the owner's number: %w", err)
	}
	if row.FollowedAt.IsZero() {
		s.follow(ctx, row, pin, plate)
	}
	records, err := s.Register.Violations(ctx, callAbout(row, pin), pin, plate)
	if err != nil && problem.From(err).Key == "problem.registry_not_owner" {
		return s.sold(ctx, row, plate)
	}
	if err != nil {
		return fmt.Errorf("ask for a car's fines: %w", err)
	}
	told, err := s.toldOf(ctx, row.ID)
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range records {
		if !r.Paid {
			failed = append(failed, s.announce(ctx, row, plate, r, told))
		}
	}
	return errors.Join(failed...)
}

// follow has the register count us a subscriber. That it does not costs nothing: it is asked.
func (s *Service) follow(ctx context.Context, row db.FineCar, pin, plate string) {
	err := s.Follower.Subscribe(ctx, callAbout(row, pin), pin, plate, row.ID)
	if err == nil {
		err = s.DB.InTx(ctx, func(tx *store.Tx) error {
			return db.New(tx).Followed(ctx, db.FollowedParams{ID: row.ID, FollowedAt: dbtime.From(s.Now())})
		})
	}
	if err != nil {
		s.Log.DebugContext(ctx, "the register takes no subscription", "car", row.ID, "error", err)
	}
}

// toldOf are the kinds and numbers that were told of a car.
func (s *Service) toldOf(ctx context.Context, id string) (map[string]bool, error) {
	rows, err := db.New(s.DB.Reader()).ToldOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read what was told of a car: %w", err)
	}
	told := make(map[string]bool, len(rows))
	for _, r := range rows {
		told[r.Kind+" "+r.Number] = true
	}
	return told, nil
}
