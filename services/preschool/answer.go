package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Answer accepts or declines an offer of a registration, by the offer's id: one that came
// in its place since it was read is not answered with it. Only the registration's citizen
// may, proved, from whatever phone; for all others there is none.
// Accepting leaves the queues; declining gives the seat back, and the policy
// says what becomes of the place. The same answer given again is no error.
func (s *Service) Answer(ctx context.Context, c caller.Caller, number, offer string, accept bool) (Offer, error) {
	if c.Subject == "" {
		return Offer{}, problemProveOffer
	}
	if err := Assurance.Admit(c, "answer"); err != nil {
		return Offer{}, err
	}
	s.learnDistricts(ctx)
	r, err := s.find(ctx, number)
	if err != nil {
		return Offer{}, err
	}
	if r.CitizenID == "" { // taken over from another register
		if r, err = s.claimed(ctx, c, r); err != nil {
			return Offer{}, err
		}
	}
	if r.CitizenID != c.Subject {
		return Offer{}, problemNoOffer
	}
	wanted := Declined
	if accept {
		wanted = Accepted
	}
	var answered Offer
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		if held, err := s.Identity.HoldProof(ctx, tx, c); err != nil {
			return err
		} else if !held { // cut off since the request was let in: the cut did not see this answer
			return problemProveOffer
		}
		row, err := db.New(tx).LastOffer(ctx, r.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return problemNoOffer
		} else if err != nil {
			return fmt.Errorf("find the offer: %w", err)
		}
		if row.ID != offer {
			return problemOther
		}
		answered, err = s.answer(ctx, tx, c, r, row, wanted)
		answered.District = s.district(answered.Kindergarten)
		return err
	})
	return answered, err
}

// answer closes the offer as wanted, in the caller's transaction.
func (s *Service) answer(ctx context.Context, tx *store.Tx, c caller.Caller, r db.PreschoolRegistration, row db.PreschoolOffer, wanted OfferState) (Offer, error) {
	if row.State == string(Open) {
		if !c.Now.Before(row.ExpiresAt.Time) {
			return Offer{}, problemOver
		}
		if wanted == Accepted {
			if held, err := elsewhere(ctx, db.New(tx), r); err != nil {
				return Offer{}, err
			} else if held != nil {
				return Offer{}, hasPlace(ctx, db.New(tx), *held, c)
			}
		}
		open := offerGroup(row)
		row.AnsweredBy = s.phoneIndex(c.Phone)
		won, was, err := s.closeOffer(ctx, tx, row, wanted, c.Now)
		if err != nil {
			return Offer{}, err
		}
		if won {
			row.State, row.AnsweredAt = string(wanted), dbtime.From(c.Now)
			e := s.answered(c, r, row, wanted)
			e.was = append(was, open)
			return offerOf(row), s.leave(ctx, tx, e)
		}
		// Somebody else answered since the offer was read.
		if row, err = db.New(tx).LastOffer(ctx, r.ID); err != nil {
			return Offer{}, fmt.Errorf("find the offer again: %w", err)
		}
	}
	if OfferState(row.State) == wanted {
		return offerOf(row), ended(ctx, db.New(tx), r)
	}
	return Offer{}, whyClosed(ctx, db.New(tx), r, row)
}

// whyClosed is the problem of an offer that cannot be answered any more: that its
// registration has ended comes first, whatever was answered before.
func whyClosed(ctx context.Context, q *db.Queries, r db.PreschoolRegistration, row db.PreschoolOffer) error {
	if err := ended(ctx, q, r); err != nil {
		return err
	}
	switch OfferState(row.State) {
	case Open, Missed:
		return problemOver
	}
	return problemAnswered
}

// answered is what an answer leaves behind; row is the offer as it ended. The message
// goes to the phone that answered, and to the one that the registration tells: that is told
// which phone it was, as its owner may know nothing of it.
func (s *Service) answered(c caller.Caller, r db.PreschoolRegistration, row db.PreschoolOffer, state OfferState) effect {
	e := effect{
		caller: c, step: "answer", outcome: "done", object: r.Number, subject: r.CitizenID,
		purpose: "offer " + string(state), offer: &row, kind: notify.Receipt, dedup: "preschool." + string(state) + ":" + row.ID, tells: bothOfThem,
	}
	key := "preschool.sms_" + string(state)
	if s.rules.at(c.Now).effect(state) == toTheEnd {
		key += "_end"
	}
	e.say = func(loc locales.Locale) string {
		if state == Accepted {
			return s.sayPlace("preschool.sms_accepted", offerOf(row), loc)
		}
		return gsm.Pick(s.Texts.Message(loc, key, "number", r.Number, "kindergarten", s.title(offerOf(row), loc)))
	}
	e.sayThere = func(loc locales.Locale) string {
		return gsm.Pick(s.Texts.Message(loc, "preschool.sms_"+string(state)+"_there", "number", r.Number, "tail", caller.Tail(c.Phone)))
	}
	return e
}

