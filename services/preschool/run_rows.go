package preschool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// What the audit records of an allocation say of its rows, by groups.
const (
	// groupSeed: preschool_runs.id, n, commitment, seed_sealed, committed_at.
	groupSeed = "allocationseed"
	// groupRun: the rest of it but the verdict and the end; preschool_run_groups; of
	// preschool_run_children what each one's mac says.
	groupRun = "allocation"
	// groupEnd: preschool_runs.state, verdict, ended_at, and how many of the offers were made.
	groupEnd = "allocationend"
	// groupLost: that an offer was not made, of preschool_run_children.outcome.
	groupLost = "allocationlost"
)

func seedGroup(r db.PreschoolRun) *audit.Group {
	return audit.Decided(groupSeed).Text(r.ID, r.Commitment).Sealed(r.SeedSealed).Number(r.N).Moment(r.CommittedAt)
}

func runGroup(r db.PreschoolRun, m market) *audit.Group {
	group := audit.Decided(groupRun).Text(r.ID, r.Seed, r.Actor).Moment(r.DecidedAt).
		Number(r.Intake, r.OpenEvery, r.Seats, r.Waiting, r.Placed, r.ShownSeats, r.ShownWaiting, int64(len(m.groups)), int64(len(m.children)))
	if r.Replay != "" { // records of before do not say it
		group.Text(r.Replay)
	}
	for _, g := range m.groups {
		group.Text(g.Kindergarten).Number(g.Place, g.Age, g.Free, g.Taken)
	}
	for _, c := range m.children {
		group.Text(c.Mac)
	}
	return group
}

func endGroup(r db.PreschoolRun, outcomes []db.RunOutcomesRow) *audit.Group {
	group := audit.Decided(groupEnd).Text(r.State, r.Verdict).Moment(r.EndedAt).Number(int64(len(outcomes)))
	for _, o := range outcomes {
		group.Text(o.Outcome).Number(o.N)
	}
	return group
}

// lostID names an offer of an allocation in the audit log.
func lostID(c db.PreschoolRunChild) string { return fmt.Sprintf("%d/%d", c.Run, c.Child) }

func lostGroup(c db.PreschoolRunChild) *audit.Group {
	return audit.Decided(groupLost).Text(c.RegistrationID, c.Number, c.Outcome)
}

// childMac is of all that a child's row says but what became of its offer. It names the row
// that was changed, where the digest in the audit log says only that one was.
func childMac(index func(purpose, value string) string, c db.PreschoolRunChild) string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return index("preschool.run_child", strings.Join([]string{
		number(c.Run), number(c.Child), c.RegistrationID, c.Number, number(c.BenefitRank), number(c.QueuedAt.Micros()), c.Tie, c.Wishes, number(c.Place),
	}, "\n"))
}

// What became of a child in an allocation.
const (
	outcomeNone    = "none"    // it is offered no place
	outcomeWaits   = "waits"   // its offer is not made yet
	outcomeOffered = "offered" // it was made
	outcomeGone    = "gone"    // the child waited no more, or the seat was free no more
	outcomeFailed  = "failed"  // it could not be made for offersFailFor
)

// runBatch is how many rows go to the database together.
const runBatch = 1000

// keepMarket writes down what an allocation rests on.
func (s *Service) keepMarket(ctx context.Context, tx *store.Tx, n int64, m market) error {
	groups, children := make([][]any, len(m.groups)), make([][]any, len(m.children))
	for i, g := range m.groups {
		groups[i] = []any{n, g.Place, g.Kindergarten, g.Age, g.Free, g.Taken}
	}
	for i := range m.children {
		c := &m.children[i]
		c.Run, c.Outcome = n, outcomeWaits
		if c.Place < 0 {
			c.Outcome = outcomeNone
		}
		c.Mac = childMac(s.Sealer.Index, *c)
		children[i] = []any{c.Run, c.Child, c.RegistrationID, c.Number, c.BenefitRank, c.QueuedAt, c.Tie, c.Wishes, c.Place, c.Mac, c.Outcome}
	}
	for _, table := range []struct {
		query string
		rows  [][]any
	}{
		{"INSERT INTO preschool_run_groups (run, place, kindergarten, age, free, taken) VALUES ($1, $2, $3, $4, $5, $6)", groups},
		{"INSERT INTO preschool_run_children (run, child, registration_id, number, benefit_rank, queued_at, tie, wishes, place, mac, outcome) " +
			"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)", children},
	} {
		for batch := range slices.Chunk(table.rows, runBatch) {
			if _, err := tx.Each(ctx, table.query, batch); err != nil {
				return fmt.Errorf("keep what an allocation rests on: %w", err)
			}
		}
	}
	return nil
}

// keptMarket reads what an allocation rests on and decided.
func keptMarket(ctx context.Context, q *db.Queries, r db.PreschoolRun) (market, error) {
	m := market{intake: int(r.Intake), openEvery: int(r.OpenEvery)}
	var err error
	if m.groups, err = q.RunGroups(ctx, r.N); err == nil {
		m.children, err = q.RunChildren(ctx, r.N)
	}
	if err != nil {
		return m, fmt.Errorf("read what an allocation rests on: %w", err)
	}
	return m, nil
}
