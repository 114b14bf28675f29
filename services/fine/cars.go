package fine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// Car is a car that its owner linked: a phone is told of its new fines.
type Car struct {
	ID       string
	Plate    string
	LinkedAt time.Time
	// Here says that the caller's phone is the one that is told.
	Here bool
}

// MaxCars is how many cars a person links.
const MaxCars = 10

var (
	errCars  = problem.New(problem.Conflict, "problem.fine_cars", "n", MaxCars)
	errNoCar = problem.New(problem.NotFound, "problem.fine_car")
)

// The purposes of the blind indexes, and, with a car's id behind a colon, the contexts that
// seal.
const (
	carPlate = "fine.car.plate"
	carPhone = "fine.car.phone"
)

func plateSeal(id string) string { return carPlate + ":" + id }
func phoneSeal(id string) string { return carPhone + ":" + id }

// Cars lists the cars that the proven citizen c.Subject linked, the first one first.
// Problem: fine_proof.
func (s *Service) Cars(ctx context.Context, c caller.Caller) ([]Car, error) {
	if c.Subject == "" {
		return nil, errProof
	}
	if err := Assurance.Admit(c, "cars"); err != nil {
		return nil, err
	}
	rows, err := db.New(s.DB.Reader()).CarsOfCitizen(ctx, c.Subject)
	if err != nil {
		return nil, fmt.Errorf("list a person's cars: %w", err)
	}
	list := make([]Car, 0, len(rows))
	for _, row := range rows {
		car, err := s.car(row, c)
		if err != nil {
			return nil, err
		}
		list = append(list, car)
	}
	return list, nil
}

func (s *Service) car(row db.FineCar, c caller.Caller) (Car, error) {
	plate, err := s.Sealer.Open(row.PlateSealed, plateSeal(row.ID))
	if err != nil {
		return Car{}, fmt.Errorf("open the plate of the car %s: %w", row.ID, err)
	}
	return Car{ID: row.ID, Plate: string(plate), LinkedAt: row.LinkedAt.Time, Here: row.PhoneIndex != "" && row.PhoneIndex == s.carPhone(c.Phone)}, nil
}

func (s *Service) carPhone(phone string) string { return s.Sealer.Index(carPhone, phone) }

// Link has the caller's phone told of the new fines of a car that the register says is the
// proven citizen's. What is unpaid by now is not told again. Repeating it changes nothing but
// the phone that is told. Problems: fine_proof, fine_plate, fine_plates, fine_cars (too many),
// registry_not_owner, registry_plate_unknown and the registry's.
func (s *Service) Link(ctx context.Context, c caller.Caller, typed string) (Car, error) {
	if c.Subject == "" {
		return Car{}, errProof
	}
	if err := Assurance.Admit(c, "cars.link"); err != nil {
		return Car{}, err
	}
	plate, err := ParsePlate(typed)
	if err != nil {
		return Car{}, err
	}
	if err := s.admit(ctx, c, plate); err != nil {
		return Car{}, err
	}
	pin, err := s.Identity.PIN(ctx, c.Subject)
	if err != nil {
		return Car{}, fmt.Errorf("read the owner's number: %w", err)
	}
	records, err := s.Register.Violations(ctx, registry.Call{UserID: "KG" + pin, Issue: s.issue(c)}, pin, plate.Text)
	if err != nil {
		return Car{}, fmt.Errorf("ask whose a car is: %w", err)
	}
	var car Car
	err = s.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		car, err = s.link(ctx, tx, c, plate.Text, records)
		return err
	})
	return car, err
}

// link keeps a car of the citizen's, who has to be proved on the phone until it is kept.
func (s *Service) link(ctx context.Context, tx *store.Tx, c caller.Caller, plate string, records []registry.Violation) (Car, error) {
	if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil || !held {
		return Car{}, errors.Join(err, unproven(held))
	}
	q := db.New(tx)
	row, fresh, err := s.keepCar(ctx, q, c, plate)
	if err != nil {
		return Car{}, err
	}
	if row.PhoneIndex == s.carPhone(c.Phone) && row.EndedAt.IsZero() { // linked already, and told here
		return s.car(row, c)
	}
	if err := q.ReviveCar(ctx, db.ReviveCarParams{ID: row.ID, LinkedAt: dbtime.From(c.Now), WatchAt: dbtime.From(c.Now)}); err != nil {
		return Car{}, fmt.Errorf("link a car anew: %w", err)
	}
	if err := s.setPhone(ctx, q, row.ID, c.Phone, c.Locale); err != nil {
		return Car{}, err
	}
	for _, r := range records {
		if r.Paid {
			continue
		}
		if _, err := q.Tell(ctx, db.TellParams{CarID: row.ID, Number: r.PaymentNumber, Kind: kindNew, ToldAt: dbtime.From(c.Now)}); err != nil {
			return Car{}, fmt.Errorf("note a fine that is known: %w", err)
		}
	}
	before := &row
	if fresh {
		before = nil
	}
	entry, err := changed(ctx, q, row.ID, before, audit.Entry{At: c.Now, Actor: c.Subject, Action: "fine.link", Purpose: Name})
	if err != nil {
		return Car{}, err
	}
	if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: entry, Event: analytics.Of(c, Name, "fine.link", "done")}); err != nil {
		return Car{}, err
	}
	row, err = q.GetCar(ctx, row.ID)
	if err != nil {
		return Car{}, fmt.Errorf("read a car: %w", err)
	}
	return s.car(row, c)
}

