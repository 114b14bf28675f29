// Package analytics counts the use of the services without watching anybody: an
// event holds no phone, no citizen and nothing that leads to one, and published
// figures below a threshold are suppressed.
package analytics

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Event is one finished or abandoned step of somebody's use of a service.
type Event struct {
	At       time.Time
	Service  string
	Step     string
	Channel  caller.Channel
	Locale   locales.Locale
	Operator string
	Region   string // ISO 3166-2 of what was asked about, empty when unknown
	Outcome  string // done, abandoned, refused, failed
	Duration time.Duration
}

// Of makes the event of what c just did.
func Of(c caller.Caller, service, step, outcome string) Event {
	return Event{
		At: c.Now, Service: service, Step: step, Channel: c.Channel, Locale: c.Locale,
		Operator: c.Operator, Outcome: outcome,
	}
}

// Recorder writes events: those of a change of state in its transaction, all
// others in the background, some at a time and equal ones as one row.
type Recorder struct {
	db    *store.DB
	log   *slog.Logger
	later chan Event
	stop  chan struct{}
	done  chan struct{}
}

// The background writer's bounds. A full buffer drops events rather than make a
// citizen wait; a killed process loses at most flushEvery of them.
const (
	buffered   = 16384
	batch      = 512  // rows
	maxKept    = 2048 // rows that wait for a database which fails
	flushEvery = 250 * time.Millisecond
)

// moment is how exactly is known when an event happened that was counted in the
// background: equal ones of one moment are one row.
const moment = time.Minute

// tally is how often an event happened, and how long it took in all.
type tally struct {
	times int64
	took  time.Duration
}

// NewRecorder starts the background writer; Close stops it.
func NewRecorder(db *store.DB, log *slog.Logger) *Recorder {
	r := &Recorder{db: db, log: log, later: make(chan Event, buffered), stop: make(chan struct{}), done: make(chan struct{})}
	go r.run()
	return r
}

// InTx writes e in the caller's transaction: it counts if and only if tx commits.
func (r *Recorder) InTx(ctx context.Context, tx *store.Tx, e Event) error {
	return insert(ctx, tx, map[Event]tally{e: {times: 1, took: e.Duration}})
}

// columns are those that insert fills, in the order of its values.
var columns = []string{
	"id", "happened_at", "day", "service", "step", "channel", "locale", "operator", "region", "outcome", "duration_ms", "times",
}

// rowsAtOnce bounds one statement: SQLite binds thousands of values slowly.
const rowsAtOnce = 128

// insert writes events, many with one statement: at every step of every conversation there is
// one, and a statement each would cost the database more than all else.
func insert(ctx context.Context, tx *store.Tx, events map[Event]tally) error {
	values := make([]any, 0, len(columns)*len(events))
	for e, t := range events {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make an event's id: %w", err)
		}
		values = append(values, id.String(), dbtime.From(e.At), clock.ISODay(e.At), e.Service, e.Step,
			string(e.Channel), string(e.Locale), e.Operator, e.Region, e.Outcome, t.took.Milliseconds(), t.times)
	}
	for some := range slices.Chunk(values, rowsAtOnce*len(columns)) {
		query := "INSERT INTO analytics_events (" + strings.Join(columns, ", ") + ") VALUES " + store.Values(len(some)/len(columns), len(columns))
		if _, err := tx.ExecContext(ctx, query, some...); err != nil {
			return fmt.Errorf("count events: %w", err)
		}
	}
	return nil
}

// Later writes e soon, in the background.
func (r *Recorder) Later(e Event) {
	select {
	case r.later <- e:
	default:
		r.log.Warn("the buffer of events is full: one is not counted", "service", e.Service)
	}
}

// Close writes what is buffered and stops. What comes later is not counted.
func (r *Recorder) Close() {
	close(r.stop)
	<-r.done
}

func (r *Recorder) run() {
	defer close(r.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	events := map[Event]tally{}
	for {
		select {
		case <-r.stop:
			for range len(r.later) {
				add(events, <-r.later)
			}
			r.flush(events)
			return
		case e := <-r.later:
			if add(events, e); len(events) != batch {
				continue
			}
		case <-tick.C:
		}
		r.flush(events)
	}
}

// add counts e among its equals.
func add(events map[Event]tally, e Event) {
	took := e.Duration
	e.At, e.Duration = e.At.UTC().Truncate(moment), 0
	t := events[e]
	events[e] = tally{times: t.times + 1, took: t.took + took}
}

// flush writes the events and forgets them. Those that cannot be written wait for
// the next time, unless they are too many.
func (r *Recorder) flush(events map[Event]tally) {
	if len(events) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := r.db.InTx(ctx, func(tx *store.Tx) error { return insert(ctx, tx, events) })
	if err != nil {
		r.log.Error("events could not be counted", "rows", len(events), "error", err)
	}
	if err == nil || len(events) > maxKept {
		clear(events)
	}
}
