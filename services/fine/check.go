package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// groupCar is what the audit log says of a linked car: whose, which, whom it tells, since and
// until when. Said whenever one of them changes; when the register is asked next is not said.
const groupCar = "car"

func carOf(row db.FineCar) *audit.Group {
	return audit.Decided(groupCar).Text(row.ID, row.CitizenID, row.PlateIndex, row.PhoneIndex, row.Locale).
		Sealed(row.PlateSealed, row.PhoneSealed).Moment(row.LinkedAt, row.EndedAt)
}

// changed is the record of a car's row that was before, nil for none, and is now as the
// transaction reads it.
func changed(ctx context.Context, q *db.Queries, id string, before *db.FineCar, e audit.Entry) (audit.Entry, error) {
	row, err := q.GetCar(ctx, id)
	if err != nil {
		return e, fmt.Errorf("read a car: %w", err)
	}
	e.Object, e.Subject, e.Decided = row.ID, row.CitizenID, []*audit.Group{carOf(row)}
	e.Was = []*audit.Group{audit.None(groupCar)}
	if before != nil {
		e.Was = []*audit.Group{carOf(*before)}
	}
	return e, nil
}

// Check compares the linked cars with the audit log: a row that somebody points at another
// phone has that phone told of the car's fines.
type Check struct {
	log   *audit.Log
	said  map[string]audit.Said // by the car's id: the last word
	ended map[string]bool       // unlinked
	wrong []error
}

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log) *Check {
	return &Check{log: log, said: map[string]audit.Said{}, ended: map[string]bool{}}
}

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) {
	if r.Action == "fine.erase" {
		delete(c.said, r.Object)
		return
	}
	for group, said := range r.Says() {
		if group != groupCar {
			continue
		}
		if before := c.said[r.Object]; !r.Follows(groupCar, before) {
			c.wrong = append(c.wrong, fmt.Errorf("the linked car %s was changed between the audit records %s and %s", r.Object, before.Record(), r.ID))
		}
		c.said[r.Object] = said
		c.ended[r.Object] = r.Action == "fine.unlink" // its row goes when the register knows
	}
}

// Older is how many of the records seen are from before cars were compared: there were none.
func (*Check) Older() int { return 0 }

// Run reads the cars within a snapshot and returns an error that names each that is not what
// the log says.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	wrong, seen := c.wrong, map[string]bool{}
	err := store.Rows(ctx, tx, "SELECT id, citizen_id, plate_index, plate_sealed, phone_index, phone_sealed, locale, linked_at, ended_at FROM fine_cars ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var row db.FineCar
			err := rows.Scan(&row.ID, &row.CitizenID, &row.PlateIndex, &row.PlateSealed, &row.PhoneIndex, &row.PhoneSealed, &row.Locale, &row.LinkedAt, &row.EndedAt)
			seen[row.ID] = true
			switch said, known := c.said[row.ID]; {
			case err != nil:
			case !known:
				wrong = append(wrong, fmt.Errorf("the audit log knows nothing of the linked car %s", row.ID))
			case !c.log.Fits(said, row.ID, carOf(row)):
				wrong = append(wrong, fmt.Errorf("the linked car %s is otherwise than the audit record %s says", row.ID, said.Record()))
			}
			return err
		})
	if err != nil {
		return fmt.Errorf("check the linked cars: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(c.said)) {
		if !seen[id] && !c.ended[id] {
			wrong = append(wrong, fmt.Errorf("the linked car %s is gone: the audit log says that it is linked", id))
		}
	}
	return errors.Join(wrong...)
}
