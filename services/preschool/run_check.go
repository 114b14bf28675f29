package preschool

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/services/preschool/allocation"
	"github.com/eshik-kg/eshik/services/preschool/db"
)

// runCheck compares the allocations with the audit log, and computes each anew from what it
// rested on.
type runCheck struct {
	sealer                 *seal.Sealer
	seeds, runs, end, lost *audit.Rows
	wrong                  []error
}

func newRunCheck(log *audit.Log, sealer *seal.Sealer) *runCheck {
	return &runCheck{
		sealer: sealer,
		seeds:  audit.NewRows(log, audit.Kind{What: "seed of the allocation", Group: groupSeed}),
		runs:   audit.NewRows(log, audit.Kind{What: "allocation", Group: groupRun}),
		end:    audit.NewRows(log, audit.Kind{What: "end of the allocation", Group: groupEnd}),
		lost:   audit.NewRows(log, audit.Kind{What: "offer that was not made", Group: groupLost}),
	}
}

func (c *runCheck) see(r audit.Recorded) {
	c.seeds.See(r)
	c.runs.See(r)
	c.end.See(r)
	c.lost.See(r)
}

// run reads the allocations within a snapshot, and gives all that is wrong with them.
func (c *runCheck) run(ctx context.Context, tx *sql.Tx) ([]error, error) {
	q := db.New(tx)
	rows, err := q.Runs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the allocations: %w", err)
	}
	for _, r := range rows {
		c.seeds.Fits(r.ID, seedGroup(r))
		if r.State == runNext {
			continue // should it be decided, the log says so: see Gone
		}
		if err := c.decided(ctx, q, r); err != nil {
			return nil, err
		}
	}
	c.seeds.Gone()
	c.runs.Gone()
	c.end.Gone()
	c.lost.Gone()
	apart, err := runsApart(ctx, tx)
	return slices.Concat(c.seeds.Wrong(), c.runs.Wrong(), c.end.Wrong(), c.lost.Wrong(), c.wrong, apart), err
}

func (c *runCheck) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

// decided compares an allocation that is decided.
func (c *runCheck) decided(ctx context.Context, q *db.Queries, r db.PreschoolRun) error {
	m, err := keptMarket(ctx, q, r)
	if err != nil {
		return err
	}
	c.runs.Fits(r.ID, runGroup(r, m))
	if r.State != runOffering {
		outcomes, err := q.RunOutcomes(ctx, r.N)
		if err != nil {
			return fmt.Errorf("count what became of an allocation: %w", err)
		}
		c.end.Fits(r.ID, endGroup(r, outcomes))
	}
	if r.Replay != "" {
		if _, digest, err := writeReplay(r, m); err != nil || digest != r.Replay {
			c.say("the allocation %s has rows of another replay file than was published", r.ID)
		}
	}
	seed, err := hex.DecodeString(r.Seed)
	if err != nil || commitment(seed) != r.Commitment {
		c.say("the allocation %s has another seed than was committed to", r.ID)
	}
	for i, child := range m.children {
		if childMac(c.sealer.Index, child) != child.Mac {
			c.say("in the allocation %s the row %d, of the registration %s, was changed", r.ID, i, child.Number)
		}
		if child.Outcome == outcomeGone || child.Outcome == outcomeFailed {
			c.lost.Fits(lostID(child), lostGroup(child))
		}
	}
	c.again(r, m)
	return c.ties(ctx, q, r, m, seed)
}

// again computes an allocation from what it rested on.
func (c *runCheck) again(r db.PreschoolRun, m market) {
	anew := m
	anew.children = slices.Clone(m.children)
	if err := anew.allocate(); err != nil {
		c.say("the allocation %s: %w", r.ID, err)
		return
	}
	for i, child := range anew.children {
		if child.Place != m.children[i].Place {
			c.say("in the allocation %s the row %d, of the registration %s, has the place %d: computed anew it has %d", r.ID, i, child.Number, m.children[i].Place, child.Place)
		}
	}
	if said := m.verdict(); r.Verdict != "" && said != r.Verdict {
		c.say("the check of the allocation %s says %q, it is kept as %q", r.ID, said, r.Verdict)
	}
}

// ties compares each child's tie with the child, where it was not erased.
func (c *runCheck) ties(ctx context.Context, q *db.Queries, r db.PreschoolRun, m market, seed []byte) error {
	rows, err := q.RunChildIndices(ctx, r.N)
	if err != nil {
		return fmt.Errorf("look whose an allocation's rows are: %w", err)
	}
	whose := make(map[string]string, len(rows))
	for _, row := range rows {
		whose[row.ID] = row.ChildIndex
	}
	for _, child := range m.children {
		index := whose[child.RegistrationID]
		if tie := allocation.Tie(seed, index); index != "" && hex.EncodeToString(tie[:]) != child.Tie {
			c.say("in the allocation %s the registration %s has another child's tie", r.ID, child.Number)
		}
	}
	return nil
}

// runsApart names the offers of allocations that are not there as they say, and rows of no
// allocation: they would be in the way of one that is to come.
func runsApart(ctx context.Context, tx *sql.Tx) (found []error, err error) {
	err = store.Rows(ctx, tx, "SELECT c.run, c.number, c.outcome FROM preschool_run_children c "+
		"LEFT JOIN preschool_run_groups g ON g.run = c.run AND g.place = c.place "+
		"LEFT JOIN preschool_offers o ON o.id = c.offer_id AND o.registration_id = c.registration_id AND o.kindergarten = g.kindergarten AND o.age = g.age "+
		"WHERE (c.outcome = 'offered') <> (o.id IS NOT NULL) OR (c.outcome = 'none') <> (c.place < 0) ORDER BY c.run, c.child", nil,
		func(rows *sql.Rows) error {
			var run int64
			var number, outcome string
			err := rows.Scan(&run, &number, &outcome)
			found = append(found, fmt.Errorf("in the allocation %d the registration %s is %s, which the offers do not say", run, number, outcome))
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("compare the allocations with the offers: %w", err)
	}
	err = store.Rows(ctx, tx, "SELECT DISTINCT x.run FROM (SELECT run FROM preschool_run_groups UNION SELECT run FROM preschool_run_children) x "+
		"LEFT JOIN preschool_runs r ON r.n = x.run AND r.state <> 'next' WHERE r.n IS NULL ORDER BY x.run", nil,
		func(rows *sql.Rows) error {
			var run int64
			err := rows.Scan(&run)
			found = append(found, fmt.Errorf("rows are kept of the allocation %d, which is not decided", run))
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("look for rows of no allocation: %w", err)
	}
	return found, nil
}
