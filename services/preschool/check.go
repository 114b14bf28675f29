package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Check compares the queue with the audit log: a place in it is a moment at which
// something was recorded of the registration, its state is what was offered and
// answered, and what the log has digests of is what the rows say (see decided.go).
type Check struct {
	log      *audit.Log
	seen     map[string]*past // by registration number
	imported int
	older    int
	runs     *runCheck
}

// past is what the log says of a registration.
type past struct {
	registered time.Time
	takenOver  bool
	moved      []time.Time // answers and lapsed offers, which may move to the end
	offers     []offerSaid
	ended      State                 // left or withdrawn; empty: neither
	keptUntil  time.Time             // until when another may take its place over; zero: none may
	placeOf    string                // the registration whose place it took over; empty: none
	said       map[string]audit.Said // by group; the last word holds
	laundered  []error               // what was changed before a step of ours
}

// offerSaid is what the log says of one offer.
type offerSaid struct {
	state OfferState
	said  audit.Said
}

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log, sealer *seal.Sealer) *Check {
	return &Check{log: log, seen: map[string]*past{}, runs: newRunCheck(log, sealer)}
}

// Older is how many of the records seen are from before what they decided was kept.
func (c *Check) Older() int { return c.older }

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) {
	c.runs.see(r)
	switch r.Action {
	case "preschool.import":
		var rows int
		if _, err := fmt.Sscanf(r.Object, "%d registrations", &rows); err == nil {
			c.imported += rows
		}
		return
	case "preschool.register":
		p := c.of(r.Object)
		p.registered = r.At
		c.succeeds(p, r)
	case "preschool.take_over":
		c.of(r.Object).takenOver = true
	case "preschool.offer":
		p := c.of(r.Object)
		p.offers = append(p.offers, offerSaid{state: Open})
	case "preschool.answer", "preschool.expire":
		p := c.of(r.Object)
		p.moved = append(p.moved, r.At)
		if n := len(p.offers); n > 0 {
			for _, state := range []OfferState{Accepted, Declined, Missed} {
				if r.Purpose == "offer "+string(state) {
					p.offers[n-1].state = state
				}
			}
		}
	case "preschool.leave":
		c.of(r.Object).ended = StateLeft
	case "preschool.withdraw":
		c.of(r.Object).withdrawn(r)
	case "preschool.benefit", "preschool.phone", "preschool.erase":
	default:
		return
	}
	if !r.Compares() {
		c.older++
	}
	c.of(r.Object).hear(r)
}

// hear keeps what a record says, and what its step found otherwise than the record before
// says; after one that says nothing, nothing is known.
func (p *past) hear(r audit.Recorded) {
	if !r.Compares() {
		clear(p.said)
		for i := range p.offers {
			p.offers[i].said = audit.Said{}
		}
	}
	for group, now := range r.Says() {
		if n := len(p.offers); group == groupOffer && n > 0 {
			p.follows(r, group, p.offers[n-1].said)
			p.offers[n-1].said = now
			continue
		}
		p.follows(r, group, p.said[group])
		p.said[group] = now
	}
}

// follows compares what a step found with what the record before says.
func (p *past) follows(r audit.Recorded, group string, before audit.Said) {
	if !r.Follows(group, before) {
		p.laundered = append(p.laundered, fmt.Errorf("the registration %s was changed in its %s between the audit records %s and %s",
			r.Object, group, before.Record(), r.ID))
	}
}

func (c *Check) of(number string) *past {
	if c.seen[number] == nil {
		c.seen[number] = &past{said: map[string]audit.Said{}}
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
		if !p.registered.IsZero() || p.takenOver {
			found = append(found, fmt.Errorf("the registration %s is gone: the audit log has it", number))
		}
	}
	if imported != c.imported {
		found = append(found, fmt.Errorf("%d registrations were not made here, the audit log says %d", imported, c.imported))
	}
	apart, err := tablesApart(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the queue: %w", err)
	}
	runs, err := c.runs.run(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the allocations: %w", err)
	}
	return errors.Join(slices.Concat(found, apart, runs)...)
}

func (c *Check) registrations(ctx context.Context, tx *sql.Tx) (found []error, imported int, err error) {
	for after := ""; ; {
		page, err := readPage(ctx, tx, after)
		if err != nil || len(page) == 0 {
			return found, imported, err
		}
		for _, f := range page {
			after = f.row.ID
			p := c.seen[f.row.Number]
			delete(c.seen, f.row.Number)
			if p == nil {
				p = &past{}
			}
			if p.registered.IsZero() {
				imported++
				p.registered = f.row.RegisteredAt.Time
			}
			found = append(found, c.compare(f, p)...)
		}
	}
}

// compare names what of a registration is not as the log says.
func (c *Check) compare(f *file, p *past) (found []error) {
	number := f.row.Number
	found = append(found, p.laundered...)
	say := func(format string, args ...any) { found = append(found, fmt.Errorf(format, args...)) }
	if !f.row.RegisteredAt.Equal(micro(p.registered)) {
		say("the registration %s is of %s, the audit log says %s", number, f.row.RegisteredAt, p.registered)
	}
	moment := func(at time.Time) bool { return f.row.QueuedAt.Equal(micro(at)) }
	if !moment(p.registered) && !slices.ContainsFunc(p.moved, moment) && (p.placeOf == "" || f.placeOf != p.placeOf) {
		say("the registration %s has its place since %s, of which the audit log knows nothing", number, f.row.QueuedAt)
	}
	if State(f.row.State) != p.state() {
		say("the registration %s is %s, which the audit log does not say", number, f.row.State)
	}
	for _, g := range registrationGroups(f.row, f.choices) {
		if s := p.said[g.Name()]; s.Known() && !c.log.Fits(s, number, g) {
			say("the registration %s is not in its %s what the audit record %s says", number, g.Name(), s.Record())
		}
	}
	if len(f.offers) != len(p.offers) {
		say("the registration %s has %d offers, the audit log says %d", number, len(f.offers), len(p.offers))
		return found
	}
	for i, o := range f.offers {
		want := p.offers[i]
		if OfferState(o.State) != want.state {
			say("the offer %d of the registration %s is %s, the audit log says %s", i+1, number, o.State, want.state)
		} else if want.said.Known() && !c.log.Fits(want.said, number, offerGroup(o)) {
			say("the registration %s is not in its %s %d what the audit record %s says", number, groupOffer, i+1, want.said.Record())
		}
	}
	return found
}

// state is where the log says that a registration stands.
func (p *past) state() State {
	if p.ended != "" {
		return p.ended
	}
	state := StateWaiting
	for _, o := range p.offers {
		switch o.state {
		case Open:
			state = StateOffered
		case Accepted:
			state = StatePlaced
		default:
			state = StateWaiting
		}
	}
	return state
}

// micro is a moment as the database keeps it.
func micro(t time.Time) time.Time { return dbtime.From(t).Time }

// file is all that is kept of one registration.
type file struct {
	row     db.PreschoolRegistration
	choices []db.PreschoolChoice
	offers  []db.PreschoolOffer // in the order in which they were made
	// placeOf is the withdrawn registration of the same child that has the same place.
	placeOf string
}
