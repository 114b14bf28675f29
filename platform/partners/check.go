package partners

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/trail"
)

// What the audit records of partners say of their rows, by groups. partners.secret_hash is
// looked at by versions before only; used_on decides nothing. A credential's hash is said
// where it is keyed: nobody makes such a one who writes to the database alone, and who moves
// that of an ended credential into another's row is found.
const (
	groupPartner    = "partner"    // partners.id, scopes, networks, per_minute, per_day, disabled_at
	groupCredential = "credential" // all else of partner_credentials
	groupSecret     = "secret"     // partner_credentials.secret_hash
)

func partnerGroup(row db.Partner) *audit.Group {
	return audit.Decided(groupPartner).Text(row.ID, row.Scopes, row.Networks).Number(row.PerMinute, row.PerDay).Moment(row.DisabledAt)
}

func credentialGroup(row db.PartnerCredential) *audit.Group {
	group := audit.Decided(groupCredential).Text(row.ID, row.PartnerID, row.Kind).Number(row.N).
		Moment(row.CreatedAt, row.NotAfterAt, row.DisabledAt, row.RevokedAt)
	if row.Thumbprint != "" { // records of secrets were made before there were any
		group = group.Text(row.Thumbprint)
	}
	return group
}

func secretGroup(row db.PartnerCredential) *audit.Group {
	return audit.Decided(groupSecret).Text(row.ID, row.SecretHash)
}

// keyed reports that a hash is one of ours, and no earlier version's, which is replaced
// without a record when its secret comes.
func keyed(row db.PartnerCredential) bool { return strings.HasPrefix(row.SecretHash, keyedHash) }

// leave writes down what an operator did to a partner; was is the row before, nil of a new one.
func (s *Service) leave(ctx context.Context, tx *store.Tx, officer, what string, was *db.Partner, row db.Partner, now time.Time) error {
	var before []*audit.Group
	if was != nil {
		before = []*audit.Group{partnerGroup(*was)}
	}
	return s.record(ctx, tx, officer, what, row.ID, now, before, partnerGroup(row))
}

// leaveCredential writes down what an operator did to a credential; was is the row before, nil
// of a new one.
func (s *Service) leaveCredential(ctx context.Context, tx *store.Tx, officer, what string, was *db.PartnerCredential, row db.PartnerCredential, now time.Time) error {
	var before []*audit.Group
	if was != nil {
		before = []*audit.Group{credentialGroup(*was)} // no operator changes the secret
	}
	decided := []*audit.Group{credentialGroup(row)}
	if keyed(row) {
		decided = append(decided, secretGroup(row))
	}
	return s.record(ctx, tx, officer, what, row.ID, now, before, decided...)
}

func (s *Service) record(ctx context.Context, tx *store.Tx, officer, what, object string, now time.Time, was []*audit.Group, decided ...*audit.Group) error {
	return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
		At: now, Actor: "staff:" + officer, Action: "partner." + what, Object: object, Purpose: "partner management", Decided: decided, Was: was,
	}})
}

// Recorded compares keyed digests of the audit log; an audit.Log does.
type Recorded interface {
	Fits(said audit.Said, object string, group *audit.Group) bool
}

// Compare compares the partners and their credentials with the audit log. Give it the
// log's records by See before Run.
type Compare struct {
	log     Recorded
	said    map[string]audit.Said // by the id of a partner or a credential: the last word
	secrets map[string]audit.Said // the same of a credential's hash
	wrong   []error               // what was changed before an operator changed it
}

// NewCompare makes a Compare against a log.
func NewCompare(log Recorded) *Compare {
	return &Compare{log: log, said: map[string]audit.Said{}, secrets: map[string]audit.Said{}}
}

// See takes a record of the audit log.
func (c *Compare) See(r audit.Recorded) {
	for group, said := range r.Says() {
		switch group {
		case groupPartner, groupCredential:
			c.follows(r, group, c.said[r.Object])
			c.said[r.Object] = said
		case groupSecret:
			c.follows(r, group, c.secrets[r.Object])
			c.secrets[r.Object] = said
		}
	}
}

// follows compares what an operator changed with what the record before says of it.
func (c *Compare) follows(r audit.Recorded, group string, before audit.Said) {
	if err := r.Break(group, group, before); err != nil {
		c.wrong = append(c.wrong, err)
	}
}

// Older is how many of the records seen cannot be compared: partners had none before they
// had digests.
func (c *Compare) Older() int { return 0 }

// Run compares. A partner of a version before has no record until it is changed: it may do
// everything, and has one secret.
func (c *Compare) Run(ctx context.Context, tx *sql.Tx) error {
	q := db.New(tx)
	rows, err := q.Partners(ctx)
	if err != nil {
		return fmt.Errorf("check the partners: %w", err)
	}
	wrong := c.wrong
	for _, row := range rows {
		said, known := c.said[row.ID]
		switch {
		case known && !c.log.Fits(said, row.ID, partnerGroup(row)):
			wrong = append(wrong, fmt.Errorf("the partner %s is otherwise than the audit record %s says", row.ID, said.Record()))
		case !known && (row.Scopes != legacyScopes || row.Networks != "" || row.PerMinute != 0 || row.PerDay != 0):
			wrong = append(wrong, fmt.Errorf("the audit log knows nothing of what the partner %s may do", row.ID))
		}
		credentials, err := q.Credentials(ctx, row.ID)
		if err != nil {
			return fmt.Errorf("check the credentials of %s: %w", row.ID, err)
		}
		for _, credential := range credentials {
			wrong = append(wrong, c.credential(credential))
		}
	}
	return errors.Join(wrong...)
}

// legacyScopes are those of a partner that a version before made (migration 170).
const legacyScopes = Check + " " + Pay + " " + Read

func (c *Compare) credential(row db.PartnerCredential) error {
	said, known := c.said[row.ID]
	switch {
	case known && !c.log.Fits(said, row.ID, credentialGroup(row)):
		return fmt.Errorf("the credential %s is otherwise than the audit record %s says", row.ID, said.Record())
	case !known && !first(row):
		return fmt.Errorf("the audit log knows nothing of the credential %s", row.ID)
	}
	return c.secret(row)
}

// first reports that a credential may be the one that a version before made (migration 170).
func first(row db.PartnerCredential) bool { return row.N == 1 && Kind(row.Kind) == OSMP }

// secret compares a credential's hash. Only the first one may have an earlier version's.
func (c *Compare) secret(row db.PartnerCredential) error {
	said, known := c.secrets[row.ID]
	switch {
	case known && !c.log.Fits(said, row.ID, secretGroup(row)):
		return fmt.Errorf("the secret of the credential %s is another than the audit record %s says", row.ID, said.Record())
	case !known && !keyed(row) && !first(row):
		return fmt.Errorf("the secret of the credential %s is kept as no version did", row.ID)
	}
	return nil
}
