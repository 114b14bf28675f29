package preschool

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// holder is what the queue keeps of a person: the registrations that are theirs, with the
// child's name.
type holder struct{ s *Service }

// Export implements personal.Holder.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) (list []personal.Record, err error) {
	q := db.New(tx)
	rows, err := q.OfCitizen(ctx, db.OfCitizenParams{CitizenID: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list a person's registrations: %w", err)
	}
	for _, r := range rows {
		child, err := h.child(r)
		if err != nil {
			return nil, err
		}
		choices, err := q.Choices(ctx, r.ID)
		if err != nil {
			return nil, fmt.Errorf("list a registration's choices: %w", err)
		}
		wishes := make([]string, len(choices))
		for i, c := range choices {
			wishes[i] = c.NameKy
		}
		list = append(list, personal.Record{Kind: "registration", Fields: []personal.Field{
			personal.Text("number", r.Number), personal.Text("child", child.Name), personal.Text("born", child.Born.Format(time.DateOnly)),
			personal.Word("state", r.State, "kept.state."+r.State), personal.Text("kindergartens", strings.Join(wishes, ", ")),
			personal.Text("benefit", r.Benefit), personal.Moment("registered", r.RegisteredAt.Time),
		}})
	}
	offers, err := q.OffersOfPerson(ctx, db.OffersOfPersonParams{CitizenID: p.ID, Limit: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list a person's offers: %w", err)
	}
	for _, o := range offers {
		list = append(list, personal.Record{Kind: "offer", Fields: []personal.Field{
			personal.Text("number", o.Number), personal.Text("kindergartens", o.NameKy), personal.Word("state", o.State, "kept.state."+o.State),
			personal.Moment("at", o.OfferedAt.Time), personal.Moment("answered", o.AnsweredAt.Time),
		}})
	}
	return list, nil
}

// child opens the child of a registration.
func (h holder) child(r db.PreschoolRegistration) (child Minor, err error) {
	plain, err := h.s.Sealer.Open(r.Child, "preschool.child:"+r.ID)
	if err == nil {
		err = json.Unmarshal(plain, &child)
	}
	if err != nil {
		return Minor{}, fmt.Errorf("open the child of a registration: %w", err)
	}
	return child, nil
}

// stands reports that a registration is needed still: its child waits or has a place, or
// its place waits for the child.
func stands(r db.PreschoolRegistration, now time.Time) bool {
	return State(r.State) != StateLeft && State(r.State) != StateWithdrawn || r.PlaceKeptUntilAt.After(now)
}

// Keeps implements personal.Holder.
func (h holder) Keeps(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Kept, error) {
	rows, err := db.New(tx).OfCitizen(ctx, db.OfCitizenParams{CitizenID: p.ID, Limit: math.MaxInt32})
	if err != nil {
		return nil, fmt.Errorf("list a person's registrations: %w", err)
	}
	for _, r := range rows {
		if stands(r, p.Now) {
			return []personal.Kept{{Key: "kept.why_registrations", NeedsPerson: true}}, nil
		}
	}
	return nil, nil
}

// Erase implements personal.Holder: of registrations that are over, the child, the parent
// and the phone. Those of a child that has one which stands stay: its place may be theirs.
func (h holder) Erase(ctx context.Context, tx *store.Tx, p personal.Person) error {
	rows, err := db.New(tx).OfCitizen(ctx, db.OfCitizenParams{CitizenID: p.ID, Limit: math.MaxInt32})
	if err != nil {
		return fmt.Errorf("list a person's registrations: %w", err)
	}
	needed := map[string]bool{}
	for _, r := range rows {
		needed[r.ChildIndex] = needed[r.ChildIndex] || stands(r, p.Now)
	}
	for _, r := range rows {
		if needed[r.ChildIndex] {
			continue
		}
		if err := h.forget(ctx, tx, r, p); err != nil {
			return err
		}
	}
	return nil
}

func (h holder) forget(ctx context.Context, tx *store.Tx, r db.PreschoolRegistration, p personal.Person) error {
	child, err := h.s.Sealer.Seal([]byte("{}"), "preschool.child:"+r.ID)
	if err != nil {
		return fmt.Errorf("seal nothing: %w", err)
	}
	phone, err := h.s.Sealer.Seal(nil, "preschool.phone:"+r.ID)
	if err != nil {
		return fmt.Errorf("seal nothing: %w", err)
	}
	was, err := locked(ctx, db.New(tx), r.ID)
	if err != nil {
		return err
	}
	if err := db.New(tx).EraseRegistration(ctx, db.EraseRegistrationParams{ID: r.ID, Child: child, Phone: phone}); err != nil {
		return fmt.Errorf("erase a registration: %w", err)
	}
	_, groups, err := decided(ctx, tx, r.Number)
	if err != nil {
		return err
	}
	return h.s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: p.Now, Actor: "system", Action: "preschool.erase", Object: r.Number, Subject: r.CitizenID, Purpose: "the person asked for it", Decided: groups, Was: was,
	}})
}
