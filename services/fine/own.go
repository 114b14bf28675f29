package fine

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// holder is what the fines keep of a person: the cars that they linked, and their appeals; beside them, for a month, the
// links to photos that their phone was sent.
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
	appeals, err := h.exportAppeals(ctx, tx, p)
	return append(list, appeals...), err
}

// exportAppeals are the person's appeals.
func (h holder) exportAppeals(ctx context.Context, tx *store.Tx, p personal.Person) (list []personal.Record, err error) {
	rows, err := db.New(tx).AppealsOfCitizen(ctx, db.AppealsOfCitizenParams{CitizenID: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list a person's appeals: %w", err)
	}
	for _, row := range rows {
		a, err := h.s.whole(ctx, db.New(tx), row)
		if err != nil {
			return nil, err
		}
		files := make([]string, 0, len(a.Files))
		for _, f := range a.Files {
			files = append(files, f.Name())
		}
		list = append(list, personal.Record{Kind: "appeal", Fields: []personal.Field{
			personal.Text("number", a.Number), personal.Word("state", string(a.State), stateKey(a.State)), personal.Text("bills", a.Bill), personal.Text("car", a.Plate),
			personal.Word("ground", a.Ground, groundKey(a.Ground)), personal.Text("text", a.Text), personal.Text("answer", a.Answer), personal.Text("files", strings.Join(files, ", ")),
			personal.Moment("asked", a.ReceivedAt), personal.Moment("finished", a.EndedAt),
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
	if err := db.New(tx).ErasePhotoLinks(ctx, p.ID); err != nil {
		return fmt.Errorf("erase a person's links to photos: %w", err)
	}
	return h.eraseAppeals(ctx, tx, p)
}

// eraseAppeals erases the person's appeals, open ones too: who is not known any more can be told
// of no decision.
func (h holder) eraseAppeals(ctx context.Context, tx *store.Tx, p personal.Person) error {
	rows, err := db.New(tx).AppealsOfCitizen(ctx, db.AppealsOfCitizenParams{CitizenID: p.ID, Limit: math.MaxInt32})
	if err != nil {
		return fmt.Errorf("list a person's appeals: %w", err)
	}
	for _, row := range rows {
		if err := h.s.eraseAppeal(ctx, tx, row.ID, audit.Entry{At: p.Now, Actor: "system", Purpose: "the person asked for it"}); err != nil {
			return err
		}
	}
	return nil
}
