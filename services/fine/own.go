package fine

import (
	"context"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// holder is what the fines keep of a person: the cars that they linked.
type holder struct{ s *Service }

// Export implements personal.Holder.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Record, error) {
	rows, err := db.New(tx).CarsOfCitizen(ctx, p.ID)
	if err != nil {
		return nil, fmt.Errorf("list a person's cars: %w", err)
	}
	var list []personal.Record
	for _, row := range rows {
		car, err := h.s.car(row, caller.Caller{})
		if err != nil {
			return nil, err
		}
		list = append(list, personal.Record{Kind: "car", Fields: []personal.Field{
			personal.Text("number", car.Plate), personal.Moment("registered", car.LinkedAt),
		}})
	}
	return list, nil
}

// Keeps implements personal.Holder: nothing.
func (holder) Keeps(context.Context, *store.Tx, personal.Person) ([]personal.Kept, error) {
	return nil, nil
}

// Erase implements personal.Holder. The register is not told: it cannot be asked about who is
// erased, and its subscription holds nothing but our number.
func (h holder) Erase(ctx context.Context, tx *store.Tx, p personal.Person) error {
	rows, err := db.New(tx).AllCarsOfCitizen(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("list a person's cars: %w", err)
	}
	for _, row := range rows {
		if err := h.s.forget(ctx, tx, row); err != nil {
			return err
		}
		err := h.s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: p.Now, Actor: "system", Action: "fine.erase", Object: row.ID, Subject: p.ID, Purpose: "the person asked for it",
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
