// Package analytics counts the use of the services without watching anybody: an
// event holds no phone, no citizen and nothing that leads to one, and published
// figures below a threshold are suppressed.
package analytics

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics/db"
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
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an event's id: %w", err)
	}
	err = db.New(tx).InsertEvent(ctx, db.InsertEventParams{
		ID: id.String(), HappenedAt: dbtime.From(e.At), Day: e.At.In(Bishkek).Format(time.DateOnly),
		Service: e.Service, Step: e.Step, Channel: string(e.Channel), Locale: string(e.Locale),
		Operator: e.Operator, Region: e.Region, Outcome: e.Outcome, DurationMs: e.Duration.Milliseconds(),
	})
	if err != nil {
		return fmt.Errorf("count an event: %w", err)
	}
	return nil
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
	err := r.db.InTx(ctx, func(tx *store.Tx) error {
		for _, e := range events {
			if err := r.InTx(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.log.Error("events could not be counted", "events", len(events), "error", err)
	}
}
