package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/notify/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// columns are those that SendAll fills, in the order of row's values.
var columns = []string{
	"id", "dedup", "purpose", "locale", "phone_index", "phone_sealed", "text_sealed", "state", "tries", "queued_at", "expires_at", "turn", "about", "topic",
}

var purposes = []Purpose{Code, Answer, Receipt, Statutory, Notice}

// Send puts m into the outbox: it is sent if and only if tx commits.
func (o *Outbox) Send(ctx context.Context, tx *store.Tx, m Message) error {
	return o.SendAll(ctx, tx, []Message{m})
}

// SendAll is Send for several messages, at little more than the cost of one. Those about
// one thing that are sent together leave in their order; none of them replaces another.
func (o *Outbox) SendAll(ctx context.Context, tx *store.Tx, list []Message) error {
	if len(list) == 0 {
		return nil
	}
	now := o.now()
	values := make([]any, 0, len(list)*len(columns))
	jobs := make(map[string]job.Wanted, len(list)) // by the message's id
	subjects := map[string]subject{}               // the same
	for _, m := range list {
		if m.Text == "" && m.Topic != "" {
			if err := o.dropAbout(ctx, tx, o.subject(m), nil); err != nil {
				return err
			}
			continue
		}
		id, state, row, err := o.row(ctx, tx, m, now)
		if err != nil {
			return err
		}
		values = append(values, row...)
		if state == Queued {
			subjects[id] = o.subject(m) // what is kept back replaces nothing
			wanted := job.Wanted{Args: sendJob{ID: id}, Options: job.Options{Bulk: true, Priority: priority(m.Purpose)}}
			if leaves := o.departure(m, now); leaves.After(now) {
				wanted.At = leaves
			}
			jobs[id] = wanted
		}
	}
	if len(values) == 0 {
		return nil
	}
	fresh, err := insert(ctx, tx, values)
	if err != nil {
		return fmt.Errorf("queue messages: %w", err)
	}
	if err := o.supersede(ctx, tx, fresh, subjects); err != nil {
		return err
	}
	wanted := make([]job.Wanted, 0, len(fresh))
	for _, id := range fresh { // the others were asked for before
		if w, queued := jobs[id]; queued {
			wanted = append(wanted, w)
		}
	}
	return o.queue.InsertAll(ctx, tx, wanted)
}

// row makes a message's row.
func (o *Outbox) row(ctx context.Context, tx *store.Tx, m Message, now time.Time) (id string, state State, values []any, err error) {
	if !slices.Contains(purposes, m.Purpose) {
		return "", "", nil, fmt.Errorf("a message has the unknown purpose %q", m.Purpose)
	}
	uid, err := uuid.NewV7()
	if err != nil {
		return "", "", nil, fmt.Errorf("make a message's id: %w", err)
	}
	id = uid.String()
	phone, err := o.sealer.Seal([]byte(m.To), phoneContext)
	if err != nil {
		return "", "", nil, err
	}
	text, err := o.sealer.Seal([]byte(m.Text), textContext)
	if err != nil {
		return "", "", nil, err
	}
	about := o.subject(m)
	blocked, err := blocked(ctx, db.New(tx), m.Purpose, about.phone)
	if err != nil {
		return "", "", nil, err
	}
	state = Queued
	if blocked {
		state = Blocked // kept, so that it can be seen that nothing was lost
	}
	dedup := m.Dedup
	if dedup == "" {
		dedup = id
	}
	return id, state, []any{
		id, dedup, string(m.Purpose), string(m.Locale), about.phone, phone, text, string(state), 0,
		dbtime.From(now), dbtime.From(m.ExpiresAt), m.Turn, m.About, about.topic,
	}, nil
}

// Told reports that a message tells the outcome of a turn.
func (o *Outbox) Told(ctx context.Context, tx *store.Tx, turn string) (bool, error) {
	n, err := db.New(tx).CountTold(ctx, turn)
	if err != nil {
		return false, fmt.Errorf("look whether a turn's outcome was told: %w", err)
	}
	return n > 0, nil
}

// insert writes rows with one statement and gives the ids of those that were not
// asked for before.
func insert(ctx context.Context, tx *store.Tx, values []any) (fresh []string, err error) {
	rows, err := tx.QueryContext(ctx, "INSERT INTO notify_messages ("+strings.Join(columns, ", ")+") VALUES "+
		store.Values(len(values)/len(columns), len(columns))+" ON CONFLICT (dedup) DO NOTHING RETURNING id", values...) // #nosec G202 -- names and $1, $2, …
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // read to the end, or the error tells
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		fresh = append(fresh, id)
	}
	return fresh, rows.Err()
}
