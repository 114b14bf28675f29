package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// Check compares the linked cars, the appeals, their files and the links to photos with the audit log: a car that somebody points at
// another phone has that phone told of its fines, an appeal that somebody ends is decided by
// nobody, and a link that somebody makes good shows them a photo.
type Check struct{ cars, appeals, files, links *audit.Rows }

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log) *Check {
	return &Check{
		// A car's row goes when the register knows that it is unlinked.
		cars:    audit.NewRows(log, audit.Kind{What: "linked car", Group: groupCar, Erased: "fine.erase", Ended: "fine.unlink"}),
		appeals: audit.NewRows(log, audit.Kind{What: "appeal", Group: groupAppeal, Erased: "fine.appeal_erase"}),
		files:   audit.NewRows(log, audit.Kind{What: "file of an appeal", Group: groupFile, Erased: "fine.appeal_file_erase"}),
		links:   audit.NewRows(log, audit.Kind{What: "link to a photo", Group: groupPhotoLink}),
	}
}

// See takes a record of the audit log.
func (c *Check) See(r audit.Recorded) {
	c.cars.See(r)
	c.appeals.See(r)
	c.files.See(r)
	c.links.See(r)
}

// Older is how many of the records seen are from before cars were compared: there were none.
func (*Check) Older() int { return 0 }

// Run reads the cars, the appeals, their files and the links within a snapshot and returns an error that names each that
// is not what the log says.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	if err := c.runCars(ctx, tx); err != nil {
		return fmt.Errorf("check the linked cars: %w", err)
	}
	if err := c.runAppeals(ctx, tx); err != nil {
		return fmt.Errorf("check the appeals: %w", err)
	}
	if err := c.runFiles(ctx, tx); err != nil {
		return fmt.Errorf("check the files of appeals: %w", err)
	}
	if err := c.runPhotoLinks(ctx, tx); err != nil {
		return fmt.Errorf("check the links to photos: %w", err)
	}
	return errors.Join(slices.Concat(c.cars.Wrong(), c.appeals.Wrong(), c.files.Wrong(), c.links.Wrong())...)
}

func (c *Check) runCars(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, "SELECT id, citizen_id, plate_index, plate_sealed, phone_index, phone_sealed, locale, linked_at, ended_at FROM fine_cars ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var row db.FineCar
			err := rows.Scan(&row.ID, &row.CitizenID, &row.PlateIndex, &row.PlateSealed, &row.PhoneIndex, &row.PhoneSealed, &row.Locale, &row.LinkedAt, &row.EndedAt)
			if err == nil {
				c.cars.Fits(row.ID, carOf(row))
			}
			return err
		})
	c.cars.Gone()
	return err
}

func (c *Check) runAppeals(ctx context.Context, tx *sql.Tx) error {
	err := store.Rows(ctx, tx, `SELECT id, number, citizen_id, bill, open_bill, plate_sealed, ground, text_sealed, state, taken_by, answer_sealed,
		received_at, taken_at, ended_at, discount_at FROM fine_appeals ORDER BY id`, nil,
		func(rows *sql.Rows) error {
			var row db.FineAppeal
			err := rows.Scan(&row.ID, &row.Number, &row.CitizenID, &row.Bill, &row.OpenBill, &row.PlateSealed, &row.Ground, &row.TextSealed, &row.State, &row.TakenBy,
				&row.AnswerSealed, &row.ReceivedAt, &row.TakenAt, &row.EndedAt, &row.DiscountAt)
			if err == nil {
				c.appeals.Fits(row.ID, appealGroup(row))
			}
			return err
		})
	c.appeals.Gone()
	return err
}
