package mandate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// Why a mandate ended, in ended_by.
const (
	byGiver  = "giver"
	byHolder = "holder"
	byPhone  = "phone" // the phone that asked for it or gave it is its person's no more
	byDeath  = "death" // of the giver
)

// List gives the mandates of the citizen c.Subject: those that wait for their answer first.
func (s *Service) List(ctx context.Context, c caller.Caller) ([]Mandate, error) {
	me, err := s.person(ctx, c, "list")
	if err != nil {
		return nil, err
	}
	q, now := db.New(s.DB.Reader()), dbtime.From(c.Now)
	gave, err := q.OfGiver(ctx, db.OfGiverParams{GiverIndex: me.index, Now: now})
	if err != nil {
		return nil, fmt.Errorf("list the mandates of a person: %w", err)
	}
	holds, err := q.OfHolder(ctx, db.OfHolderParams{HolderID: me.id, Now: now})
	if err != nil {
		return nil, fmt.Errorf("list the mandates that a person holds: %w", err)
	}
	list, late := []Mandate{}, []Mandate{}
	for _, row := range gave {
		m, err := s.viewFor(Giver, row)
		if err != nil {
			return nil, err
		}
		if m.State == Asked {
			list = append(list, m)
		} else {
			late = append(late, m)
		}
	}
	for _, row := range holds {
		m, err := s.viewFor(Holder, row)
		if err != nil {
			return nil, err
		}
		late = append(late, m)
	}
	return append(list, late...), nil
}

// Give has the citizen c.Subject give what was asked of them. Given once more it stays as it is. Problems:
// mandate_identify, mandate_absent.
func (s *Service) Give(ctx context.Context, c caller.Caller, id string) (m Mandate, err error) {
	err = s.held(ctx, c, "give", func(tx *store.Tx, me person) error {
		row, err := s.row(ctx, tx, id)
		if err != nil {
			return err
		}
		if row.GiverIndex != me.index || !row.EndedAt.IsZero() || !row.UntilAt.After(c.Now) {
			return ErrAbsent
		}
		if row.GivenAt.IsZero() {
			if !row.ExpiresAt.After(c.Now) || me.called.Called == "" {
				return ErrAbsent
			}
			if row, err = s.give(ctx, tx, c, me, row); err != nil {
				return err
			}
		}
		m, err = s.viewFor(Giver, row)
		return err
	})
	if err != nil {
		return Mandate{}, fmt.Errorf("give a mandate: %w", err)
	}
	return m, nil
}

func (s *Service) give(ctx context.Context, tx *store.Tx, c caller.Caller, me person, row db.Mandate) (db.Mandate, error) {
	was := mandateOf(row)
	row.GiverID, row.GivenAt, row.PhoneIndex = me.id, dbtime.From(c.Now), s.phoneIndex(c.Phone)
	var err error
	if row.GiverSealed, err = s.sealSide(me.called, giverContext+row.ID); err != nil {
		return row, err
	}
	if row.Mac, err = s.mac(row); err != nil {
		return row, err
	}
	err = db.New(tx).GiveMandate(ctx, db.GiveMandateParams{
		ID: row.ID, GiverID: row.GiverID, GiverSealed: row.GiverSealed, PhoneIndex: row.PhoneIndex, GivenAt: row.GivenAt, Mac: row.Mac,
	})
	if err != nil {
		return row, err
	}
	return row, s.given(ctx, tx, me.id, row, was, analytics.Of(c, ServiceName, "give", "done"))
}

// given leaves the trail of a mandate that actor gave: one record for each side, and both are told.
func (s *Service) given(ctx context.Context, tx *store.Tx, actor string, row db.Mandate, was *audit.Group, event analytics.Event) error {
	e := audit.Entry{
		At: row.GivenAt.Time, Actor: actor, Action: "mandate.given", Object: row.ID, Subject: row.GiverID, Purpose: "the person lets another act for them",
		Decided: []*audit.Group{mandateOf(row)}, Was: []*audit.Group{},
	}
	if was != nil {
		e.Was = append(e.Was, was)
	}
	if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: e, Event: event}); err != nil {
		return err
	}
	e.Action, e.Subject, e.Actor, e.Decided, e.Was = "mandate.received", row.HolderID, actorTo(Holder, row), nil, nil
	if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: e}); err != nil {
		return err
	}
	return s.Queue.InsertAll(ctx, tx, []job.Wanted{
		{Args: tellArgs{ID: row.ID, What: toldGiven, Citizen: row.GiverID}}, {Args: tellArgs{ID: row.ID, What: toldReceived, Citizen: row.HolderID}},
	})
}

