package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/dialog"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// problemNotPlaced is of a place to give back that the child has not.
var problemNotPlaced = problem.New(problem.Conflict, "problem.preschool_not_placed")

// problemPlaced refuses what only a child without a place may have; placedAt adds
// where and since when.
var problemPlaced = problem.New(problem.Conflict, "problem.preschool_placed")

// problemHasPlace is problemPlaced to whom it is not said where.
var problemHasPlace = problem.New(problem.Conflict, "problem.preschool_has_place")

// seesPlace reports that a caller may hear where a placed child is to be found: the citizen
// whose registration it is, as surely proved as the policy wants.
func seesPlace(c caller.Caller, r db.PreschoolRegistration) bool {
	return c.Subject != "" && c.Subject == r.CitizenID && Assurance.Admit(c, "place") == nil
}

// placedAt says where a placed child has its place and since when, in a language: to
// officers, and to who seesPlace.
func placedAt(ctx context.Context, q *db.Queries, r db.PreschoolRegistration, loc locales.Locale) error {
	accepted, err := q.LastOffer(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("find the accepted offer: %w", err)
	}
	return problem.New(problemPlaced.Code, problemPlaced.Key,
		"kindergarten", Name{KY: accepted.NameKy, RU: accepted.NameRu}.In(loc),
		"date", clock.ShowDate(accepted.AnsweredAt.In(clock.Bishkek)))
}

// hasPlace says that a child has its place; where, only to who may hear it.
func hasPlace(ctx context.Context, q *db.Queries, r db.PreschoolRegistration, c caller.Caller) error {
	if !seesPlace(c, r) {
		return problemHasPlace
	}
	return placedAt(ctx, q, r, c.Locale)
}

// placed is hasPlace of a registration's number.
func (s *Service) placed(ctx context.Context, number string, c caller.Caller) error {
	r, err := s.find(ctx, number)
	if err != nil {
		return err
	}
	return hasPlace(ctx, db.New(s.DB.Reader()), r, c)
}

// showPlace says that a child has its place; where, only to its own parent: the number alone
// must not tell where a child is to be found.
func (s *Service) showPlace(ctx context.Context, t *dialog.Turn, number string) (dialog.Screen, error) {
	c, _, err := identity.Proven(ctx, s.Identity, t.Caller)
	if err != nil {
		return dialog.Screen{}, err
	}
	r, err := s.find(ctx, number)
	if err != nil {
		return dialog.Screen{}, err
	}
	said := dialog.Say("preschool.placed", "number", number)
	if seesPlace(c, r) {
		row, err := db.New(s.DB.Reader()).LastOffer(ctx, r.ID)
		if err != nil {
			return dialog.Screen{}, fmt.Errorf("find the accepted offer: %w", err)
		}
		said = dialog.Say("preschool.placed_at", "number", number, "kindergarten", s.title(offerOf(row), t.Caller.Locale))
	}
	return dialog.Screen{Body: []dialog.Message{said}}, nil
}

// elsewhere is the registration by which a child has a place already, where that is not r:
// one of before that was refused may still wait in the queue; nil for none.
func elsewhere(ctx context.Context, q *db.Queries, r db.PreschoolRegistration) (*db.PreschoolRegistration, error) {
	held, err := q.PlacedOfChild(ctx, r.ChildIndex)
	if errors.Is(err, sql.ErrNoRows) || err == nil && held.ID == r.ID {
		return nil, nil //nolint:nilnil // that it is this one's place is said by its own state
	} else if err != nil {
		return nil, fmt.Errorf("look for the child's place: %w", err)
	}
	return &held, nil
}

// openOffer is the offer of a registration that waits for an answer; nil for none.
func openOffer(ctx context.Context, q *db.Queries, registration string, now time.Time) (*Offer, error) {
	row, err := q.LastOffer(ctx, registration)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no offer is no error
	} else if err != nil {
		return nil, fmt.Errorf("find the offer: %w", err)
	}
	if OfferState(row.State) != Open || !now.Before(row.ExpiresAt.Time) {
		return nil, nil //nolint:nilnil // no offer is no error
	}
	open := offerOf(row)
	return &open, nil
}

// TakeBack ends the place of a registration, as its parent gave it back at the
// kindergarten or the office: the seat is free again, the parent is told, and the
// child may be registered anew. It returns
// the place that was given back. Problems: preschool_number, preschool_not_placed.
func (s *Service) TakeBack(ctx context.Context, act staff.Act, number string) (Offer, error) {
	now := s.Now()
	r, err := s.find(ctx, number)
	if err != nil {
		return Offer{}, err
	}
	c := s.parent(r, now)
	var ended Offer
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		err := act.Record(ctx, tx)
		if err != nil {
			return err
		}
		was, err := locked(ctx, db.New(tx), r.ID)
		if err != nil {
			return err
		}
		if ended, err = leave(ctx, db.New(tx), r); err != nil {
			return err
		}
		return s.leave(ctx, tx, effect{
			caller: c, actor: act.Actor, step: "leave", outcome: "done", object: r.Number, subject: r.CitizenID,
			purpose: "the place was given back", was: was, tells: theParent, kind: notify.Statutory, dedup: "preschool.left:" + r.ID,
			say: func(loc locales.Locale) string {
				return gsm.Pick(s.Texts.Message(loc, "preschool.sms_left", "number", r.Number, "kindergarten", ended.Name.In(loc)))
			},
		})
	})
	return ended, err
}

// leave moves a registration out of its place and gives the seat back.
func leave(ctx context.Context, q *db.Queries, r db.PreschoolRegistration) (Offer, error) {
	left, err := q.LeavePlace(ctx, r.ID)
	if err != nil {
		return Offer{}, fmt.Errorf("end the place: %w", err)
	}
	if left == 0 {
		return Offer{}, problemNotPlaced
	}
	row, err := q.LastOffer(ctx, r.ID)
	if err != nil {
		return Offer{}, fmt.Errorf("find the accepted offer: %w", err)
	}
	err = q.GiveSeatBack(ctx, db.GiveSeatBackParams{Kindergarten: row.Kindergarten, Intake: row.Intake, Age: row.Age})
	if err != nil {
		return Offer{}, fmt.Errorf("give the seat back: %w", err)
	}
	return offerOf(row), nil
}
