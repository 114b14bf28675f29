package webhook

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
	"github.com/eshik-kg/eshik/platform/webhook/db"
)

var errPaused = problem.New(problem.Conflict, "problem.partner_webhook_paused")

// paused is why a webhook is disabled that an operator stopped.
const paused = "paused"

// sends reports that a webhook's events are sent: it is proved, and not disabled.
func sends(row db.PartnerWebhook) bool { return row.ProvedUrl != "" && row.DisabledAt.IsZero() }

// mostChallenge bounds what is read of an answer to a challenge.
const mostChallenge = 4 << 10

// Probe sends a signed event of type endpoint.verify with a challenge. Where the address answers
// it, the partner's events are sent there from then on, and a webhook that was disabled is
// enabled: whoever answers has the address and wants them. Problems: partner_webhook_absent,
// partner_webhook_silent, partner_webhook_paused (an operator stopped it).
func (s *Service) Probe(ctx context.Context, partner string) (Webhook, error) {
	row, err := hook(ctx, db.New(s.DB.Reader()), partner)
	if err != nil {
		return Webhook{}, err
	}
	if row.DisabledWhy == paused {
		return Webhook{}, errPaused
	}
	answered, err := s.challenge(ctx, row)
	if err != nil {
		return Webhook{}, err
	}
	if !answered {
		return Webhook{}, errSilent
	}
	if err := s.change(ctx, own(partner), partner, "proved", func(tx *store.Tx) error {
		n, err := db.New(tx).Prove(ctx, db.ProveParams{PartnerID: partner, Url: row.Url})
		if err == nil && n == 0 {
			err = errSilent // meanwhile it is another address, or was paused
		}
		return err
	}); err != nil {
		return Webhook{}, err
	}
	return s.Get(ctx, partner)
}

// challenge asks an address for a random word, which only who reads what we send can say.
func (s *Service) challenge(ctx context.Context, row db.PartnerWebhook) (answered bool, err error) {
	id, err := newID()
	if err != nil {
		return false, err
	}
	raw := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return false, fmt.Errorf("draw a challenge: %w", err)
	}
	sign, err := s.signers(ctx, row.PartnerID)
	if err != nil {
		return false, err
	}
	word := fmt.Sprintf("%x", raw)
	response, err := s.ask(ctx, target{partner: row.PartnerID, url: row.Url, sign: sign}, id, fmt.Appendf(nil,
		`{"id":%q,"type":"endpoint.verify","timestamp":%q,"data":{"challenge":%q}}`, id, s.Now().UTC().Format(time.RFC3339), word))
	if err != nil {
		return false, nil // it does not answer, which is logged
	}
	defer func() { _ = response.Body.Close() }()
	var said struct {
		Challenge string `json:"challenge"`
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, mostChallenge))
	if err != nil || json.Unmarshal(body, &said) != nil || !(answer{status: response.StatusCode}).taken() {
		return false, nil // what it says is no answer
	}
	return subtle.ConstantTimeCompare([]byte(said.Challenge), []byte(word)) == 1, nil
}

// Pause has nothing sent until Resume. What is under way is given up. actor is who does it, as
// the audit log names them. Problem: partner_webhook_absent, also of one that is paused already.
func (s *Service) Pause(ctx context.Context, actor, partner string) error {
	return s.change(ctx, actor, partner, "paused", func(tx *store.Tx) error {
		q := db.New(tx)
		n, err := q.Pause(ctx, db.PauseParams{PartnerID: partner, DisabledAt: dbtime.From(s.Now())})
		if err == nil && n == 0 {
			err = errAbsent
		}
		if err != nil {
			return err
		}
		return q.GiveUp(ctx, partner)
	})
}

// Resume takes Pause back. Problem: partner_webhook_absent, also of one that is not paused.
func (s *Service) Resume(ctx context.Context, actor, partner string) error {
	return s.change(ctx, actor, partner, "resumed", func(tx *store.Tx) error {
		n, err := db.New(tx).Resume(ctx, partner)
		if err == nil && n == 0 {
			err = errAbsent
		}
		return err
	})
}

// List gives all partners' webhooks by their partners.
func (s *Service) List(ctx context.Context) ([]Webhook, error) {
	rows, err := db.New(s.DB.Reader()).Webhooks(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the webhooks: %w", err)
	}
	list := make([]Webhook, len(rows))
	for i, row := range rows {
		list[i] = viewOf(row)
	}
	return list, nil
}
