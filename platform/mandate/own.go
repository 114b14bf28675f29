package mandate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/personal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// CutPhone implements identity.Tie: persons are cut from the phone one by one, by CutPerson.
func (s *Service) CutPhone(context.Context, *store.Tx, string, time.Time) error { return nil }

// CutPerson implements identity.PersonTie: what the person asked for or gave on a phone that is theirs no
// more, or perhaps never was, ends. Who holds a mandate keeps it: it is the person's, not the phone's.
func (s *Service) CutPerson(ctx context.Context, tx *store.Tx, citizen, phone, _ string, now time.Time) error {
	index := s.phoneIndex(phone)
	_, err := s.endAll(ctx, tx, citizen, "", now, func(row db.Mandate) string {
		on := row.GiverID
		if row.GivenAt.IsZero() {
			on = row.HolderID
		}
		if row.PhoneIndex != index || on != citizen {
			return ""
		}
		return byPhone
	})
	return err
}

// Personal is what mandates keep of a person.
func (s *Service) Personal() personal.Holder { return holder{s} }

type holder struct{ s *Service }

// Export implements personal.Holder: of the other side what the person's screens call them.
func (h holder) Export(ctx context.Context, tx *store.Tx, p personal.Person) ([]personal.Record, error) {
	rows, err := db.New(tx).AllOf(ctx, db.AllOfParams{Citizen: p.ID, N: personal.Most})
	if err != nil {
		return nil, fmt.Errorf("list a person's mandates: %w", err)
	}
	list := make([]personal.Record, len(rows))
	for i, row := range rows {
		role := Holder
		if row.GiverID == p.ID {
			role = Giver
		}
		m, err := h.s.viewFor(role, row)
		if err != nil {
			return nil, err
		}
		list[i] = personal.Record{Kind: "mandate", Fields: []personal.Field{
			personal.Word("role", string(role), "kept.role."+string(role)), personal.Text("called", m.Called),
			personal.Text("services", strings.Join(m.Services, ", ")), personal.Moment("asked", m.AskedAt), personal.Moment("given", m.GivenAt),
			personal.Moment("until", m.Until.Add(-time.Second)), personal.Moment("ended", shownEnd(row, p.Now)),
		}}
	}
	return list, nil
}

// shownEnd is when a mandate ended, as its sides may know. Of what was never given who asked hears no
// refusal: it ends with the time in which it could be given, as what nobody answers does.
func shownEnd(row db.Mandate, now time.Time) time.Time {
	switch {
	case !row.GivenAt.IsZero() || !row.EndedAt.IsZero() && row.EndedBy != byGiver:
		return row.EndedAt.Time
	case !row.ExpiresAt.After(now):
		return row.ExpiresAt.Time
	}
	return time.Time{}
}

// Keeps implements personal.Holder: the log keeps that there was one.
func (h holder) Keeps(context.Context, *store.Tx, personal.Person) ([]personal.Kept, error) {
	return nil, nil
}

// Erase implements personal.Holder: what lasts ends, of which the other side is told, and nothing of the
// person stays. What others ask of them stays theirs and is asked of nobody: were it gone, they would
// learn that the number was somebody's.
func (h holder) Erase(ctx context.Context, tx *store.Tx, p personal.Person) error {
	number, err := h.s.Identity.PIN(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("find the number of who is erased: %w", err)
	}
	index, _, _ := h.s.Identity.PINIndex(number)
	rows, err := h.s.endAll(ctx, tx, p.ID, index, p.Now, func(row db.Mandate) string {
		switch p.ID {
		case row.GiverID:
			return byGiver
		case row.HolderID:
			return byHolder
		}
		return ""
	})
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.GiverID != p.ID && row.HolderID != p.ID {
			err = h.s.unname(ctx, tx, row, p.Now)
		} else {
			err = h.s.erase(ctx, tx, row, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) erase(ctx context.Context, tx *store.Tx, row db.Mandate, p personal.Person) error {
	if err := db.New(tx).EraseMandate(ctx, row.ID); err != nil {
		return fmt.Errorf("erase a mandate: %w", err)
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: p.Now, Actor: "system", Action: "mandate.erased", Object: row.ID, Subject: p.ID, Purpose: "the person asked for it",
	}})
}

// unname has what is asked of a number be asked of nobody. The record is about nobody either: who asked
// does not see it.
func (s *Service) unname(ctx context.Context, tx *store.Tx, row db.Mandate, now time.Time) error {
	was := mandateOf(row)
	row.GiverIndex = ""
	var err error
	if row.Mac, err = s.mac(row); err != nil {
		return err
	}
	if err := db.New(tx).UnnameMandate(ctx, db.UnnameMandateParams{ID: row.ID, Mac: row.Mac}); err != nil {
		return fmt.Errorf("take the number from a mandate: %w", err)
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: now, Actor: "system", Action: "mandate.unnamed", Object: row.ID, Purpose: "the person of whom it is asked is erased",
		Decided: []*audit.Group{mandateOf(row)}, Was: []*audit.Group{was},
	}})
}

// rememberOver is how long a mandate is kept after its last day: who disputes what was done under it may
// see that it was given. What nobody gave is kept as long as a code is.
const (
	rememberOver  = 3 * 365 * 24 * time.Hour
	rememberAsked = 30 * 24 * time.Hour
)

// ForgetOver deletes those that are over for so long, a thousand of a kind at a time.
func (s *Service) ForgetOver(ctx context.Context) error {
	now := s.Now()
	for {
		var n int64
		err := s.DB.InTx(ctx, func(tx *store.Tx) error {
			asked, err := db.New(tx).ForgetAsked(ctx, dbtime.From(now.Add(-rememberAsked)))
			if err != nil {
				return err
			}
			over, err := db.New(tx).ForgetMandates(ctx, dbtime.From(now.Add(-rememberOver)))
			n = asked + over
			return err
		})
		if err != nil {
			return fmt.Errorf("forget mandates that are over: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}
