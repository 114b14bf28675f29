package preschool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/services/preschool/db"
)

// Allocations are the next one, as it would be now, and how the last one stands.
type Allocations struct {
	Next *Preview // nil: the last one makes its offers still
	Last *Run     // nil: there was none
}

// Preview is what the next allocation would do.
type Preview struct {
	N                      int64
	Commitment             string // SHA-256 of the seed, hexadecimal
	Seats, Waiting, Placed int
	Groups                 []PreviewGroup
}

// PreviewGroup is an age group that has a free seat which somebody asks for.
type PreviewGroup struct {
	Kindergarten string
	Name         Name
	Age          int // the group's, on the intake day
	Free         int
	Asking       int
	// Offered are the numbers of the registrations whose turn it is, and Benefit how many of them
	// have a benefit.
	Offered []string
	Benefit int
}

// Run is how an allocation stands.
type Run struct {
	N                int64
	State            string // offering, done or wrong
	Commitment, Seed string // hexadecimal: the one is the SHA-256 of the other
	Verdict          string // of the check of what is stored; empty: it is to come
	Decided          Decided
	Offered, Gone    int // offers made, and those whose child or seat was gone
	Failed           int // offers given up, as they could not be made for a day
	Waits            int // offers to make still
	// Failing are those of both that could not be made when they were tried, at most 100.
	Failing   []FailingOffer
	DecidedAt time.Time
}

// FailingOffer is an offer of an allocation that could not be made. Why is in the server's log.
type FailingOffer struct {
	Number  string // of the registration
	Since   time.Time
	GivenUp bool
}

// Allocations computes the next allocation, without an effect but that its seed is committed
// to, and tells how the last one stands.
func (s *Service) Allocations(ctx context.Context) (found Allocations, err error) {
	row, seed, err := s.next(ctx)
	if errors.Is(err, problemRunBusy) {
		found.Last, err = s.run(ctx, row.N)
		return found, err
	} else if err != nil {
		return found, err
	}
	if found.Last, err = s.run(ctx, row.N-1); err != nil {
		return found, err
	}
	all, err := s.list(ctx)
	if err != nil {
		return found, err
	}
	m, err := s.gatherNow(ctx, seed, all)
	if err != nil {
		return found, err
	}
	found.Next = &Preview{N: row.N, Commitment: row.Commitment, Seats: m.seats(), Waiting: len(m.children), Placed: m.placed(), Groups: m.shown(all)}
	return found, nil
}

// shown are the groups for officers.
func (m market) shown(all []Kindergarten) []PreviewGroup {
	names := make(map[string]Name, len(all))
	for _, k := range all {
		names[k.Code] = k.Name
	}
	groups := make([]PreviewGroup, len(m.groups))
	for i, g := range m.groups {
		groups[i] = PreviewGroup{Kindergarten: g.Kindergarten, Name: names[g.Kindergarten], Age: int(g.Age), Free: int(g.Free), Offered: []string{}}
	}
	given, _ := m.given() // it was read before to allocate
	for i, c := range m.children {
		for _, place := range given.Children[i].Wishes {
			groups[place].Asking++
		}
		if c.Place >= 0 {
			g := &groups[c.Place]
			g.Offered = append(g.Offered, c.Number)
			if c.BenefitRank < noBenefit {
				g.Benefit++
			}
		}
	}
	return groups
}

// run is how an allocation stands; nil: there is none of this number.
func (s *Service) run(ctx context.Context, n int64) (*Run, error) {
	q := db.New(s.DB.Reader())
	row, err := q.Run(ctx, n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no allocation is no error
	} else if err != nil {
		return nil, fmt.Errorf("read an allocation: %w", err)
	}
	outcomes, err := q.RunOutcomes(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("count the offers of an allocation: %w", err)
	}
	r := Run{
		N: row.N, State: row.State, Commitment: row.Commitment, Seed: row.Seed, Verdict: row.Verdict, DecidedAt: row.DecidedAt.Time,
		Decided: Decided{
			N: row.N, Seats: int(row.Seats), Waiting: int(row.Waiting), Placed: int(row.Placed),
			Shown: Shown{N: row.N, Seats: int(row.ShownSeats), Waiting: int(row.ShownWaiting)},
		},
	}
	for _, o := range outcomes {
		switch o.Outcome {
		case outcomeOffered:
			r.Offered = int(o.N)
		case outcomeGone:
			r.Gone = int(o.N)
		case outcomeFailed:
			r.Failed = int(o.N)
		case outcomeWaits:
			r.Waits = int(o.N)
		}
	}
	failing, err := q.RunFailing(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("list the offers of an allocation that fail: %w", err)
	}
	for _, f := range failing {
		r.Failing = append(r.Failing, FailingOffer{Number: f.Number, Since: f.FailingSinceAt.Time, GivenUp: f.Outcome == outcomeFailed})
	}
	return &r, nil
}
