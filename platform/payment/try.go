package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eshik-kg/eshik/platform/payment/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// The times of a try.
const (
	// queueTakes is how long the job queue has for a new payment's first try
	// before the sweep makes it.
	queueTakes = 10 * time.Second
	// tryTime bounds one try; leaseTime is when another may begin although the
	// first never said that it ended: it was killed.
	tryTime   = 25 * time.Second
	leaseTime = 45 * time.Second
	// lineTime is what a bill may need: two calls of a registry.
	lineTime = 17 * time.Second
	// keepTime is for keeping what a registry answered, whatever is left of the
	// try's time: an answer that is lost here is a payment in doubt.
	keepTime = 10 * time.Second
	// longestWait is the longest pause between two tries of one payment, and
	// probeEvery how often one of all that wait for a register is tried: its
	// success wakes the others.
	longestWait = 15 * time.Minute
	probeEvery  = 10 * time.Second
)

const (
	sweepBatch = 64
	// sweepAtOnce is the pace at which a register that answers again is asked.
	sweepAtOnce = 16
	// sweepFailures in a row end a sweep: the register is away still.
	sweepFailures = 5
)

var errLater = errors.New("the rest waits for the next try")

// keeping is a context for writing down what has happened already.
func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), keepTime)
}

// Settle tries once, now, to tell the register of each bill of an accepted
// payment that it has not been told of for certain. It does nothing while another
// try is under way. An error means that some are left: the payment says when the
// next try is due, and Sweep makes it.
func (s *Service) Settle(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	row, began, err := s.beginTry(ctx, id)
	if err != nil || !began {
		return err
	}
	failed := s.settleLines(ctx, row)
	ctx, done := keeping(ctx)
	defer done()
	next := s.Now()
	if failed != nil {
		next = next.Add(pause(row.Tries))
	}
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		if err := q.EndTry(ctx, db.EndTryParams{ID: id, TryAt: dbtime.From(next), Tries: row.Tries}); err != nil {
			return err
		}
		answers := failed == nil // the register does, so what waits for it goes on
		if !answers || !s.behind.Load() {
			return nil
		}
		_, err := q.AwakenPayments(ctx, db.AwakenPaymentsParams{Service: row.Service, Now: dbtime.From(s.Now())})
		return err
	})
	if err != nil {
		err = fmt.Errorf("end a try: %w", err)
	}
	return errors.Join(failed, err)
}

// beginTry takes the payment for this process, unless another has it.
func (s *Service) beginTry(ctx context.Context, id string) (row db.Payment, began bool, err error) {
	now := s.Now()
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		q := db.New(tx)
		n, err := q.BeginTry(ctx, db.BeginTryParams{ID: id, Until: dbtime.From(now.Add(leaseTime)), Now: dbtime.From(now)})
		if began = n == 1; err != nil || !began {
			return err
		}
		row, err = q.GetPayment(ctx, id)
		return err
	})
	if err != nil {
		return row, false, fmt.Errorf("begin to settle a payment: %w", err)
	}
	return row, began, nil
}

// pause is how long to wait after a number of tries: 1, 2, 4, … seconds, a quarter
// of an hour at most, give or take a tenth.
func pause(tries int64) time.Duration {
	wait := min(time.Second<<min(max(tries-1, 0), 12), longestWait)
	return time.Duration(float64(wait) * (0.9 + 0.2*rand.Float64())) // #nosec G404 -- spreads load, guards nothing
}

// Sweep tries every accepted payment whose next try is due, whether a job for it
// lives or not, and one of those that still wait where a register has not been
// asked for a while. Call it every few seconds, from any number of processes. An
// error names what could not be looked up; a register that does not answer is none.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		due, err := db.New(s.DB.Reader()).DuePayments(ctx, db.DuePaymentsParams{Now: dbtime.From(s.Now()), UpTo: sweepBatch})
		if err != nil {
			return fmt.Errorf("look for payments to settle: %w", err)
		}
		more := s.tryAll(ctx, due)
		if !more || len(due) < sweepBatch || ctx.Err() != nil {
			break
		}
	}
	waiting, err := db.New(s.DB.Reader()).CountAccepted(ctx)
	if err != nil {
		return fmt.Errorf("count the payments to settle: %w", err)
	}
	s.behind.Store(waiting > 0)
	if waiting == 0 {
		return nil
	}
	for service := range s.billers {
		if err := s.probe(ctx, service); err != nil {
			return err
		}
	}
	return nil
}

// tryAll tries payments, some at once, and reports whether to go on: it stops when
// several in a row have failed.
func (s *Service) tryAll(ctx context.Context, ids []string) (more bool) {
	var all sync.WaitGroup
	var failures atomic.Int64
	slots := make(chan struct{}, sweepAtOnce)
	for _, id := range ids {
		slots <- struct{}{}
		if failures.Load() >= sweepFailures || ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			if err := s.Settle(ctx, id); err != nil {
				failures.Add(1)
				s.Log.Warn("a settlement is still open", "payment", id, "error", err)
				return
			}
			failures.Store(0)
		})
	}
	all.Wait()
	return failures.Load() < sweepFailures
}

// probe asks a register that nobody has asked for a while, by the payment that
// waited longest: however long the pauses have become, an outage's end is seen.
func (s *Service) probe(ctx context.Context, service string) error {
	q := db.New(s.DB.Reader())
	last, err := q.LastTried(ctx, service)
	if errors.Is(err, sql.ErrNoRows) || err == nil && s.Now().Sub(last.Time) < probeEvery {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the last try: %w", err)
	}
	id, err := q.LongestUntried(ctx, service)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a payment that waits: %w", err)
	}
	s.tryAll(ctx, []string{id})
	return nil
}

// Waiting is what is taken and not done with.
type Waiting struct {
	// Accepted payments wait for their register, Suspended for an operator, Refunds for
	// the partner to give back what is due; Asked are refunds that partners ask for.
	Accepted, Suspended, Refunds, Asked int64
	// The oldest of each: its id and when its money was taken; empty: none waits.
	OldestAccepted, OldestSuspended string
	AcceptedSince, SuspendedSince   time.Time
	RefundsSince                    time.Time // when the oldest of them fell due
	AskedSince                      time.Time
}

// Waiting tells what is taken and not done with.
func (s *Service) Waiting(ctx context.Context) (w Waiting, err error) {
	q := db.New(s.DB.Reader())
	if w.Accepted, err = q.CountAccepted(ctx); err != nil {
		return w, fmt.Errorf("count the payments to settle: %w", err)
	}
	if w.Suspended, err = q.CountSuspended(ctx); err != nil {
		return w, fmt.Errorf("count the payments in doubt: %w", err)
	}
	accepted, err := q.OldestAccepted(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return w, fmt.Errorf("find the oldest payment to settle: %w", err)
	}
	w.OldestAccepted, w.AcceptedSince = accepted.ID, accepted.AcceptedAt.Time
	suspended, err := q.OldestSuspended(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return w, fmt.Errorf("find the oldest payment in doubt: %w", err)
	}
	w.OldestSuspended, w.SuspendedSince = suspended.ID, suspended.AcceptedAt.Time
	return w, s.waitingRefunds(ctx, &w)
}
