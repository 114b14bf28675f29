package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/staff"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// placeKept is how long a child's place in the queue waits for its next registration,
// where an officer withdrew one that a phone made that was undone.
const placeKept = 30 * 24 * time.Hour

// What audit records say of a withdrawal, before its reason, and of a registration that
// took a place over, before the number of the one withdrawn.
const (
	saidWithdrawn     = "withdrawn: "
	saidWithdrawnKept = "withdrawn, made by a phone that was undone, its place kept: "
	saidRegistered    = "registration in the preschool queue"
	saidPlaceOf       = saidRegistered + ", in the place of "
)

var (
	// problemEnded refuses what a registration that has ended may have no more.
	problemEnded = problem.New(problem.Conflict, "problem.preschool_left")
	// problemReason is of a withdrawal without a reason.
	problemReason = problem.New(problem.Invalid, "problem.preschool_reason")
)

// Withdraw ends a registration that is wrong: the child leaves the queues, an open offer
// is given back, the parent is told, and the child may be registered anew at once. The act has
// a reason. undone is the operator's word that a
// phone made it that was undone: then the child's next registration within 30 days takes
// over its place in the queue. There is none for citizens: a thief would use it.
// Problems: preschool_number, preschool_reason, preschool_placed (see TakeBack),
// preschool_left.
func (s *Service) Withdraw(ctx context.Context, act staff.Act, number string, undone bool) error {
	now, said := s.Now(), saidWithdrawn
	reason := strings.TrimSpace(act.Reason)
	if reason == "" {
		return problemReason
	}
	r, err := s.find(ctx, number)
	if err != nil {
		return err
	}
	var until dbtime.Time
	if undone {
		said, until = saidWithdrawnKept, dbtime.From(now.Add(placeKept))
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		if err := act.Record(ctx, tx); err != nil {
			return err
		}
		q := db.New(tx)
		was, err := locked(ctx, q, r.ID)
		if err != nil {
			return err
		}
		offer, open, err := withdraw(ctx, q, r, until, now)
		if err != nil {
			return err
		}
		return s.leave(ctx, tx, effect{
			caller: s.parent(r, now), actor: act.Actor, step: "withdraw", outcome: "done", object: r.Number, subject: r.CitizenID,
			purpose: said + reason, offer: offer, was: append(was, open...), tells: theParent, kind: notify.Statutory, dedup: "preschool.withdrawn:" + r.ID,
			say: func(loc locales.Locale) string {
				return gsm.Pick(s.Texts.Message(loc, "preschool.sms_withdrawn", "number", r.Number))
			},
		})
	})
}

// withdraw moves a registration out of its queues; the offer is the one that was given
// back, as its row is from then on, or nil, and was what it was.
func withdraw(ctx context.Context, q *db.Queries, r db.PreschoolRegistration, until dbtime.Time, now time.Time) (offer *db.PreschoolOffer, was []*audit.Group, err error) {
	moved, err := q.Withdraw(ctx, db.WithdrawParams{ID: r.ID, PlaceKeptUntilAt: until})
	if err != nil {
		return nil, nil, fmt.Errorf("withdraw a registration: %w", err)
	}
	if moved == 0 {
		if err := ended(ctx, q, r); err != nil {
			return nil, nil, err
		}
		return nil, nil, placedAt(ctx, q, r, locales.RU)
	}
	if err := q.LeaveQueue(ctx, r.ID); err != nil {
		return nil, nil, fmt.Errorf("leave the queues: %w", err)
	}
	row, err := q.LastOffer(ctx, r.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.State != string(Open) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("find the offer: %w", err)
	}
	was = []*audit.Group{offerGroup(row)}
	row.State, row.AnsweredAt = string(Declined), dbtime.From(now)
	closed, err := q.CloseOffer(ctx, db.CloseOfferParams{ID: row.ID, State: row.State, AnsweredAt: row.AnsweredAt})
	if err != nil || closed == 0 {
		return nil, nil, fmt.Errorf("close the offer of a registration that is withdrawn (%d): %w", closed, err)
	}
	err = q.GiveSeatBack(ctx, db.GiveSeatBackParams{Kindergarten: row.Kindergarten, Intake: row.Intake, Age: row.Age})
	if err != nil {
		return nil, nil, fmt.Errorf("give the seat back: %w", err)
	}
	return &row, was, nil
}

// ended is the problem of a registration that has ended; nil: it has not.
func ended(ctx context.Context, q *db.Queries, r db.PreschoolRegistration) error {
	now, err := q.ByNumber(ctx, r.Number)
	if err != nil {
		return fmt.Errorf("look whether a registration has ended: %w", err)
	}
	if state := State(now.State); state == StateLeft || state == StateWithdrawn {
		return problemEnded
	}
	return nil
}

// keptPlace gives a new registration the place of the child's last one, where that was
// withdrawn and its place is kept; and what the audit log says of the registration.
func keptPlace(ctx context.Context, q *db.Queries, row *db.AddRegistrationParams, now time.Time) (string, error) {
	last, err := q.NewestOfChild(ctx, row.ChildIndex)
	if errors.Is(err, sql.ErrNoRows) {
		return saidRegistered, nil
	} else if err != nil {
		return "", fmt.Errorf("look for the child's last registration: %w", err)
	}
	if State(last.State) != StateWithdrawn || last.PlaceKeptUntilAt.IsZero() || !now.Before(last.PlaceKeptUntilAt.Time) {
		return saidRegistered, nil
	}
	row.QueuedAt = last.QueuedAt
	return saidPlaceOf + last.Number, nil
}

// withdrawn notes what a record says of a withdrawal.
func (p *past) withdrawn(r audit.Recorded) {
	p.ended = StateWithdrawn
	if strings.HasPrefix(r.Purpose, saidWithdrawnKept) {
		p.keptUntil = r.At.Add(placeKept)
	}
	if n := len(p.offers); n > 0 && p.offers[n-1].state == Open {
		p.offers[n-1].state = Declined
	}
}

// succeeds notes whose place a registration took over, as far as the log lets it.
func (c *Check) succeeds(p *past, r audit.Recorded) {
	number, takes := strings.CutPrefix(r.Purpose, saidPlaceOf)
	if !takes {
		return
	}
	if old := c.of(number); r.At.Before(old.keptUntil) {
		p.placeOf, old.keptUntil = number, time.Time{} // once
	}
}