// unproven is errProof where nobody is.
func unproven(held bool) error {
	if held {
		return nil
	}
	return errProof
}

// keepCar gives the citizen's row of a plate; a fresh one tells nobody yet.
func (s *Service) keepCar(ctx context.Context, q *db.Queries, c caller.Caller, plate string) (row db.FineCar, fresh bool, err error) {
	index := s.Sealer.Index(carPlate, plate)
	row, err = q.CarByPlate(ctx, db.CarByPlateParams{CitizenID: c.Subject, PlateIndex: index})
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return row, false, err
	}
	linked, err := q.CarsOfCitizen(ctx, c.Subject)
	if err != nil {
		return row, false, fmt.Errorf("count a person's cars: %w", err)
	}
	if len(linked) >= MaxCars {
		return row, false, errCars
	}
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return row, false, fmt.Errorf("make a car's id: %w", err)
	}
	sealed, err := s.Sealer.Seal([]byte(plate), plateSeal(id.String()))
	if err != nil {
		return row, false, fmt.Errorf("seal a plate: %w", err)
	}
	nobody, err := s.Sealer.Seal(nil, phoneSeal(id.String()))
	if err != nil {
		return row, false, fmt.Errorf("seal nothing: %w", err)
	}
	_, err = q.InsertCar(ctx, db.InsertCarParams{
		ID: id.String(), CitizenID: c.Subject, PlateIndex: index, PlateSealed: sealed, PhoneSealed: nobody, Locale: string(c.Locale),
		LinkedAt: dbtime.From(c.Now), WatchAt: dbtime.From(c.Now),
	})
	if err != nil {
		return row, false, fmt.Errorf("keep a car: %w", err)
	}
	row, err = q.CarByPlate(ctx, db.CarByPlateParams{CitizenID: c.Subject, PlateIndex: index})
	return row, true, err
}

// setPhone has a phone (E.164) told of a car; empty: none.
func (s *Service) setPhone(ctx context.Context, q *db.Queries, car, phone string, loc locales.Locale) error {
	sealed, err := s.Sealer.Seal([]byte(phone), phoneSeal(car))
	if err != nil {
		return fmt.Errorf("seal a phone: %w", err)
	}
	index := ""
	if phone != "" {
		index = s.carPhone(phone)
	}
	err = q.SetCarPhone(ctx, db.SetCarPhoneParams{ID: car, PhoneIndex: index, PhoneSealed: sealed, Locale: string(loc)})
	if err != nil {
		return fmt.Errorf("change whom a car tells: %w", err)
	}
	return nil
}

// Unlink ends Link of a car of the proven citizen c.Subject. Problems: fine_proof, fine_car
// (they linked no such car).
func (s *Service) Unlink(ctx context.Context, c caller.Caller, id string) error {
	if c.Subject == "" {
		return errProof
	}
	if err := Assurance.Admit(c, "cars.unlink"); err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		row, err := db.New(tx).HoldCar(ctx, id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.CitizenID != c.Subject {
			return errNoCar
		}
		if err != nil {
			return fmt.Errorf("find a car: %w", err)
		}
		return s.end(ctx, tx, row, trail.Step{
			Audit: audit.Entry{At: c.Now, Actor: c.Subject, Purpose: Name}, Event: analytics.Of(c, Name, "fine.unlink", "done"),
		})
	})
}

// end unlinks a car, whose row is held: from now on nobody is told, and links to its photos are good no more. The row goes when the register knows; step
// says when, by whom and why.
func (s *Service) end(ctx context.Context, tx *store.Tx, row db.FineCar, step trail.Step) error {
	nobody, err := s.Sealer.Seal(nil, phoneSeal(row.ID))
	if err != nil {
		return fmt.Errorf("seal nothing: %w", err)
	}
	q, at := db.New(tx), dbtime.From(step.Audit.At)
	n, err := q.EndCar(ctx, db.EndCarParams{ID: row.ID, EndedAt: at, WatchAt: at, PhoneSealed: nobody})
	if err != nil || n == 0 {
		return err
	}
	if err := s.voidOfCar(ctx, tx, row, step.Audit); err != nil {
		return err
	}
	step.Audit.Action = "fine.unlink"
	if step.Audit, err = changed(ctx, q, row.ID, &row, step.Audit); err != nil {
		return err
	}
	return s.Trail.Leave(ctx, tx, step)
}
