package fine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/registry"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/services/fine/db"
)

// owed says whether an appealed fine is still to be paid.
type owed int

const (
	owedUnknown owed = iota // the register did not say
	owedYes
	owedNo // it is paid, or is being paid through us
)

// owes looks whether an appealed fine is still to be paid: what we took, and what the register says.
func (s *Service) owes(ctx context.Context, row db.FineAppeal, now time.Time) (owed, error) {
	claimed, err := s.Payments.Claimed(ctx, Name, row.Bill)
	if err != nil {
		return owedUnknown, fmt.Errorf("look whether an appealed fine is paid: %w", err)
	}
	if claimed {
		return owedNo, nil
	}
	answer, err := s.Cashier.Check(ctx, s.call(caller.Caller{Key: "appeal:" + row.ID, Now: now}), row.Bill, priceOnly, now)
	switch answered := err == nil; {
	case answered && answer.Code == registry.CodeOK:
		return owedYes, nil
	case answered && answer.Code == registry.CodeAlreadyPaid:
		return owedNo, nil
	}
	return owedUnknown, nil // the decision is told all the same
}

// decidedKey names the text that tells a person how their appeal was decided, and what is true of the fine.
func decidedKey(row db.FineAppeal, to AppealState, fine owed, now time.Time) string {
	key := "fine.appeal_sms_" + string(to)
	switch {
	case to != AppealRejected:
		return key
	case fine == owedNo:
		return key + "_paid"
	case fine == owedUnknown:
		return key + "_look"
	case now.Before(row.DiscountAt.Time):
		return key + "_until"
	}
	return key
}

// decidedDedup begins the names of all messages that tell of the decision of an appeal.
func decidedDedup(id string) string { return "fine.appeal_decided:" + id + ":" }

// sayDecided is the message to a phone: how an appeal was decided, and what comes next. Why stands
// where the person asks for the appeal: it is about the person.
func (s *Service) sayDecided(row db.FineAppeal, key string, p identity.Reachable, dedup string, now time.Time) (m notify.Message, err error) {
	plate, err := s.Sealer.Open(row.PlateSealed, appealPlate+row.ID)
	if err != nil {
		return m, fmt.Errorf("open the plate of the appeal %s: %w", row.ID, err)
	}
	return notify.Message{
		To: p.Phone, Locale: p.Locale, Purpose: notify.Statutory, About: row.CitizenID, ExpiresAt: now.Add(appealLife), Dedup: decidedDedup(row.ID) + dedup,
		Text: gsm.Pick(s.Texts.Message(p.Locale, key, "appeal", row.Number, "plate", string(plate), "until", clock.Moment(row.DiscountAt.Time))),
	}, nil
}

// tellDecided are the messages to the person's phones, once for each.
func (s *Service) tellDecided(row db.FineAppeal, key string, phones []identity.Reachable, now time.Time) (list []notify.Message, err error) {
	for _, p := range phones {
		m, err := s.sayDecided(row, key, p, s.carPhone(p.Phone), now)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// lately is from when on decisions are told that no phone heard of.
func lately(now time.Time) time.Time {
	return now.AddDate(0, 0, -policy.Value("appeal.tell_days", now))
}

// tellUnheard tells a phone that is the citizen's now of the decisions that no phone heard of: there
// was none to be told, or what waited for one was dropped, as it was cut off. cut is a phone (E.164)
// that is being cut off; empty: none. The names of the messages are counted, so that of two at once one is sent.
func (s *Service) tellUnheard(ctx context.Context, tx *store.Tx, citizen string, p identity.Reachable, cut string, now time.Time) error {
	rows, err := db.New(tx).AppealsOfCitizen(ctx, db.AppealsOfCitizenParams{CitizenID: citizen, Limit: AppealsShown})
	if err != nil {
		return fmt.Errorf("list a person's appeals: %w", err)
	}
	var messages []notify.Message
	for _, row := range rows {
		to := AppealState(row.State)
		if to != AppealAccepted && to != AppealRejected || row.EndedAt.Before(lately(now)) {
			continue
		}
		told, err := s.Outbox.Reach(ctx, tx, citizen, decidedDedup(row.ID), cut)
		if err != nil {
			return err
		}
		if told.Phones > 0 {
			continue
		}
		claimed, err := s.Payments.Claimed(ctx, Name, row.Bill)
		if err != nil {
			return fmt.Errorf("look whether an appealed fine is paid: %w", err)
		}
		fine := owedUnknown // the register is not asked while a proof is made
		if claimed {
			fine = owedNo
		}
		m, err := s.sayDecided(row, decidedKey(row, to, fine, now), p, "again:"+strconv.Itoa(told.Messages), now)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	return s.Trail.Leave(ctx, tx, trail.Step{Messages: messages})
}

// ProvedStrongly tells the phone on which the citizen is proved strongly just now of the decisions that
// no phone heard of, and has the cars that tell nobody tell it.
func (s *Service) ProvedStrongly(ctx context.Context, tx *store.Tx, c caller.Caller) error {
	if c.Phone == "" {
		return nil
	}
	if err := s.tellAgain(ctx, tx, c); err != nil || Assurance.Admit(c, "appeals") != nil {
		return err
	}
	return s.tellUnheard(ctx, tx, c.Subject, identity.Reachable{Phone: c.Phone, Locale: c.Locale}, "", c.Now)
}

// decisionsLooked is how many decisions are looked at for who heard of them.
const decisionsLooked = 1000

// UnheardDecisions lists, for operators, the appeals that were decided in the last days
// (appeal.tell_days) and of whose decision no phone heard, the first one first.
func (s *Service) UnheardDecisions(ctx context.Context) (list []Waiting, err error) {
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		rows, err := db.New(tx).AppealsDecided(ctx, db.AppealsDecidedParams{EndedAt: dbtime.From(lately(s.Now())), Limit: decisionsLooked})
		if err != nil {
			return fmt.Errorf("list the appeals decided lately: %w", err)
		}
		for _, row := range rows {
			told, err := s.Outbox.Reach(ctx, tx, row.CitizenID, decidedDedup(row.ID), "")
			if err != nil {
				return err
			}
			if told.Phones == 0 {
				list = append(list, Waiting{row.Number, row.Ground, AppealState(row.State), row.TakenBy, row.ReceivedAt.Time})
			}
		}
		return nil
	})
	return list, err
}

// Heard reports that a phone of the person's is told how an appeal was decided. Problem: fine_appeal.
func (s *Service) Heard(ctx context.Context, typed string) (heard bool, err error) {
	err = s.DB.InTx(ctx, func(tx *store.Tx) error {
		row, err := appealRow(ctx, db.New(tx), typed)
		if err != nil {
			return err
		}
		told, err := s.Outbox.Reach(ctx, tx, row.CitizenID, decidedDedup(row.ID), "")
		heard = told.Phones > 0
		return err
	})
	return heard, err
}

// sayUnheard are the lines of UnheardDecisions.
func (s *Service) sayUnheard(ctx context.Context) (string, error) {
	list, err := s.UnheardDecisions(ctx)
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, a := range list {
		fmt.Fprintf(&lines, "%s  appeal %s\n", a.Number, a.State)
	}
	fmt.Fprintf(&lines, "%d decisions of appeals that no phone was told.\n", len(list))
	return lines.String(), nil
}
