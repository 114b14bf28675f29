package certificate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/audit"
)

// Check compares the state and the citizen of every certificate with the audit log.
type Check struct {
	states   map[string]State
	citizens map[string]string // whose certificate it was issued as
}

// NewCheck makes a Check. Give it the audit log by See before Run.
func NewCheck() *Check { return &Check{states: map[string]State{}, citizens: map[string]string{}} }

// See takes a record of the audit log. A revocation is for good.
func (c *Check) See(e audit.Entry) {
	switch e.Action {
	case "certificate.issue":
		c.citizens[e.Object] = e.Subject
		if c.states[e.Object] == "" {
			c.states[e.Object] = Issued
		}
	case "certificate.revoke":
		c.states[e.Object] = Revoked
	}
}

// Run reads the certificates within a snapshot and returns an error that names each
// one that is not what the log says.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, "SELECT id, number, state, citizen_id FROM certificates")
	if err != nil {
		return fmt.Errorf("check the certificates: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	var found []error
	for rows.Next() {
		var id, number, citizen string
		var state State
		if err := rows.Scan(&id, &number, &state, &citizen); err != nil {
			return fmt.Errorf("check the certificates: %w", err)
		}
		want, said := c.states[id]
		if !said {
			want = Requested
		}
		if state != want {
			found = append(found, fmt.Errorf("the certificate %s is %s, the audit log says %s", number, state, want))
		}
		if owner, issued := c.citizens[id]; issued && owner != citizen {
			found = append(found, fmt.Errorf("the certificate %s is another citizen's than the audit log says", number))
		}
		delete(c.states, id)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check the certificates: %w", err)
	}
	for id, state := range c.states {
		found = append(found, fmt.Errorf("the certificate with the id %s is gone: the audit log says %s", id, state))
	}
	return errors.Join(found...)
}
