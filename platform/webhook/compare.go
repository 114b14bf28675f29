package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/webhook/db"
)

// group is what the audit records of a webhook say of its rows: of partner_webhooks partner_id,
// url, proved_url and made_at; of partner_webhook_secrets id, n and not_after_at, the newest
// first. A secret itself is sealed for its own row. What a worker writes (failing_since_at,
// disabled_at, disabled_why) sends nothing anywhere else.
const group = "webhook"

// actions are how the actions of the audit log about webhooks begin, and removed is what ends one.
const (
	actions = "partner.webhook_"
	removed = "removed"
)

func groupOf(row db.PartnerWebhook, secrets []db.PartnerWebhookSecret) *audit.Group {
	g := audit.Decided(group).Text(row.PartnerID, row.Url, row.ProvedUrl).Moment(row.MadeAt)
	for _, secret := range secrets {
		g.Text(secret.ID).Number(secret.N).Moment(secret.NotAfterAt)
	}
	return g
}

// groupNow is how a partner's webhook stands in a transaction; none where there is none.
func groupNow(ctx context.Context, q *db.Queries, partner string) ([]*audit.Group, error) {
	row, err := hook(ctx, q, partner)
	if errors.Is(err, errAbsent) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	secrets, err := q.Secrets(ctx, partner)
	if err != nil {
		return nil, fmt.Errorf("read a webhook's secrets: %w", err)
	}
	return []*audit.Group{groupOf(row, secrets)}, nil
}

// Compare compares the webhooks with the audit log: whoever rewrites an address in the database
// has events sent to themselves. Give it the log's records by See before Run.
type Compare struct {
	rows *audit.Rows
	// before are the partners of whose webhook the last record is from before records said how it
	// stands.
	before map[string]bool
	older  int
}

// NewCompare makes a Compare against a log.
func NewCompare(log *audit.Log) *Compare {
	return &Compare{rows: audit.NewRows(log, audit.Kind{What: "webhook", Group: group, Erased: actions + removed}), before: map[string]bool{}}
}

// See takes a record of the audit log.
func (c *Compare) See(r audit.Recorded) {
	if !strings.HasPrefix(r.Action, actions) {
		return
	}
	c.rows.See(r)
	says := r.Compares() || r.Action == actions+removed // of which nothing is left to be said
	if c.before[r.Object] = !says; !says {
		c.older++
	}
}

// Older is how many of the records seen are from before they said how a webhook stands.
func (c *Compare) Older() int { return c.older }

// Run compares, and names each webhook that is otherwise than the log says.
func (c *Compare) Run(ctx context.Context, tx *sql.Tx) error {
	q := db.New(tx)
	list, err := q.Webhooks(ctx)
	if err != nil {
		return fmt.Errorf("check the webhooks: %w", err)
	}
	for _, row := range list {
		if c.before[row.PartnerID] {
			continue
		}
		secrets, err := q.Secrets(ctx, row.PartnerID)
		if err != nil {
			return fmt.Errorf("check the secrets of %s: %w", row.PartnerID, err)
		}
		c.rows.Fits(row.PartnerID, groupOf(row, secrets))
	}
	c.rows.Gone()
	return errors.Join(c.rows.Wrong()...)
}
