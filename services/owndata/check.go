package owndata

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/owndata/db"
)

// What the audit log says of an erasure.
const (
	actionAsked     = "owndata.erasure_asked"
	actionWithdrawn = "owndata.erasure_withdrawn"
	actionErased    = "owndata.erased"
)

// groupErasure is what the record that an erasure was asked for says of its row, as it is
// until it is over.
const groupErasure = "erasure"

func erasureOf(row db.OwndataErasure) *audit.Group {
	return audit.Decided(groupErasure).Text(row.ID, row.CitizenID, row.PhoneIndex, row.Locale).Sealed(row.PhoneSealed).Moment(row.AskedAt, row.DueAt)
}

// ErrNotAsked is of an erasure that is not done, as the audit log does not say that the person
// asked for it so: somebody wrote to the database.
var ErrNotAsked = errors.New("the audit log does not say that the person asked for this: nothing is erased")

// asked refuses an erasure that the person did not ask for, or withdrew: what is erased is
// gone, and to name the row afterwards is too late.
func (s *Service) asked(ctx context.Context, tx *store.Tx, row db.OwndataErasure, now time.Time) error {
	records, err := s.Audit.Of(ctx, tx, row.CitizenID, row.ID)
	if err != nil {
		return err
	}
	said := erasureSaid{}
	for _, r := range records {
		said.hear(r)
	}
	if said.ended != "" || !said.fits(s.Audit, row) || now.Before(row.AskedAt.Add(EraseAfter)) {
		return ErrNotAsked
	}
	return nil
}

// erasureSaid is what the audit log says of an erasure.
type erasureSaid struct {
	citizen string
	at      dbtime.Time // asked
	row     audit.Said
	ended   string // the action that ended it
	endedAt dbtime.Time
	twice   string // the record that ended it once more
}

// hear takes a record of an erasure.
func (e *erasureSaid) hear(r audit.Recorded) {
	switch r.Action {
	case actionAsked:
		e.citizen, e.at = r.Subject, dbtime.From(r.At)
		for group, said := range r.Says() {
			if group == groupErasure {
				e.row = said
			}
		}
	case actionWithdrawn, actionErased:
		if e.ended != "" {
			e.twice = r.ID
		}
		e.ended, e.endedAt = r.Action, dbtime.From(r.At)
	}
}

// fits reports that a row that is under way is what was asked for.
func (e *erasureSaid) fits(log *audit.Log, row db.OwndataErasure) bool {
	return e.citizen == row.CitizenID && e.at.Equal(row.AskedAt.Time) && row.OpenCitizen.String == row.CitizenID &&
		row.WithdrawnAt.IsZero() && row.DoneAt.IsZero() && (!e.row.Known() || log.Fits(e.row, row.ID, erasureOf(row)))
}

// over reports that a row is of an erasure that ended as the log says.
func (e *erasureSaid) over(row db.OwndataErasure) bool {
	withdrawn, done := e.endedAt, dbtime.Time{}
	if e.ended == actionErased {
		withdrawn, done = done, withdrawn
	}
	return e.citizen == row.CitizenID && e.at.Equal(row.AskedAt.Time) && !row.OpenCitizen.Valid && row.PhoneIndex == "" && len(row.PhoneSealed) == 0 &&
		row.WithdrawnAt.Equal(withdrawn.Time) && row.DoneAt.Equal(done.Time)
}

// Check compares the erasures with the audit log: whose, when asked for, from which phone, and
// what became of them.
type Check struct {
	log   *audit.Log
	said  map[string]*erasureSaid // by the erasure's id
	older int
}

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log) *Check { return &Check{log: log, said: map[string]*erasureSaid{}} }

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) {
	switch r.Action {
	case actionAsked, actionWithdrawn, actionErased:
	default:
		return
	}
	if r.Action == actionAsked && !r.Compares() {
		c.older++
	}
	if c.said[r.Object] == nil {
		c.said[r.Object] = &erasureSaid{}
	}
	c.said[r.Object].hear(r)
}

// Older is how many of the records seen are from before what was asked for was kept.
func (c *Check) Older() int { return c.older }

// Run reads the erasures within a snapshot and returns an error that names each that is not
// what the log says.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	var found []error
	seen := map[string]bool{}
	err := store.Rows(ctx, tx, "SELECT id, citizen_id, open_citizen, phone_index, phone_sealed, locale, asked_at, due_at, withdrawn_at, done_at "+
		"FROM owndata_erasures ORDER BY id", nil, func(rows *sql.Rows) error {
		var row db.OwndataErasure
		err := rows.Scan(&row.ID, &row.CitizenID, &row.OpenCitizen, &row.PhoneIndex, &row.PhoneSealed, &row.Locale, &row.AskedAt, &row.DueAt,
			&row.WithdrawnAt, &row.DoneAt)
		seen[row.ID] = true
		found = append(found, c.erasure(row))
		return err
	})
	if err != nil {
		return fmt.Errorf("check the erasures: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(c.said)) {
		if !seen[id] {
			found = append(found, fmt.Errorf("the erasure %s is gone: the audit log says that it was asked for", id))
		}
	}
	return errors.Join(found...)
}

func (c *Check) erasure(row db.OwndataErasure) error {
	said := c.said[row.ID]
	switch {
	case said == nil:
		return fmt.Errorf("the audit log knows nothing of the erasure %s", row.ID)
	case said.twice != "":
		return fmt.Errorf("the erasure %s was over, and ended once more by the audit record %s", row.ID, said.twice)
	case said.ended == "" && !said.fits(c.log, row):
		return fmt.Errorf("the erasure %s is otherwise than it was asked for, or is over, which the audit log does not say", row.ID)
	case said.ended != "" && !said.over(row):
		return fmt.Errorf("the erasure %s did not end as the audit log says (%s)", row.ID, said.ended)
	}
	return nil
}