// actorTo is the other side's name in the records of a side.
func actorTo(of Role, row db.Mandate) string {
	if of == Holder {
		return "giver:" + row.GiverID
	}
	return Actor(row.HolderID)
}

// Actor is the name, in the records of a giver, of the citizen who acts for them.
func Actor(holder string) string { return "representative:" + holder }

// row reads a mandate and has it stay so until tx ends.
func (s *Service) row(ctx context.Context, tx *store.Tx, id string) (db.Mandate, error) {
	row, err := db.New(tx).HoldMandate(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return row, ErrAbsent
	}
	if err == nil {
		err = s.genuine(row)
	}
	if err != nil {
		return row, fmt.Errorf("find a mandate: %w", err)
	}
	return row, nil
}

// End has the citizen c.Subject end a mandate that they gave or hold, refuse what is asked of them, or take
// back what they asked for. Problems: mandate_identify, mandate_absent.
func (s *Service) End(ctx context.Context, c caller.Caller, id string) error {
	err := s.held(ctx, c, "end", func(tx *store.Tx, me person) error {
		row, err := s.row(ctx, tx, id)
		if err != nil {
			return err
		}
		by, ok := s.ends(me, row, c.Now)
		if !ok {
			return ErrAbsent
		}
		return s.end(ctx, tx, me.id, row, by, c.Now, analytics.Of(c, ServiceName, "end", "done"))
	})
	if err != nil {
		return fmt.Errorf("end a mandate: %w", err)
	}
	return nil
}

// ends is as which side somebody may end a mandate. Who asked may take it back also where it was refused:
// they have not heard of that.
func (s *Service) ends(me person, row db.Mandate, now time.Time) (by string, ok bool) {
	if !row.UntilAt.After(now) || row.GivenAt.IsZero() && !row.ExpiresAt.After(now) {
		return "", false
	}
	switch {
	case row.EndedAt.IsZero() && row.GiverIndex == me.index:
		return byGiver, true
	case row.HolderID == me.id && (row.EndedAt.IsZero() || unheard(row, me.id)):
		return byHolder, true
	}
	return "", false
}

// end ends a mandate: one record for each side of what was given, and both are told of that.
func (s *Service) end(ctx context.Context, tx *store.Tx, actor string, row db.Mandate, by string, now time.Time, event analytics.Event) error {
	was := mandateOf(row)
	row.EndedAt, row.EndedBy = dbtime.From(now), by
	var err error
	if row.Mac, err = s.mac(row); err != nil {
		return err
	}
	err = db.New(tx).EndMandate(ctx, db.EndMandateParams{ID: row.ID, EndedAt: row.EndedAt, EndedBy: by, Mac: row.Mac})
	if err != nil {
		return err
	}
	e := audit.Entry{
		At: now, Actor: actor, Action: "mandate.ended", Object: row.ID, Subject: row.HolderID, Purpose: "ended: " + by,
		Decided: []*audit.Group{mandateOf(row)}, Was: []*audit.Group{was},
	}
	if row.GivenAt.IsZero() { // only who asked has a record of it; who refused may be nobody whom we know
		if by == byGiver {
			e.Actor, e.Action, e.Subject = actor, "mandate.refused", actor
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: e, Event: event})
	}
	if by == byGiver {
		e.Actor = actorTo(Holder, row)
	}
	if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: e, Event: event}); err != nil {
		return err
	}
	e.Actor, e.Subject, e.Decided, e.Was = actor, row.GiverID, nil, nil
	if by == byHolder {
		e.Actor = actorTo(Giver, row)
	}
	if err := s.Trail.Leave(ctx, tx, trail.Step{Audit: e}); err != nil {
		return err
	}
	told := []job.Wanted{{Args: tellArgs{ID: row.ID, What: toldEnded, Citizen: row.HolderID}}}
	if by != byDeath {
		told = append(told, job.Wanted{Args: tellArgs{ID: row.ID, What: toldEnded, Citizen: row.GiverID}})
	}
	return s.Queue.InsertAll(ctx, tx, told)
}
