package preschool

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// shutOutListed is how long officers are shown an answer from a phone that was cut off.
const shutOutListed = 30 * 24 * time.Hour

// ShutOutAnswer is an answer to an offer from a phone that was cut off from the citizen
// afterwards: it may be a stranger's, and holds until an officer does something about it.
type ShutOutAnswer struct {
	// Offer is the place; its state is the answer.
	Offer Offer
	// At is when it was answered, CutAt when the phone was cut off.
	At, CutAt time.Time
}

// ShutOutAnswers lists, for officers, at most 1000 answers from phones that were cut off
// afterwards within the last 30 days, the newest cut first. One is in it until a place is
// offered anew or the registration ends.
func (s *Service) ShutOutAnswers(ctx context.Context) ([]ShutOutAnswer, error) {
	rows, err := db.New(s.DB.Reader()).ShutOutAnswers(ctx, dbtime.From(s.Now().Add(-shutOutListed)))
	if err != nil {
		return nil, fmt.Errorf("list the answers from phones that were cut off: %w", err)
	}
	list := make([]ShutOutAnswer, 0, len(rows))
	for _, row := range rows {
		list = append(list, ShutOutAnswer{Offer: offerOf(row), At: row.AnsweredAt.Time, CutAt: row.ShutOutAt.Time})
	}
	return list, nil
}

// shutOut marks what a phone that is cut off from a citizen answered to offers, and tells
// the phone that is told in its place of each.
func (s *Service) shutOut(ctx context.Context, tx *store.Tx, citizen, phone, heir string, now time.Time) error {
	rows, err := db.New(tx).AnsweredFrom(ctx, db.AnsweredFromParams{CitizenID: citizen, AnsweredBy: s.phoneIndex(phone)})
	if err != nil {
		return fmt.Errorf("list what a phone answered: %w", err)
	}
	for _, row := range rows {
		if err := s.shutOutAnswer(ctx, tx, row, phone, heir, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) shutOutAnswer(ctx context.Context, tx *store.Tx, row db.PreschoolOffer, phone, heir string, now time.Time) error {
	q := db.New(tx)
	if _, err := locked(ctx, q, row.RegistrationID); err != nil {
		return err
	}
	if last, err := q.LastOffer(ctx, row.RegistrationID); err != nil {
		return fmt.Errorf("find the last offer: %w", err)
	} else if last.ID != row.ID { // a place was offered anew meanwhile
		return nil
	}
	was := []*audit.Group{offerGroup(row)}
	row.ShutOutAt = dbtime.From(now)
	marked, err := q.ShutOut(ctx, db.ShutOutParams{ShutOutAt: row.ShutOutAt, ID: row.ID})
	if err != nil {
		return fmt.Errorf("mark an answer: %w", err)
	} else if marked == 0 {
		return nil
	}
	r, groups, err := decided(ctx, tx, row.Number)
	if err != nil {
		return err
	}
	step := trail.Step{Audit: audit.Entry{
		At: now, Actor: "system", Action: "preschool.phone", Object: r.Number, Subject: r.CitizenID,
		Purpose: "the phone that answered the offer is cut off from the citizen", Decided: append(groups, offerGroup(row)), Was: was,
	}}
	if heir != "" {
		_, loc, err := s.phone(ctx, r)
		if err != nil {
			return err
		}
		if chosen, err := s.Languages.Locale(ctx, heir); err == nil && chosen != "" {
			loc = chosen
		}
		step.Messages = []notify.Message{{
			To: heir, Locale: loc, Purpose: notify.Receipt, About: r.CitizenID, ExpiresAt: now.Add(messageLife),
			Dedup: "preschool.shut_out:" + row.ID,
			Text:  gsm.Pick(s.Texts.Message(loc, "preschool.sms_"+row.State+"_cut", "number", r.Number, "tail", caller.Tail(phone))),
		}}
	}
	return s.Trail.Leave(ctx, tx, step)
}
