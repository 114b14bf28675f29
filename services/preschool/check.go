package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// Check compares the queue with the audit log: a place in it is a moment at which
// something was recorded of the registration.
type Check struct {
	seen     map[string]*past // by registration number
	imported int
}

// past is what the log says of a registration.
type past struct {
	registered time.Time
	moved      []time.Time // answers and lapsed offers, which may move to the end
	placed     bool
	left       bool
}

// NewCheck makes a Check. Give it the audit log by See before Run.
func NewCheck() *Check { return &Check{seen: map[string]*past{}} }

// See takes a record of the audit log.
func (c *Check) See(e audit.Entry) {
	var rows int
	switch e.Action {
	case "preschool.import":
		if _, err := fmt.Sscanf(e.Object, "%d registrations", &rows); err == nil {
			c.imported += rows
		}
	case "preschool.register":
		c.of(e.Object).registered = e.At
	case "preschool.answer":
		p := c.of(e.Object)
		p.moved = append(p.moved, e.At)
		p.placed = p.placed || e.Purpose == "offer "+string(Accepted)
	case "preschool.leave":
		p := c.of(e.Object)
		p.placed, p.left = false, true
	}
}

func (c *Check) of(number string) *past {
	if c.seen[number] == nil {
		c.seen[number] = &past{}
	}
	return c.seen[number]
}

// Run reads the queue within a snapshot and returns an error that names each
// registration that is not what the log says. Of a registration that was imported
// the log knows no moment: its place is its import's, or a later answer's.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	found, imported, err := c.registrations(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the queue: %w", err)
	}
	for number, p := range c.seen {
		if !p.registered.IsZero() {
			found = append(found, fmt.Errorf("the registration %s is gone: the audit log has it", number))
		}
	}
	if imported != c.imported {
		found = append(found, fmt.Errorf("%d registrations were not made here, the audit log says %d", imported, c.imported))
	}
	apart, err := choicesApart(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the queue: %w", err)
	}
	twice, err := heldTwice(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the queue: %w", err)
	}
	return errors.Join(slices.Concat(found, apart, twice)...)
}

func (c *Check) registrations(ctx context.Context, tx *sql.Tx) (found []error, imported int, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT number, state, registered_at, queued_at FROM preschool_registrations")
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		var number, state string
		var registered, queued dbtime.Time
		if err := rows.Scan(&number, &state, &registered, &queued); err != nil {
			return nil, 0, err
		}
		p := c.seen[number]
		delete(c.seen, number)
		if p == nil {
			p = &past{}
		}
		if p.registered.IsZero() {
			imported++
			p.registered = registered.Time
		}
		if err := p.compare(number, state, registered.Time, queued.Time); err != nil {
			found = append(found, err)
		}
	}
	return found, imported, rows.Err()
}

// compare names what of a registration is not as the log says.
func (p *past) compare(number, state string, registered, queued time.Time) error {
	var found []error
	if !registered.Equal(micro(p.registered)) {
		found = append(found, fmt.Errorf("the registration %s is of %s, the audit log says %s", number, registered, p.registered))
	}
	moment := func(at time.Time) bool { return queued.Equal(micro(at)) }
	if !moment(p.registered) && !slices.ContainsFunc(p.moved, moment) {
		found = append(found, fmt.Errorf("the registration %s has its place since %s, of which the audit log knows nothing", number, queued))
	}
	if state == string(StatePlaced) != p.placed || state == string(StateLeft) != p.left {
		found = append(found, fmt.Errorf("the registration %s is %s, which the audit log does not say", number, state))
	}
	return errors.Join(found...)
}

// micro is a moment as the database keeps it.
func micro(t time.Time) time.Time { return dbtime.From(t).Time }

// choicesApart names registrations whose choices stand elsewhere in the queue.
func choicesApart(ctx context.Context, tx *sql.Tx) (found []error, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT c.number, c.choice FROM preschool_choices c JOIN preschool_registrations r ON r.id = c.registration_id "+
		"WHERE c.queued_at <> r.queued_at OR c.benefit_rank <> r.benefit_rank OR (c.queued = TRUE AND r.state IN ('placed', 'left'))")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		var number string
		var choice int
		if err := rows.Scan(&number, &choice); err != nil {
			return nil, err
		}
		found = append(found, fmt.Errorf("choice %d of the registration %s stands in the queue where its registration does not", choice, number))
	}
	return found, rows.Err()
}

// heldTwice names registrations of children who have a place and, beside it, another
// place or one in the queue: they are of before that was refused.
func heldTwice(ctx context.Context, tx *sql.Tx) (found []error, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT r.number, other.number, other.state FROM preschool_registrations r "+
		"JOIN preschool_registrations other ON other.child_index = r.child_index AND other.id <> r.id "+
		"WHERE r.state = 'placed' AND other.state <> 'left' AND (other.state <> 'placed' OR other.number > r.number) "+
		"ORDER BY r.number, other.number")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	for rows.Next() {
		var placed, other, state string
		if err := rows.Scan(&placed, &other, &state); err != nil {
			return nil, err
		}
		found = append(found, fmt.Errorf("the child of the registration %s has a place, and is %s by the registration %s too: "+
			"have one given back (eshik staff take-back)", placed, state, other))
	}
	return found, rows.Err()
}
