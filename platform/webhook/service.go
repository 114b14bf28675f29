package webhook

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/eshik-kg/eshik/platform/audit"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/seal"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/trail"
	"github.com/eshik-kg/eshik/platform/webhook/db"
)

// Deps is what a Service stands on; every field but Loopback is needed.
type Deps struct {
	DB       *store.DB
	Events   *Events
	Partners Partners
	Sealer   *seal.Sealer
	Trail    *trail.Trail
	Now      func() time.Time
	Random   io.Reader // crypto/rand.Reader
	Log      *slog.Logger
	// Loopback allows http and this computer's own addresses: the sandbox.
	Loopback bool
}

// Partners knows who is dealt with. partners.Service is one.
type Partners interface {
	// Served reports that a partner is known and not disabled.
	Served(ctx context.Context, partner string) (bool, error)
}

// Service sends partners their events. It is safe for concurrent use.
type Service struct {
	Deps
	client *http.Client
	busy   busy
}

// New makes a Service.
func New(deps Deps) (*Service, error) {
	if err := needs.All("webhooks", deps, "Loopback"); err != nil {
		return nil, err
	}
	s := &Service{Deps: deps}
	s.client = s.newClient()
	return s, nil
}

// Webhook is where a partner's events are sent.
type Webhook struct {
	Partner string
	URL     string
	// Proved says that the address answered a challenge. Until it does, events go to the one
	// that did before, or nowhere.
	Proved bool
	// Secret is what deliveries are signed by, whsec_…; there only when it is new.
	Secret string
	// Why it is disabled, gone (it answered 410), failing (nothing got through for days) or
	// paused (by an operator); empty: it is not.
	Disabled string
	MadeAt   time.Time
}

var (
	errAbsent = problem.New(problem.NotFound, "problem.partner_webhook_absent")
	errSilent = problem.New(problem.Conflict, "problem.partner_webhook_silent")
)

// overlap is how long a former secret signs beside the new one.
const overlap = 24 * time.Hour

// Get gives a partner's webhook. Problem: partner_webhook_absent.
func (s *Service) Get(ctx context.Context, partner string) (Webhook, error) {
	row, err := hook(ctx, db.New(s.DB.Reader()), partner)
	return viewOf(row), err
}

func hook(ctx context.Context, q *db.Queries, partner string) (db.PartnerWebhook, error) {
	row, err := q.Webhook(ctx, partner)
	if errors.Is(err, sql.ErrNoRows) {
		return row, errAbsent
	}
	if err != nil {
		return row, fmt.Errorf("read a webhook: %w", err)
	}
	return row, nil
}

func viewOf(row db.PartnerWebhook) Webhook {
	return Webhook{Partner: row.PartnerID, URL: row.Url, Proved: row.ProvedUrl == row.Url, Disabled: row.DisabledWhy, MadeAt: row.MadeAt.Time}
}

// Set has a partner's events sent to an address once it is proved: see Probe. The first time it
// gives the secret; doing it twice is doing it once.
// Problem: partner_webhook_address.
func (s *Service) Set(ctx context.Context, partner, address string) (made Webhook, err error) {
	return s.SetBy(ctx, own(partner), partner, address)
}

// SetBy is Set by somebody else, as the audit log names them.
func (s *Service) SetBy(ctx context.Context, actor, partner, address string) (made Webhook, err error) {
	u, err := s.parse(address)
	if err != nil {
		return made, err
	}
	if err := s.resolves(ctx, u); err != nil {
		return made, err
	}
	err = s.change(ctx, actor, partner, "set", func(tx *store.Tx) error {
		q := db.New(tx)
		if err := q.SetWebhook(ctx, db.SetWebhookParams{PartnerID: partner, Url: address, MadeAt: dbtime.From(s.Now())}); err != nil {
			return err
		}
		row, err := hook(ctx, q, partner)
		if err != nil {
			return err
		}
		made = viewOf(row)
		secrets, err := q.Secrets(ctx, partner)
		if err == nil && len(secrets) == 0 {
			made.Secret, err = s.addSecret(ctx, q, partner, 1)
		}
		return err
	})
	return made, err
}

// Remove has nothing sent any more. What is under way is given up. Problem: partner_webhook_absent.
func (s *Service) Remove(ctx context.Context, partner string) (was Webhook, err error) {
	err = s.change(ctx, own(partner), partner, removed, func(tx *store.Tx) error {
		q := db.New(tx)
		row, err := hook(ctx, q, partner)
		if err != nil {
			return err
		}
		was = viewOf(row)
		if _, err := q.DropWebhook(ctx, partner); err != nil {
			return err
		}
		return errors.Join(q.DropSecrets(ctx, partner), q.GiveUp(ctx, partner))
	})
	return was, err
}

