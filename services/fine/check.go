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

// kept is what the log says of the rows of one kind.
type kept struct {
	log   *audit.Log
	what  string // of the findings: "linked car"
	group string
	// erased and ended are the actions after which there is no row, and may be none.
	erased, ended string
	said          map[string]audit.Said // by the row's id: the last word
	over          map[string]bool       // may be gone
	wrong         []error
}

// see takes a record of the audit log.
func (k *kept) see(r audit.Recorded) {
	if r.Action == k.erased {
		delete(k.said, r.Object)
		return
	}
	for group, said := range r.Says() {
		if group != k.group {
			continue
		}
		if before := k.said[r.Object]; !r.Follows(group, before) {
			k.wrong = append(k.wrong, fmt.Errorf("the %s %s was changed between the audit records %s and %s", k.what, r.Object, before.Record(), r.ID))
		}
		k.said[r.Object] = said
		k.over[r.Object] = r.Action == k.ended
	}
}

// fits takes a row and what it says; seen are those that were taken.
func (k *kept) fits(seen map[string]bool, id string, is *audit.Group) {
	seen[id] = true
	switch said, known := k.said[id]; {
	case !known:
		k.wrong = append(k.wrong, fmt.Errorf("the audit log knows nothing of the %s %s", k.what, id))
	case !k.log.Fits(said, id, is):
		k.wrong = append(k.wrong, fmt.Errorf("the %s %s is otherwise than the audit record %s says", k.what, id, said.Record()))
	}
}

// gone names what the log says of rows that were not seen.
func (k *kept) gone(seen map[string]bool) {
	for _, id := range slices.Sorted(maps.Keys(k.said)) {
		if !seen[id] && !k.over[id] {
			k.wrong = append(k.wrong, fmt.Errorf("the %s %s is gone: the audit log says that it is there", k.what, id))
		}
	}
}

// Check compares the linked cars and the appeals with the audit log: a car that somebody points at
// another phone has that phone told of its fines, and an appeal that somebody ends is decided by
// nobody.
type Check struct{ cars, appeals kept }

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log) *Check {
	of := func(what, group, erased, ended string) kept {
		return kept{log: log, what: what, group: group, erased: erased, ended: ended, said: map[string]audit.Said{}, over: map[string]bool{}}
	}
	return &Check{
		cars:    of("linked car", groupCar, "fine.erase", "fine.unlink"), // its row goes when the register knows
		appeals: of("appeal", groupAppeal, "fine.appeal_erase", ""),
	}
}

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) {
	c.cars.see(r)
	c.appeals.see(r)
}

// Older is how many of the records seen are from before cars were compared: there were none.
func (*Check) Older() int { return 0 }

// Run reads the cars and the appeals within a snapshot and returns an error that names each that
// is not what the log says.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	if err := c.runCars(ctx, tx); err != nil {
		return fmt.Errorf("check the linked cars: %w", err)
	}
	if err := c.runAppeals(ctx, tx); err != nil {
		return fmt.Errorf("check the appeals: %w", err)
	}
	return errors.Join(slices.Concat(c.cars.wrong, c.appeals.wrong)...)
}

func (c *Check) runCars(ctx context.Context, tx *sql.Tx) error {
	seen := map[string]bool{}
	err := store.Rows(ctx, tx, "SELECT id, citizen_id, plate_index, plate_sealed, phone_index, phone_sealed, locale, linked_at, ended_at FROM fine_cars ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var row db.FineCar
			err := rows.Scan(&row.ID, &row.CitizenID, &row.PlateIndex, &row.PlateSealed, &row.PhoneIndex, &row.PhoneSealed, &row.Locale, &row.LinkedAt, &row.EndedAt)
			if err == nil {
				c.cars.fits(seen, row.ID, carOf(row))
			}
			return err
		})
	c.cars.gone(seen)
	return err
}

func (c *Check) runAppeals(ctx context.Context, tx *sql.Tx) error {
	seen := map[string]bool{}
	err := store.Rows(ctx, tx, `SELECT id, number, citizen_id, bill, open_bill, plate_sealed, ground, text_sealed, state, taken_by, answer_sealed,
		received_at, taken_at, ended_at, discount_at FROM fine_appeals ORDER BY id`, nil,
		func(rows *sql.Rows) error {
			var row db.FineAppeal
			err := rows.Scan(&row.ID, &row.Number, &row.CitizenID, &row.Bill, &row.OpenBill, &row.PlateSealed, &row.Ground, &row.TextSealed, &row.State, &row.TakenBy,
				&row.AnswerSealed, &row.ReceivedAt, &row.TakenAt, &row.EndedAt, &row.DiscountAt)
			if err == nil {
				c.appeals.fits(seen, row.ID, appealGroup(row))
			}
			return err
		})
	c.appeals.gone(seen)
	return err
}
