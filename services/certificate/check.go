package certificate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/sign"
	"github.com/eshik-kg/eshik/services/certificate/db"
)

// Check compares every certificate with the audit log: its state, its citizen, and
// what the log has digests of (see decided.go).
type Check struct {
	log    *audit.Log
	sealer *seal.Sealer
	done   map[string]said
	older  int
	shares *audit.Rows
}

// said is what the log says of a certificate.
type said struct {
	state                                     State  // "": nothing
	citizen                                   string // whose it was issued as
	certificate, document, holder, revocation audit.Said
}

// NewCheck makes a Check against a log. Give it the log's records by See before Run.
func NewCheck(log *audit.Log, sealer *seal.Sealer) *Check {
	return &Check{log: log, sealer: sealer, done: map[string]said{}, shares: sharesOf(log)}
}

// Older is how many of the records seen are from before what they decided was kept.
func (c *Check) Older() int { return c.older }

// See takes a record of the audit log. A revocation is for good.
func (c *Check) See(r audit.Recorded) {
	p := c.done[r.Object]
	switch {
	case strings.HasPrefix(r.Action, "certificate.request."), r.Action == "certificate.erase":
	case r.Action == "certificate.issue":
		p.citizen = r.Subject
		if p.state == "" {
			p.state = Issued
		}
	case r.Action == "certificate.drop":
		p.state = Dropped
	case r.Action == "certificate.revoke":
		p.state = Revoked
	default:
		c.shares.See(r)
		return
	}
	if !r.Compares() {
		c.older++
		if r.Action == "certificate.issue" { // what was said when it was asked for holds no longer
			p.certificate, p.document = audit.Said{}, audit.Said{}
		}
	}
	for group, now := range r.Says() {
		switch group {
		case groupCertificate:
			p.certificate = now
		case groupDocument:
			p.document = now
		case groupHolder:
			p.holder = now
		case groupRevocation:
			p.revocation = now
		}
	}
	c.done[r.Object] = p
}

// Run reads the certificates within a snapshot and returns an error that names each
// one that is not what the log says, and each key that signed some and is gone.
func (c *Check) Run(ctx context.Context, tx *sql.Tx) error {
	signers, err := sign.NewSigners(ctx, tx)
	if err != nil {
		return fmt.Errorf("check the certificates: %w", err)
	}
	unsigned := map[string]int{} // how many certificates a key signed that is gone
	rows, err := tx.QueryContext(ctx, "SELECT id, number, request_key, citizen_id, holder_id, holder_ref, kind, state, intent_sealed, signed_sealed, "+
		"requested_at, issued_at, revoked_at, status_index FROM certificates")
	if err != nil {
		return fmt.Errorf("check the certificates: %w", err)
	}
	defer func() { _ = rows.Close() }() // Err below says what went wrong
	var found []error
	for rows.Next() {
		var row db.Certificate
		err := rows.Scan(&row.ID, &row.Number, &row.RequestKey, &row.CitizenID, &row.HolderID, &row.HolderRef, &row.Kind, &row.State, &row.IntentSealed, &row.SignedSealed,
			&row.RequestedAt, &row.IssuedAt, &row.RevokedAt, &row.StatusIndex)
		if err != nil {
			return fmt.Errorf("check the certificates: %w", err)
		}
		found = append(found, c.compare(row)...)
		if kid, kept, err := c.signer(signers, row); err != nil {
			found = append(found, err)
		} else if !kept {
			unsigned[kid]++
		}
		delete(c.done, row.ID)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check the certificates: %w", err)
	}
	for id, p := range c.done {
		if p.state != "" {
			found = append(found, fmt.Errorf("the certificate with the id %s is gone: the audit log says %s", id, p.state))
		}
	}
	shared, err := c.runShares(ctx, tx)
	if err != nil {
		return err
	}
	found = append(found, shared...)
	for kid, n := range unsigned {
		found = append(found, fmt.Errorf("the signing key %s is gone: nobody can verify the %d certificates that it signed", kid, n))
	}
	return errors.Join(found...)
}

// signer is the key that signed a certificate, and whether it is there; one that is not
// issued needs none.
func (c *Check) signer(signers sign.Signers, row db.Certificate) (kid string, kept bool, err error) {
	if len(row.SignedSealed) == 0 {
		return "", true, nil
	}
	message, err := c.sealer.Open(row.SignedSealed, signedContext(row.ID))
	var m sign.Message
	if err == nil {
		m, err = sign.Read(message)
	}
	if err != nil {
		return "", false, fmt.Errorf("the certificate %s: its signed record cannot be read: %w", row.Number, err)
	}
	if status := m.Claims.Status; row.StatusIndex.Valid != (status != nil) || status != nil && *status != row.StatusIndex.Int64 {
		return "", false, fmt.Errorf("the certificate %s has another place in the status lists than was signed", row.Number)
	}
	return m.Kid, signers.Kept(m.Kid), nil
}

// compare names what of a certificate is not what the log says.
func (c *Check) compare(row db.Certificate) (found []error) {
	p := c.done[row.ID]
	want := p.state
	if want == "" {
		want = Requested
	}
	if State(row.State) != want {
		return []error{fmt.Errorf("the certificate %s is %s, the audit log says %s", row.Number, row.State, want)}
	}
	if p.citizen != "" && p.citizen != row.CitizenID {
		return []error{fmt.Errorf("the certificate %s is another citizen's than the audit log says", row.Number)}
	}
	for _, s := range []struct {
		said  audit.Said
		group *audit.Group
	}{{p.certificate, certificateGroup(row)}, {p.document, documentGroup(row)}, {p.holder, holderGroup(row)}, {p.revocation, revocationGroup(row)}} {
		if s.said.Known() && !c.log.Fits(s.said, row.ID, s.group) {
			found = append(found, fmt.Errorf("the certificate %s (id %s) is not in its %s what the audit record %s says",
				row.Number, row.ID, s.group.Name(), s.said.Record()))
		}
	}
	if ofAnother(row) && !p.holder.Known() {
		found = append(found, fmt.Errorf("the certificate %s (id %s) is of somebody whom the audit log does not name", row.Number, row.ID))
	}
	if !row.RevokedAt.IsZero() && want != Revoked {
		found = append(found, fmt.Errorf("the certificate %s is %s, and has a moment of its revocation", row.Number, row.State))
	}
	return found
}