// Rotate makes the next secret; the former signs beside it for a day. Problem: partner_webhook_absent.
func (s *Service) Rotate(ctx context.Context, partner string) (made Webhook, err error) {
	return s.RotateBy(ctx, own(partner), partner)
}

// RotateBy is Rotate by somebody else, as the audit log names them.
func (s *Service) RotateBy(ctx context.Context, actor, partner string) (made Webhook, err error) {
	err = s.change(ctx, actor, partner, "rotated", func(tx *store.Tx) error {
		q := db.New(tx)
		row, err := hook(ctx, q, partner)
		if err != nil {
			return err
		}
		secrets, err := q.Secrets(ctx, partner)
		if err != nil {
			return err
		}
		if err := q.EndSecrets(ctx, db.EndSecretsParams{PartnerID: partner, NotAfterAt: dbtime.From(s.Now().Add(overlap))}); err != nil {
			return err
		}
		made = viewOf(row)
		made.Secret, err = s.addSecret(ctx, q, partner, secrets[0].N+1)
		return err
	})
	return made, err
}

// secretContext is what a secret is sealed for: its own row.
func secretContext(id string) string { return "webhook.secret/" + id }

// addSecret keeps a new secret, sealed, and gives it as it is told once.
func (s *Service) addSecret(ctx context.Context, q *db.Queries, partner string, n int64) (string, error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fmt.Errorf("draw a secret: %w", err)
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString(raw)
	id := partner + "." + strconv.FormatInt(n, 10)
	sealed, err := s.Sealer.Seal([]byte(secret), secretContext(id))
	if err != nil {
		return "", fmt.Errorf("seal a secret: %w", err)
	}
	return secret, q.AddSecret(ctx, db.AddSecretParams{ID: id, PartnerID: partner, N: n, Sealed: sealed})
}

// Replay sends events again that come after the one with the id, "" for the first: at most
// MostEvents. It gives how many, and the last of them; more says that there are others.
// Problems: partner_webhook_absent, also of one that is disabled or not proved, partner_event_absent.
func (s *Service) Replay(ctx context.Context, partner, after string, rows int) (n int, last string, more bool, err error) {
	return s.ReplayBy(ctx, own(partner), partner, after, rows)
}

// ReplayBy is Replay by somebody else, as the audit log names them.
func (s *Service) ReplayBy(ctx context.Context, actor, partner, after string, rows int) (n int, last string, more bool, err error) {
	list, more, err := s.Events.After(ctx, partner, after, rows)
	if err != nil {
		return 0, "", false, err
	}
	err = s.change(ctx, actor, partner, "replayed", func(tx *store.Tx) error {
		row, err := hook(ctx, db.New(tx), partner)
		if err == nil && !sends(row) {
			err = errAbsent
		}
		if err != nil {
			return err
		}
		ids := make([]string, len(list))
		for i, e := range list {
			ids[i], last = e.ID, e.ID
		}
		return send(ctx, tx, partner, ids, s.Now())
	})
	return len(list), last, more, err
}

// send puts events of a partner on their way, those that are over anew.
func send(ctx context.Context, tx *store.Tx, partner string, ids []string, now time.Time) error {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id, partner, now.UnixMicro()}
	}
	_, err := tx.Each(ctx, "INSERT INTO partner_deliveries (event_id, partner_id, state, attempts, due_at) VALUES ($1, $2, 'waiting', 0, $3) "+
		"ON CONFLICT (event_id) DO UPDATE SET state = 'waiting', attempts = 0, due_at = excluded.due_at WHERE partner_deliveries.state <> 'waiting'", rows)
	return err
}

// change changes what is a partner's own, and leaves a record of how it stood before and stands then.
func (s *Service) change(ctx context.Context, actor, partner, what string, do func(tx *store.Tx) error) error {
	err := s.DB.InTx(ctx, func(tx *store.Tx) error {
		was, err := groupNow(ctx, db.New(tx), partner)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		stands, err := groupNow(ctx, db.New(tx), partner)
		if err != nil {
			return err
		}
		return s.Trail.Leave(ctx, tx, trail.Step{Audit: audit.Entry{
			At: s.Now(), Actor: actor, Action: actions + what, Object: partner, Purpose: "webhook", Decided: stands, Was: was,
		}})
	})
	if err != nil {
		return fmt.Errorf("change a webhook: %w", err)
	}
	return nil
}

// own is a partner as the audit log names it where it acts itself.
func own(partner string) string { return "partner:" + partner }
