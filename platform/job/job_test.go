package job_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/storetest"
)

type note struct {
	Text string `json:"text"`
}

var errPlanned = errors.New("planned")

func (note) Kind() string { return "test.note" }

func start(t *testing.T, db *store.DB, work func(context.Context, note, job.Attempt) error) *job.Queue {
	t.Helper()
	q, err := job.New(db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	job.Handle(q, work)
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return q
}

func insert(t *testing.T, db *store.DB, q *job.Queue, text string, fail error) {
	t.Helper()
	err := db.InTx(t.Context(), func(tx *store.Tx) error {
		if err := q.Insert(t.Context(), tx, note{text}, job.Options{}); err != nil {
			t.Error(err)
		}
		return fail
	})
	if !errors.Is(err, fail) {
		t.Fatal(err)
	}
}

func TestAJobIsWorkedIfAndOnlyIfItsTransactionCommits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		worked := make(chan string, 10)
		q := start(t, db, func(_ context.Context, n note, _ job.Attempt) error {
			worked <- n.Text
			return nil
		})
		insert(t, db, q, "rolled back", errPlanned)
		insert(t, db, q, "committed", nil)
		if got := receive(t, worked); got != "committed" {
			t.Fatalf("worked %q", got)
		}
	})
}

// However many jobs in bulk hang, all others go on.
func TestBulkHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		worked, hold := make(chan string, 10), make(chan struct{})
		q := start(t, db, func(_ context.Context, n note, _ job.Attempt) error {
			if n.Text == "bulk" {
				<-hold
				return nil
			}
			worked <- n.Text
			return nil
		})
		t.Cleanup(func() { close(hold) }) // before the queue is stopped
		err := db.InTx(t.Context(), func(tx *store.Tx) error {
			var jobs []job.Wanted
			for range 2 * job.BulkConcurrency {
				jobs = append(jobs, job.Wanted{Args: note{"bulk"}, Options: job.Options{Bulk: true}})
			}
			return q.InsertAll(t.Context(), tx, append(jobs, job.Wanted{Args: note{"payment"}}))
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := receive(t, worked); got != "payment" {
			t.Fatalf("worked %q", got)
		}
	})
}

func TestAFailedJobIsTriedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var tries atomic.Int32
		worked := make(chan int, 1)
		q := start(t, db, func(_ context.Context, _ note, a job.Attempt) error {
			if tries.Add(1) < 2 {
				return errors.New("planned")
			}
			worked <- a.Number
			return nil
		})
		insert(t, db, q, "again", nil)
		if n := receive(t, worked); n != 2 {
			t.Fatalf("worked at try %d", n)
		}
	})
}

// A kind with a pace of its own is tried again after it, and slow jobs hold nobody up.
func TestPace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q, err := job.New(db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		tries, bounds := make(chan time.Time, 4), make(chan time.Duration, 4)
		job.HandleAt(q, job.Pace{Timeout: time.Minute, Again: 3 * time.Second}, func(ctx context.Context, _ note, a job.Attempt) error {
			until, _ := ctx.Deadline()
			bounds <- time.Until(until)
			tries <- time.Now()
			if a.Number == 1 {
				return errPlanned
			}
			return nil
		})
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = q.Stop(context.WithoutCancel(t.Context())) })
		err = db.InTx(t.Context(), func(tx *store.Tx) error {
			return q.Insert(t.Context(), tx, note{"slow"}, job.Options{Slow: true})
		})
		if err != nil {
			t.Fatal(err)
		}
		first, bound := receive(t, tries), receive(t, bounds)
		if again := receive(t, tries).Sub(first); again < 2900*time.Millisecond || bound < 50*time.Second {
			t.Errorf("tried again after %v, within %v", again, bound)
		}
	})
}

func receive[T any](t *testing.T, from <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-from:
	case <-time.After(30 * time.Second):
		t.Fatal("no job was worked")
	}
	return got
}
