package mandate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/job"
	"github.com/eshik-kg/eshik/platform/limit"
	"github.com/eshik-kg/eshik/platform/mandate/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
)

var (
	// asksByPerson bounds whom one may trouble.
	asksByPerson = limit.Rule{
		Name: "mandate:ask", What: "mandates asked for", Who: "a person", Rate: limit.Rate{N: 5, Per: 24 * time.Hour},
		Refusal: "problem.mandate_many", In: limit.InLimiter,
	}
	// toldOfAsks bounds how often one is troubled, whoever asks.
	toldOfAsks = limit.Rule{
		Name: "mandate:told", What: "messages that a mandate is asked for", Who: "a person", Rate: limit.Rate{N: 3, Per: 24 * time.Hour},
		Instead: "no message: the menu shows it", In: limit.InLimiter,
	}
)

// Limits are the rules of mandates, for the table of all.
func Limits() []limit.Rule { return []limit.Rule{asksByPerson, toldOfAsks} }

func (s *Service) bound(rule limit.Rule, who string) limit.Bound {
	return limit.Bound{Key: rule.Name + ":" + s.Sealer.Index(limitPurpose, who), Rate: rule.Rate}
}

// Wish is what somebody asks to be given.
type Wish struct {
	Number   string // the giver's personal number
	Services []string
	Until    time.Time // the last day, as clock.Date has it
}

// Ask asks the person with a personal number to let the citizen c.Subject act for them. Whether there is
// such a person, and what they answer, is not told: it waits for AskLasts, or until it is given. Asked
// once more while it waits it stays as it is. Problems: mandate_identify, mandate_number, mandate_self,
// mandate_services, mandate_until, mandate_open (something else is asked of them), mandate_many.
func (s *Service) Ask(ctx context.Context, c caller.Caller, w Wish) (m Mandate, err error) {
	index, tail, ok := s.Identity.PINIndex(w.Number)
	if !ok {
		return m, ErrNumber
	}
	row := db.Mandate{GiverIndex: index, HolderID: c.Subject}
	if err := s.wished(&row, c.Now, w); err != nil {
		return m, err
	}
	err = s.held(ctx, c, "ask", func(tx *store.Tx, me person) error {
		if me.index == index {
			return ErrSelf
		}
		if me.called.Called == "" { // a proof from before it was kept says not who asks
			return ErrUnproven
		}
		row.PhoneIndex = s.phoneIndex(c.Phone)
		m, err = s.ask(ctx, tx, c, me, tail, row)
		return err
	})
	if err != nil {
		return Mandate{}, fmt.Errorf("ask for a mandate: %w", err)
	}
	return m, nil
}

// wished puts what is wished for into a row.
func (s *Service) wished(row *db.Mandate, now time.Time, w Wish) error {
	list := slices.Compact(slices.Sorted(slices.Values(w.Services)))
	if len(list) == 0 || slices.ContainsFunc(list, func(name string) bool { return !slices.Contains(s.offered, name) }) {
		return ErrServices
	}
	days := policy.Value("longest.days", now)
	today := clock.Date(now)
	if w.Until.Before(today) || w.Until.After(today.AddDate(0, 0, days)) {
		return errUntil(days)
	}
	row.Services, row.AskedAt, row.ExpiresAt = strings.Join(list, " "), dbtime.From(now), dbtime.From(now.Add(AskLasts))
	row.UntilAt = dbtime.From(clock.Midnight(clock.Noon(w.Until).Add(24 * time.Hour)))
	return nil
}

func (s *Service) ask(ctx context.Context, tx *store.Tx, c caller.Caller, me person, tail string, row db.Mandate) (Mandate, error) {
	q := db.New(tx)
	mine, err := q.OfHolder(ctx, db.OfHolderParams{HolderID: me.id, Now: dbtime.From(c.Now)})
	if err != nil {
		return Mandate{}, err
	}
	for _, old := range mine { // also one that was refused: who asks again does not learn that
		if old.GiverIndex != row.GiverIndex || !old.GivenAt.IsZero() {
			continue
		}
		if old.Services != row.Services || !old.UntilAt.Equal(row.UntilAt.Time) {
			return Mandate{}, ErrOpen
		}
		return s.viewFor(Holder, old)
	}
	used, wait, err := limit.Within(ctx, s.Limiter, s.bound(asksByPerson, me.id))
	if err != nil {
		return Mandate{}, fmt.Errorf("count what was asked for: %w", err)
	}
	if used != nil {
		return Mandate{}, problem.New(problem.TooMany, asksByPerson.Refusal, "n", used.Rate.N).Until(c.Now, wait)
	}
	if err := s.write(&row, side{Tail: tail}, me.called); err != nil {
		return Mandate{}, err
	}
	if err := s.add(ctx, tx, row); err != nil {
		return Mandate{}, err
	}
	err = s.Trail.Leave(ctx, tx, trail.Step{
		Audit: audit.Entry{
			At: c.Now, Actor: me.id, Action: "mandate.asked", Object: row.ID, Subject: me.id, Purpose: "the person asks to act for another",
			Decided: []*audit.Group{mandateOf(row)}, Was: []*audit.Group{},
		},
		Event: analytics.Of(c, ServiceName, "ask", "done"),
	})
	if err != nil {
		return Mandate{}, err
	}
	if err := s.Queue.Insert(ctx, tx, tellArgs{ID: row.ID, What: toldAsked}, job.Options{}); err != nil {
		return Mandate{}, err
	}
	return s.viewFor(Holder, row)
}

// write gives a new row its id and what its sides are called.
func (s *Service) write(row *db.Mandate, giver, holder side) error {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return fmt.Errorf("make an id: %w", err)
	}
	row.ID = id.String()
	if row.GiverSealed, err = s.sealSide(giver, giverContext+row.ID); err != nil {
		return err
	}
	if row.HolderSealed, err = s.sealSide(holder, holderContext+row.ID); err != nil {
		return err
	}
	row.Mac, err = s.mac(*row)
	return err
}

func (s *Service) add(ctx context.Context, tx *store.Tx, row db.Mandate) error {
	err := db.New(tx).AddMandate(ctx, db.AddMandateParams{
		ID: row.ID, GiverIndex: row.GiverIndex, GiverID: row.GiverID, HolderID: row.HolderID, Services: row.Services, GiverSealed: row.GiverSealed,
		HolderSealed: row.HolderSealed, PhoneIndex: row.PhoneIndex, AskedAt: row.AskedAt, ExpiresAt: row.ExpiresAt, UntilAt: row.UntilAt,
		GivenAt: row.GivenAt, Mac: row.Mac,
	})
	if err != nil {
		return fmt.Errorf("keep a mandate: %w", err)
	}
	return nil
}
