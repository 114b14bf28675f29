package staff

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/store"
)

// proposalSaid is what the audit log says of a proposal. Its text is sealed with its id.
type proposalSaid struct {
	outcome, record string // record is the id of the one that decided it
	seen            bool   // the row is there
}

// proposal takes a record of a proposal. One that is decided a second time was opened again.
func (c *Compare) proposal(r audit.Recorded) {
	what, _, _ := strings.Cut(strings.TrimPrefix(r.Action, "staff."), ".")
	switch said := c.proposals[r.Object]; what {
	case "propose":
		c.proposals[r.Object] = said
	case approved, rejected:
		if said.outcome != "" {
			c.wrong = append(c.wrong, fmt.Errorf("the proposal %s was %s by the audit record %s, and then %s by %s: it was opened again",
				r.Object, said.outcome, said.record, what, r.ID))
		}
		c.proposals[r.Object] = proposalSaid{outcome: what, record: r.ID}
	}
}

// proposalRows compares how proposals stand. One that nobody decided is deleted when it expired.
func (c *Compare) proposalRows(ctx context.Context, tx *sql.Tx) (wrong []error, err error) {
	err = store.Rows(ctx, tx, "SELECT id, outcome FROM staff_proposals ORDER BY id", nil, func(rows *sql.Rows) error {
		var id, outcome string
		if err := rows.Scan(&id, &outcome); err != nil {
			return err
		}
		said, known := c.proposals[id]
		switch {
		case !known:
			wrong = append(wrong, fmt.Errorf("the audit log knows nothing of the proposal %s", id))
		case said.outcome != outcome:
			wrong = append(wrong, fmt.Errorf("the proposal %s is %s, the audit log says %s", id, orOpen(outcome), orOpen(said.outcome)))
		}
		said.seen = true
		c.proposals[id] = said
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(c.proposals)) {
		if said := c.proposals[id]; said.outcome != "" && !said.seen {
			wrong = append(wrong, fmt.Errorf("the proposal %s, which was %s by the audit record %s, is gone", id, said.outcome, said.record))
		}
	}
	return wrong, err
}

// orOpen is an outcome in words.
func orOpen(outcome string) string { return cmp.Or(outcome, "open") }
