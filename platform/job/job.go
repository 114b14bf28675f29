// Package job runs work after a transaction committed: it stands on River,
// whose jobs are rows inserted in the caller's own transaction, worked at least
// once, and retried with back-off. Work must therefore be idempotent.
//
// A job's arguments are plain columns in the database: they hold ids, never
// personal numbers, one-time codes or message text.
package job

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/eshik-kg/eshik/platform/store"
)

// Args are a job's arguments: a JSON-serialisable struct whose Kind names the
// work, as in "payment.settle".
type Args = river.JobArgs

// Attempt is one try at a job.
type Attempt struct {
	ID     int64
	Number int  // 1 for the first
	Last   bool // no other try follows this one
}

// Options steer one insertion.
type Options struct {
	// At is the earliest moment to work the job; zero: at once.
	At time.Time
	// Bulk works the job apart, so that nothing else waits behind a thousand of its
	// kind.
	Bulk bool
	// Slow works the job apart as well: it may wait for a registry as long as its kind's
	// Pace allows.
	Slow bool
	// Priority orders the jobs that are due, from 1, the first, to 4; zero: 1.
	Priority int
	// MaxAttempts is the number of tries before the job is given up; zero: 25,
	// about a day and a half of back-off.
	MaxAttempts int
}

// Cancel wraps err so that the job is given up without another try.
func Cancel(err error) error { return river.JobCancel(err) }

// Again asks for the job to be worked once more after d, without counting a
// failure.
func Again(d time.Duration) error { return river.JobSnooze(d) }

// Queue inserts jobs and, once started, works them.
type Queue struct {
	db      *store.DB
	log     *slog.Logger
	workers *river.Workers

	insertPG   *river.Client[pgx.Tx]
	insertLite *river.Client[*sql.Tx]

	mu   sync.Mutex
	stop func(context.Context) error
}

// Concurrency is the number of jobs one process works at a time, and
// BulkConcurrency that of those in bulk, which mostly wait for a provider;
// SlowConcurrency is that of the slow ones.
const (
	Concurrency     = 16
	BulkConcurrency = 32
	SlowConcurrency = 16
)

// bulk and slow are the queues of such jobs.
const (
	bulk = "bulk"
	slow = "slow"
)

// jobTimeout bounds one try: a call to a registry and the question how it ended.
const jobTimeout = 25 * time.Second

// New makes a queue on db. Register the work with Handle before Start.
func New(db *store.DB, log *slog.Logger) (*Queue, error) {
	q := &Queue{db: db, log: log, workers: river.NewWorkers()}
	var err error
	if db.Engine() == store.PostgreSQL {
		q.insertPG, err = river.NewClient(riverpgxv5.New(nil), &river.Config{Logger: log})
	} else {
		q.insertLite, err = newLiteClient(db, &river.Config{Logger: log})
	}
	if err != nil {
		return nil, fmt.Errorf("make the job queue: %w", err)
	}
	return q, nil
}

// Handle registers the work for T's kind. An error means: try again later, with
// back-off; see Cancel and Again for the exceptions.
func Handle[T Args](q *Queue, work func(ctx context.Context, args T, attempt Attempt) error) {
	HandleAt(q, Pace{}, work)
}

// Pace is how long the work of a kind takes, where that is not as usual.
type Pace struct {
	// Timeout bounds one try; zero: 25 s.
	Timeout time.Duration
	// Again is the time between a try that failed and the next; zero: 1, 2, 4, …
	// seconds, an hour at most.
	Again time.Duration
}

// HandleAt is Handle for work with a pace of its own.
func HandleAt[T Args](q *Queue, pace Pace, work func(ctx context.Context, args T, attempt Attempt) error) {
	river.AddWorker(q.workers, &worker[T]{pace: pace, work: work})
}

// worker has River do the work of a kind.
type worker[T Args] struct {
	river.WorkerDefaults[T]
	pace Pace
	work func(ctx context.Context, args T, attempt Attempt) error
}

// Work implements river.Worker.
func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error {
	return w.work(ctx, j.Args, Attempt{ID: j.ID, Number: j.Attempt, Last: j.Attempt >= j.MaxAttempts})
}

// Timeout implements river.Worker. River does not take up a job again before it.
func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.pace.Timeout }

// NextRetry implements river.Worker; the zero time is backOff's.
func (w *worker[T]) NextRetry(*river.Job[T]) time.Time {
	if w.pace.Again == 0 {
		return time.Time{}
	}
	return time.Now().Add(w.pace.Again)
}

// Wanted is a job to be enqueued.
type Wanted struct {
	Args Args
	Options
}

