package partner

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/webhook"
)

// Webhooks is where partners have their events sent (platform/webhook).
type Webhooks interface {
	Get(ctx context.Context, partner string) (webhook.Webhook, error)
	Set(ctx context.Context, partner, address string) (webhook.Webhook, error)
	Remove(ctx context.Context, partner string) (webhook.Webhook, error)
	Rotate(ctx context.Context, partner string) (webhook.Webhook, error)
	Probe(ctx context.Context, partner string) (webhook.Webhook, error)
	Replay(ctx context.Context, partner, after string, rows int) (n int, last string, more bool, err error)
}

// SetWebhook has events sent to an address.
func (s *REST) SetWebhook(ctx context.Context, r SetWebhookRequestObject) (SetWebhookResponseObject, error) {
	made, err := s.Webhooks.Set(ctx, api.PrincipalFrom(ctx).ID, r.Body.Url)
	if err != nil {
		return nil, err
	}
	return SetWebhook200JSONResponse(viewWebhook(made)), nil
}

// GetWebhook says where events are sent.
func (s *REST) GetWebhook(ctx context.Context, _ GetWebhookRequestObject) (GetWebhookResponseObject, error) {
	made, err := s.Webhooks.Get(ctx, api.PrincipalFrom(ctx).ID)
	if err != nil {
		return nil, err
	}
	return GetWebhook200JSONResponse(viewWebhook(made)), nil
}

// RemoveWebhook has nothing sent any more.
func (s *REST) RemoveWebhook(ctx context.Context, _ RemoveWebhookRequestObject) (RemoveWebhookResponseObject, error) {
	was, err := s.Webhooks.Remove(ctx, api.PrincipalFrom(ctx).ID)
	if err != nil {
		return nil, err
	}
	return RemoveWebhook200JSONResponse(viewWebhook(was)), nil
}

// RotateSecret makes the next secret.
func (s *REST) RotateSecret(ctx context.Context, _ RotateSecretRequestObject) (RotateSecretResponseObject, error) {
	made, err := s.Webhooks.Rotate(ctx, api.PrincipalFrom(ctx).ID)
	if err != nil {
		return nil, err
	}
	return RotateSecret200JSONResponse(viewWebhook(made)), nil
}

// ProbeWebhook enables a webhook that answers.
func (s *REST) ProbeWebhook(ctx context.Context, _ ProbeWebhookRequestObject) (ProbeWebhookResponseObject, error) {
	made, err := s.Webhooks.Probe(ctx, api.PrincipalFrom(ctx).ID)
	if err != nil {
		return nil, err
	}
	return ProbeWebhook200JSONResponse(viewWebhook(made)), nil
}

// ReplayEvents sends events again.
func (s *REST) ReplayEvents(ctx context.Context, r ReplayEventsRequestObject) (ReplayEventsResponseObject, error) {
	rows, after := webhook.MostEvents, ""
	if r.Body.Limit != nil {
		rows = *r.Body.Limit
	}
	if r.Body.After != nil {
		after = *r.Body.After
	}
	n, last, more, err := s.Webhooks.Replay(ctx, api.PrincipalFrom(ctx).ID, after, rows)
	if err != nil {
		return nil, err
	}
	return ReplayEvents200JSONResponse{Count: n, Last: api.Optional(last), More: more}, nil
}

func viewWebhook(w webhook.Webhook) Webhook {
	return Webhook{Url: w.URL, CreatedAt: w.MadeAt, Proved: w.Proved, Secret: api.Optional(w.Secret), Disabled: api.Optional(WebhookDisabled(w.Disabled))}
}
