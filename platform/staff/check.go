package staff

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/staff/db"
)

// groupAccount is what the audit records of accounts say of their rows: the MAC, which is
// over all that decides what an account may do.
const groupAccount = "account"

func accountOf(mac string) []*audit.Group {
	return []*audit.Group{audit.Decided(groupAccount).Text(mac)}
}

// Recorded compares keyed digests of the audit log; an audit.Log does.
type Recorded interface {
	Fits(said audit.Said, object string, group *audit.Group) bool
}

// Compare finds accounts and proposals that somebody changed who can write to the database: an
// account whose row is none of ours, or one that was ours earlier and was put back, and a
// proposal that was decided otherwise or is open again. Give it the log's records by See
// before Run.
type Compare struct {
	log       Recorded
	sealer    *seal.Sealer
	said      map[string]audit.Said   // by account: the last word; none where versions before wrote it
	proposals map[string]proposalSaid // by the proposal's id
	wrong     []error                 // what was changed before a step of ours
	older     int
}

// NewCompare makes a Compare against a log.
func NewCompare(log Recorded, sealer *seal.Sealer) *Compare {
	return &Compare{log: log, sealer: sealer, said: map[string]audit.Said{}, proposals: map[string]proposalSaid{}}
}

// See takes a record of the audit log.
func (c *Compare) See(r audit.Recorded) {
	c.proposal(r)
	if !strings.HasPrefix(r.Action, "staff.account.") {
		return
	}
	if !r.Compares() {
		c.older++
		c.said[r.Object] = audit.Said{}
	}
	for group, said := range r.Says() {
		if group == groupAccount {
			if err := r.Break("account", group, c.said[r.Object]); err != nil {
				c.wrong = append(c.wrong, err)
			}
			c.said[r.Object] = said
		}
	}
}

// Older is how many of the records seen cannot be compared: those of versions before.
func (c *Compare) Older() int { return c.older }

// Run compares on one moment of the database.
func (c *Compare) Run(ctx context.Context, tx *sql.Tx) error {
	rows, err := db.New(tx).Accounts(ctx)
	if err != nil {
		return fmt.Errorf("read the accounts of staff: %w", err)
	}
	apart, err := c.proposalRows(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the proposals of staff: %w", err)
	}
	gone, faults := maps.Clone(c.said), slices.Concat(c.wrong, apart)
	for _, row := range rows {
		said, known := c.said[row.ID]
		delete(gone, row.ID)
		if err := (&Service{Deps: Deps{Sealer: c.sealer}}).genuine(row); err != nil {
			faults = append(faults, err)
		} else if !known {
			faults = append(faults, fmt.Errorf("the audit log knows nothing of the account %s", row.Login))
		} else if said.Known() && !c.log.Fits(said, row.ID, accountOf(row.Mac)[0]) {
			faults = append(faults, fmt.Errorf("the account %s is otherwise than the audit record %s says: an earlier row was put back", row.Login, said.Record()))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		faults = append(faults, fmt.Errorf("the account %s, which the audit log knows, is gone", id))
	}
	return errors.Join(faults...)
}