// Insert enqueues a job in the caller's transaction: it is worked if and only
// if tx commits.
func (q *Queue) Insert(ctx context.Context, tx *store.Tx, args Args, opts Options) error {
	return q.InsertAll(ctx, tx, []Wanted{{Args: args, Options: opts}})
}

// InsertAll is Insert for several jobs, at little more than the cost of one.
func (q *Queue) InsertAll(ctx context.Context, tx *store.Tx, jobs []Wanted) error {
	if len(jobs) == 0 {
		return nil
	}
	list := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		options := &river.InsertOpts{ScheduledAt: j.At, MaxAttempts: j.MaxAttempts, Priority: j.Priority}
		switch {
		case j.Bulk:
			options.Queue = bulk
		case j.Slow:
			options.Queue = slow
		}
		list[i] = river.InsertManyParams{Args: j.Args, InsertOpts: options}
	}
	var err error
	if tx.Engine == store.PostgreSQL {
		err = withPgx(tx, func(ptx pgx.Tx) error {
			_, err := q.insertPG.InsertManyTx(ctx, ptx, list)
			return err
		})
	} else {
		_, err = q.insertLite.InsertManyTx(ctx, tx.Tx, list)
	}
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", jobs[0].Args.Kind(), err)
	}
	return nil
}

// Start begins to work jobs, until Stop.
func (q *Queue) Start(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stop != nil {
		return errors.New("the job queue runs already")
	}
	config := &river.Config{
		Logger:  q.log,
		Workers: q.workers,
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: Concurrency}, bulk: {MaxWorkers: BulkConcurrency}, slow: {MaxWorkers: SlowConcurrency},
		},
		FetchPollInterval:   200 * time.Millisecond,
		FetchCooldown:       50 * time.Millisecond,
		RetryPolicy:         backOff{},
		ReindexerIndexNames: indexes(),
		JobTimeout:          jobTimeout,
		// A killed process leaves its jobs "running": they are taken up again
		// after this, give or take the half minute in which River looks.
		RescueStuckJobsAfter: jobTimeout + 5*time.Second,
	}
	stop, err := q.start(ctx, config)
	if err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	q.stop = stop
	return nil
}

func (q *Queue) start(ctx context.Context, config *river.Config) (func(context.Context) error, error) {
	if q.db.Engine() == store.SQLite {
		client, err := newLiteClient(q.db, config)
		if err != nil {
			return nil, err
		}
		return client.Stop, client.Start(context.WithoutCancel(ctx))
	}
	pool, err := pgxpool.New(ctx, q.db.Address())
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), config)
	if err != nil {
		pool.Close()
		return nil, err
	}
	stop := func(ctx context.Context) error {
		defer pool.Close()
		return client.Stop(ctx)
	}
	return stop, client.Start(context.WithoutCancel(ctx))
}

// Stop lets the jobs at work finish, until ctx ends.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stop == nil {
		return nil
	}
	stop := q.stop
	q.stop = nil
	return stop(ctx)
}

// unused are the indexes that River makes for tools that search jobs by their
// arguments: nobody here does, and a job passes through each index three times.
var unused = []string{"river_job_args_index", "river_job_metadata_index", "river_job_kind"}

// indexes are those that River renews at night.
func indexes() []string {
	return slices.DeleteFunc(river.ReindexerIndexNamesDefault(), func(name string) bool { return slices.Contains(unused, name) })
}

// Migrate makes or updates the queue's own tables.
func Migrate(ctx context.Context, db *store.DB) error {
	var err error
	if db.Engine() == store.SQLite {
		err = migrate(ctx, riversqlite.New(db.Writer()))
	} else {
		var pool *pgxpool.Pool
		if pool, err = pgxpool.New(ctx, db.Address()); err == nil {
			defer pool.Close()
			err = migrate(ctx, riverpgxv5.New(pool))
		}
		if err == nil {
			_, err = pool.Exec(ctx, "DROP INDEX IF EXISTS "+strings.Join(unused, ", "))
		}
	}
	if err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}

// backOff waits 1, 2, 4, … seconds, an hour at most, give or take a tenth.
type backOff struct{}

// NextRetry implements river.ClientRetryPolicy.
func (backOff) NextRetry(j *rivertype.JobRow) time.Time {
	wait := min(time.Second<<min(len(j.Errors), 12), time.Hour)
	jitter := 0.9 + 0.2*rand.Float64() // #nosec G404 -- spreads load, guards nothing
	return time.Now().Add(time.Duration(float64(wait) * jitter))
}
