package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/eshik-kg/eshik/platform/webhook/db"
)

// target is where something is sent, and what signs it.
type target struct {
	partner, url string
	sign         []signer
}

// signer is a secret that signs until its end.
type signer struct {
	key *standardwebhooks.Webhook
	end time.Time // zero: it has none yet
}

// signers opens a partner's secrets, the newest first: once for all that is sent together.
func (s *Service) signers(ctx context.Context, partner string) ([]signer, error) {
	secrets, err := db.New(s.DB.Reader()).Secrets(ctx, partner)
	if err != nil {
		return nil, fmt.Errorf("read a webhook's secrets: %w", err)
	}
	list := make([]signer, len(secrets))
	for i, secret := range secrets {
		text, err := s.Sealer.Open(secret.Sealed, secretContext(secret.ID))
		if err != nil {
			return nil, fmt.Errorf("open a webhook's secret: %w", err)
		}
		if list[i].key, err = standardwebhooks.NewWebhook(string(text)); err != nil {
			return nil, err
		}
		list[i].end = secret.NotAfterAt.Time
	}
	return list, nil
}

// signatures signs by each secret that is good.
func (to target) signatures(id string, now time.Time, body []byte) (string, error) {
	var all []string
	for _, s := range to.sign {
		if !s.end.IsZero() && !now.Before(s.end) {
			continue
		}
		signature, err := s.key.Sign(id, now, body)
		if err != nil {
			return "", err
		}
		all = append(all, signature)
	}
	return strings.Join(all, " "), nil
}

// ask sends a signed body, and gives the answer's head in time or an error. Who asks closes its
// body.
func (s *Service) ask(ctx context.Context, to target, id string, body []byte) (*http.Response, error) {
	request, err := s.request(ctx, to, id, body)
	if err == nil {
		var response *http.Response
		if response, err = s.client.Do(request); err == nil { // #nosec G704 -- each address that is dialled is judged
			return response, nil
		}
	}
	// The error's own text has the whole address, in which a partner may have put a secret.
	s.Log.Info("a webhook does not answer", "partner", to.partner, "event", id, "timeout", errors.Is(err, context.DeadlineExceeded))
	return nil, err
}

func (s *Service) request(ctx context.Context, to target, id string, body []byte) (*http.Request, error) {
	u, err := s.parse(to.url)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := s.Now()
	signatures, err := to.signatures(id, now, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Eshik-Webhooks/1.0")
	request.Header.Set(standardwebhooks.HeaderWebhookID, id)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	return request, nil
}
