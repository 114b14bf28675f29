package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// offerFacts is how the registration stands in the queue of the kindergarten.
func offerFacts(ctx context.Context, modules []module.Module, given map[string]string) (string, error) {
	s := module.Of[*Service](modules)
	r, err := s.find(ctx, given["registration"])
	if err != nil {
		return "", err
	}
	if State(r.State) != StateWaiting {
		return "", notWaiting(r)
	}
	before, err := db.New(s.DB.Reader()).WaitingAhead(ctx, db.WaitingAheadParams{RegistrationID: r.ID, Kindergarten: given["kindergarten"]})
	if err != nil {
		return "", fmt.Errorf("count who waits before: %w", err)
	}
	return fmt.Sprintf("children who wait before it: %d, and of the same moment: %d", before.Before, before.Level), nil
}

// placeFacts is which place the registration has, and since when: an approver who reads that it
// was accepted lately asks the parent before it is taken.
func placeFacts(ctx context.Context, modules []module.Module, given map[string]string) (string, error) {
	s := module.Of[*Service](modules)
	r, err := s.find(ctx, given["registration"])
	if err != nil {
		return "", err
	}
	if State(r.State) != StatePlaced {
		return "", problemNotPlaced
	}
	offered, err := lastOfferFact(ctx, db.New(s.DB.Reader()), r.ID)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the registration %s is %s: %s", r.Number, r.State, offered), nil
}

// withdrawFacts is how the registration stands: what it waits for and since when, and what it was
// offered last.
func withdrawFacts(ctx context.Context, modules []module.Module, given map[string]string) (string, error) {
	s := module.Of[*Service](modules)
	r, err := s.find(ctx, given["registration"])
	if err != nil {
		return "", err
	}
	q := db.New(s.DB.Reader())
	switch State(r.State) {
	case StateLeft, StateWithdrawn:
		return "", problemEnded
	case StatePlaced:
		return "", placedAt(ctx, q, r, locales.RU)
	}
	choices, err := q.Choices(ctx, r.ID)
	if err != nil {
		return "", fmt.Errorf("list what a registration waits for: %w", err)
	}
	codes := make([]string, len(choices))
	for i, c := range choices {
		codes[i] = c.Kindergarten
	}
	offered, err := lastOfferFact(ctx, q, r.ID)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the registration %s is %s, in the queue of %s since %s; %s", r.Number, r.State, strings.Join(codes, ", "), clock.Moment(r.QueuedAt.Time), offered), nil
}

// lastOfferFact is what became of the last offer to a registration. It says times and not how long
// ago they are: it changes when something happens only.
func lastOfferFact(ctx context.Context, q *db.Queries, registration string) (string, error) {
	row, err := q.LastOffer(ctx, registration)
	if errors.Is(err, sql.ErrNoRows) {
		return "offered no place", nil
	} else if err != nil {
		return "", fmt.Errorf("find the last offer: %w", err)
	}
	said := fmt.Sprintf("%s (%s), offered at %s, %s", row.NameRu, row.Kindergarten, clock.Second(row.OfferedAt.Time), row.State)
	if !row.AnsweredAt.IsZero() {
		said += " at " + clock.Second(row.AnsweredAt.Time)
	}
	if !row.ShutOutAt.IsZero() {
		said += " by a phone that was cut off at " + clock.Second(row.ShutOutAt.Time)
	}
	return said, nil
}