// closeOffer ends an open offer as row says from which phone; false: it was not open any more. Answers and
// the expiry race for the one row, and one of them wins. was is what the registration was, where
// that changes with it.
func (s *Service) closeOffer(ctx context.Context, tx *store.Tx, row db.PreschoolOffer, state OfferState, now time.Time) (won bool, was []*audit.Group, err error) {
	q := db.New(tx)
	closed, err := q.CloseOffer(ctx, db.CloseOfferParams{ID: row.ID, State: string(state), AnsweredAt: dbtime.From(now), AnsweredBy: row.AnsweredBy})
	if err != nil {
		return false, nil, fmt.Errorf("close the offer: %w", err)
	}
	if closed == 0 {
		return false, nil, nil
	}
	if state == Accepted {
		return true, nil, place(ctx, q, row.RegistrationID)
	}
	was, err = release(ctx, q, row, s.rules.at(now).effect(state), now)
	return true, was, err
}

// place takes an accepted child out of all its queues.
func place(ctx context.Context, q *db.Queries, registration string) error {
	_, err := q.MoveRegistration(ctx, db.MoveRegistrationParams{ID: registration, Was: string(StateOffered), State: string(StatePlaced)})
	if err != nil {
		return fmt.Errorf("place the child: %w", err)
	}
	if err := q.LeaveQueue(ctx, registration); err != nil {
		return fmt.Errorf("leave the queues: %w", err)
	}
	return nil
}

// release gives the seat of an offer back and lets the child wait on; was is what the
// registration was, where it moves.
func release(ctx context.Context, q *db.Queries, row db.PreschoolOffer, effect string, now time.Time) (was []*audit.Group, err error) {
	_, err = q.MoveRegistration(ctx, db.MoveRegistrationParams{ID: row.RegistrationID, Was: string(StateOffered), State: string(StateWaiting)})
	if err != nil {
		return nil, fmt.Errorf("let the child wait on: %w", err)
	}
	err = q.GiveSeatBack(ctx, db.GiveSeatBackParams{Kindergarten: row.Kindergarten, Intake: row.Intake, Age: row.Age})
	if err != nil {
		return nil, fmt.Errorf("give the seat back: %w", err)
	}
	if effect != toTheEnd {
		return nil, nil
	}
	if was, err = locked(ctx, q, row.RegistrationID); err != nil {
		return nil, err
	}
	at := dbtime.From(now)
	if err := q.RequeueRegistration(ctx, db.RequeueRegistrationParams{ID: row.RegistrationID, QueuedAt: at}); err != nil {
		return nil, fmt.Errorf("move to the end: %w", err)
	}
	if err := q.RequeueChoices(ctx, db.RequeueChoicesParams{RegistrationID: row.RegistrationID, QueuedAt: at}); err != nil {
		return nil, fmt.Errorf("move the choices to the end: %w", err)
	}
	return was, nil
}

// Expire closes the offers whose time is over, gives their seats back and tells
// the parents; it returns how many. Run it now and then, from any number of
// processes.
func (s *Service) Expire(ctx context.Context) (int, error) {
	now := s.Now()
	rows, err := db.New(s.DB.Reader()).MissedOffers(ctx, dbtime.From(now))
	if err != nil {
		return 0, fmt.Errorf("list the missed offers: %w", err)
	}
	expired := 0
	for _, row := range rows {
		won, err := s.expire(ctx, row, now)
		if err != nil {
			return expired, err
		}
		if won {
			expired++
		}
	}
	return expired, nil
}

func (s *Service) expire(ctx context.Context, row db.PreschoolOffer, now time.Time) (bool, error) {
	r, err := s.find(ctx, row.Number)
	if err != nil {
		return false, err
	}
	c := s.parent(r, now)
	won := false
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		var err error
		var was []*audit.Group
		if won, was, err = s.closeOffer(ctx, tx, row, Missed, now); err != nil || !won {
			return err
		}
		ended := row
		ended.State, ended.AnsweredAt = string(Missed), dbtime.From(now)
		e := s.answered(c, r, ended, Missed)
		e.was = append(was, offerGroup(row))
		e.actor, e.step, e.kind, e.tells = "system", "expire", notify.Statutory, theParent
		return s.leave(ctx, tx, e)
	})
	return won, err
}
