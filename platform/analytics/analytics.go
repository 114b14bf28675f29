// Package analytics counts the use of the services without watching anybody: an
// event holds no phone, no citizen and nothing that leads to one, and published
// figures below a threshold are suppressed.
package analytics

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
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
// others in the background, some at a time.
type Recorder struct {
	db    *store.DB
	log   *slog.Logger
	later chan Event
	done  chan struct{}
}

// The background writer's bounds. A full buffer drops events rather than make a
// citizen wait; a killed process loses at most flushEvery of them.
const (
	buffered   = 16384
	batch      = 512
	flushEvery = 250 * time.Millisecond
)

// NewRecorder starts the background writer; Close stops it.
func NewRecorder(db *store.DB, log *slog.Logger) *Recorder {
	r := &Recorder{db: db, log: log, later: make(chan Event, buffered), done: make(chan struct{})}
	go r.run()
	return r
}

// InTx writes e in the caller's transaction: it counts if and only if tx commits.
func (r *Recorder) InTx(ctx context.Context, tx *store.Tx, e Event) error {
	return insert(ctx, tx, []Event{e})
}

// columns are those of analytics_events, in the order of values.
const columns = 11

// insert writes events with one statement: at every step of every talk there is
// one, and a statement each would cost the database more than all else.
func insert(ctx context.Context, tx *store.Tx, events []Event) error {
	var query strings.Builder
	query.WriteString("INSERT INTO analytics_events (id, happened_at, day, service, step, channel, locale, operator, region, outcome, duration_ms) VALUES ")
	values := make([]any, 0, columns*len(events))
	for i, e := range events {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make an event's id: %w", err)
		}
		for column := range columns {
			query.WriteString(separator(i, column))
			query.WriteString(strconv.Itoa(len(values) + column + 1))
		}
		query.WriteString(")")
		values = append(values, id.String(), dbtime.From(e.At), e.At.In(Bishkek).Format(time.DateOnly), e.Service, e.Step,
			string(e.Channel), string(e.Locale), e.Operator, e.Region, e.Outcome, e.Duration.Milliseconds())
	}
	if _, err := tx.ExecContext(ctx, query.String(), values...); err != nil {
		return fmt.Errorf("count events: %w", err)
	}
	return nil
}

// separator is what stands before the placeholder of a row's column.
func separator(row, column int) string {
	switch {
	case column > 0:
		return ", $"
	case row > 0:
		return ", ($"
	}
	return "($"
}

// Bishkek is the time zone of the published days: UTC+6, no summer time.
var Bishkek = time.FixedZone("Asia/Bishkek", 6*60*60)

// Later writes e soon, in the background.
func (r *Recorder) Later(e Event) {
	select {
	case r.later <- e:
	default:
		r.log.Warn("the buffer of events is full: one is not counted", "service", e.Service)
	}
}

// Close writes what is buffered and stops. Later must not be called after it.
func (r *Recorder) Close() {
	close(r.later)
	<-r.done
}

func (r *Recorder) run() {
	defer close(r.done)
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	var events []Event
	for {
		select {
		case e, open := <-r.later:
			if !open {
				r.flush(events)
				return
			}
			if events = append(events, e); len(events) < batch {
				continue
			}
		case <-tick.C:
		}
		r.flush(events)
		events = events[:0]
	}
}

func (r *Recorder) flush(events []Event) {
	if len(events) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := r.db.InTx(ctx, func(tx *store.Tx) error { return insert(ctx, tx, events) })
	if err != nil {
		r.log.Error("events could not be counted", "events", len(events), "error", err)
	}
}
