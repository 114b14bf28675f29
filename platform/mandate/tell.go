package mandate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/gsm"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/notify"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

// What somebody is told of.
const (
	toldAsked    = "asked"    // the giver, if we know them
	toldGiven    = "given"    // the giver, on each of their phones
	toldReceived = "received" // the holder
	toldEnded    = "ended"    // either
)

// toldLife is how long a message is worth sending.
const toldLife = 7 * 24 * time.Hour

// tellArgs has one person told of a mandate, in a transaction of its own: so no two people's phones are
// held at once, and who asks does not see by the time it takes whether anybody is told.
type tellArgs struct {
	ID      string `json:"id"`
	What    string `json:"what"`
	Citizen string `json:"citizen,omitempty"` // empty: the giver, of what is asked
}

// Kind implements job.Args.
func (tellArgs) Kind() string { return "mandate.tell" }

func (s *Service) tell(ctx context.Context, args tellArgs, _ job.Attempt) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		row, err := db.New(tx).Mandate(ctx, args.ID)
		if errors.Is(err, sql.ErrNoRows) && args.What == toldEnded { // it was erased with a person
			row, err = db.Mandate{}, nil
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		to, phones, err := s.hears(ctx, tx, args, row)
		if err != nil || len(phones) == 0 {
			return err
		}
		return s.send(ctx, tx, args, row, to, phones)
	})
	if err != nil {
		return fmt.Errorf("tell of a mandate: %w", err)
	}
	return nil
}

// hears are who is told and on which phones. What names the other side goes only to phones that were
// proved strongly.
func (s *Service) hears(ctx context.Context, tx *store.Tx, args tellArgs, row db.Mandate) (citizen string, phones []identity.Reachable, err error) {
	now := s.Now()
	switch args.What {
	case toldAsked:
		if !row.GivenAt.IsZero() || !row.EndedAt.IsZero() || !row.ExpiresAt.After(now) {
			return "", nil, nil
		}
		citizen, known, err := s.Identity.Known(ctx, tx, row.GiverIndex)
		if err != nil || !known {
			return "", nil, err
		}
		used, _, err := limit.Within(ctx, s.Limiter, s.bound(toldOfAsks, row.GiverIndex))
		if err != nil || used != nil {
			return "", nil, err
		}
		phones, err = s.Identity.PhonesToTell(ctx, tx, citizen, now)
		return citizen, phones, err
	case toldGiven:
		phones, err = s.Identity.PhonesToWarn(ctx, tx, args.Citizen, now)
	case toldReceived:
		if !row.EndedAt.IsZero() { // the end may be told already: this would be the last word
			return "", nil, nil
		}
		fallthrough
	default:
		phones, err = s.Identity.PhonesToTell(ctx, tx, args.Citizen, now)
	}
	return args.Citizen, phones, err
}

func (s *Service) send(ctx context.Context, tx *store.Tx, args tellArgs, row db.Mandate, to string, phones []identity.Reachable) error {
	var values []any
	switch args.What {
	case toldAsked:
		m, err := s.viewFor(Giver, row)
		if err != nil {
			return err
		}
		values = []any{"called", m.Called, "tail", m.Tail}
	case toldReceived:
		m, err := s.viewFor(Holder, row)
		if err != nil {
			return err
		}
		values = []any{"called", m.Called, "date", lastDay(dbtime.From(m.Until))}
	}
	var step trail.Step
	for _, p := range phones {
		step.Messages = append(step.Messages, notify.Message{
			To: p.Phone, Locale: p.Locale, Purpose: notify.Receipt, About: to, ExpiresAt: s.Now().Add(toldLife),
			Dedup: "mandate." + args.What + ":" + args.ID + ":" + s.Sealer.Index(phonePurpose, p.Phone),
			Text:  gsm.Pick(s.Texts.Message(p.Locale, "mandate."+args.What+"_sms", values...)),
		})
	}
	return s.Trail.Leave(ctx, tx, step)
}

// lastDay is the last day on which a mandate is good, as people read it.
func lastDay(until dbtime.Time) string { return clock.ShowDate(clock.LastDay(until.Time)) }
