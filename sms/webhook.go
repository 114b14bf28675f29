package sms

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/twilio/twilio-go/client"

	"github.com/eshik-kg/eshik/platform/caller"
)

// maxForm bounds a webhook: a message of ten parts takes a few kilobytes.
const maxForm = 64 << 10

// Webhook lets only Twilio's requests through.
type Webhook struct {
	validator     client.RequestValidator
	publicURL     string
	allowLoopback bool
	refused       func(reason string)
}

// WebhookConfig is how Twilio reaches us.
type WebhookConfig struct {
	// AuthToken signs Twilio's requests.
	AuthToken string
	// PublicURL is our address as Twilio knows it, without a path: the
	// signature covers it. https://eshik.example
	PublicURL string
	// AllowLoopback accepts programs on this machine without a signature (a
	// wrong one is still refused): for the sandbox only.
	AllowLoopback bool
}

// NewWebhook makes the guard; refused hears of every request it turns away, to
// be counted.
func NewWebhook(cfg WebhookConfig, refused func(reason string)) (*Webhook, error) {
	if cfg.AuthToken == "" || cfg.PublicURL == "" {
		return nil, errors.New("twilio's webhooks need the account's token and our public address")
	}
	return &Webhook{
		validator: client.NewRequestValidator(cfg.AuthToken), publicURL: strings.TrimRight(cfg.PublicURL, "/"),
		allowLoopback: cfg.AllowLoopback, refused: refused,
	}, nil
}

// Guard runs next for authentic requests only.
func (w *Webhook) Guard(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if len(c.Request().Body()) > maxForm { // as it was sent: nothing is unpacked for a stranger
			w.refused("too_large")
			return c.Status(fiber.StatusRequestEntityTooLarge).SendString("the form is too large")
		}
		if !w.authentic(c) {
			w.refused("signature")
			return c.Status(fiber.StatusForbidden).SendString("forbidden")
		}
		return next(c)
	}
}

func (w *Webhook) authentic(c *fiber.Ctx) bool {
	signature := c.Get("X-Twilio-Signature")
	if signature == "" {
		return w.allowLoopback && caller.Origin{
			Remote: c.Context().RemoteIP(), Host: c.Hostname(),
			ForwardedFor: c.Get(fiber.HeaderXForwardedFor), FetchSite: c.Get("Sec-Fetch-Site"),
		}.Local()
	}
	params := map[string]string{}
	for key, value := range c.Context().PostArgs().All() {
		if _, repeated := params[string(key)]; !repeated {
			params[string(key)] = string(value)
		}
	}
	return w.validator.Validate(w.publicURL+c.OriginalURL(), params, signature)
}

// field copies a form field out of the request, whose memory Fiber uses again
// when the handler returns.
func field(c *fiber.Ctx, name string) string {
	return legible(string(c.Context().PostArgs().Peek(name)))
}
