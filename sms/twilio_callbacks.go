package sms

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/twilio/twilio-go/client"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/notify"
)

const (
	providerTwilio = "twilio"
	emptyTwiML     = `<?xml version="1.0" encoding="UTF-8"?><Response/>`
	// messageParam carries our message's id in the address that Twilio reports to: a
	// report finds its message although the answer to the sending call was lost.
	messageParam = "message"
)

// TwilioCallbacksConfig is how Twilio reaches us.
type TwilioCallbacksConfig struct {
	// AuthToken signs Twilio's requests.
	AuthToken string
	// PublicURL is our address as Twilio knows it, without a path: the
	// signature covers it. https://eshik.example
	PublicURL string
	// AllowLoopback accepts programs on this machine without a signature (a
	// wrong one is still refused): for the sandbox only.
	AllowLoopback bool
}

// TwilioCallbacks takes Twilio's webhooks: messages from citizens, and what became
// of ours. Nobody else gets through.
type TwilioCallbacks struct {
	validator     client.RequestValidator
	publicURL     string
	allowLoopback bool
	deps          CallbackDeps
}

// NewTwilioCallbacks makes the handlers.
func NewTwilioCallbacks(cfg TwilioCallbacksConfig, deps CallbackDeps) (*TwilioCallbacks, error) {
	if err := deps.complete(providerTwilio); err != nil {
		return nil, err
	}
	if cfg.AuthToken == "" || cfg.PublicURL == "" {
		return nil, errors.New("twilio's webhooks need the account's token and our public address")
	}
	return &TwilioCallbacks{
		validator: client.NewRequestValidator(cfg.AuthToken), publicURL: strings.TrimRight(cfg.PublicURL, "/"),
		allowLoopback: cfg.AllowLoopback, deps: deps,
	}, nil
}

// Register adds POST /sms/twilio and POST /sms/twilio/status to the application.
func (t *TwilioCallbacks) Register(r fiber.Router) {
	r.Post("/sms/twilio", t.guard(t.receive))
	r.Post("/sms/twilio/status", t.guard(t.report))
}

// guard runs next for authentic requests only.
func (t *TwilioCallbacks) guard(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if len(c.Request().Body()) > maxForm { // as it was sent: nothing is unpacked for a stranger
			return t.deps.tooLarge(c)
		}
		if !t.authentic(c) {
			t.deps.Refused("signature")
			return c.Status(fiber.StatusForbidden).SendString("forbidden")
		}
		return next(c)
	}
}

func (t *TwilioCallbacks) authentic(c *fiber.Ctx) bool {
	signature := c.Get("X-Twilio-Signature")
	if signature == "" {
		return t.allowLoopback && caller.Origin{
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
	return t.validator.Validate(t.publicURL+c.OriginalURL(), params, signature)
}

// receive takes one message. Twilio gets an empty answer: ours goes out as a
// message of its own. Twilio joins the parts of a long one itself.
func (t *TwilioCallbacks) receive(c *fiber.Ctx) error {
	status := t.deps.take(c, MO{
		Provider: providerTwilio, ID: field(c, "MessageSid"), Phone: field(c, "From"), Text: field(c, "Body"),
	})
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	if status == fiber.StatusBadRequest {
		return c.Status(status).SendString("MessageSid is needed")
	}
	return c.Status(status).SendString(emptyTwiML)
}

// report takes one status: queued, sent, delivered, undelivered or failed.
func (t *TwilioCallbacks) report(c *fiber.Ctx) error {
	known, err := t.deps.hear(c, notify.DeliveryReceipt{
		Provider: providerTwilio, ID: field(c, "MessageSid"), Status: field(c, "MessageStatus"),
		Message: legible(c.Query(messageParam)), Operator: caller.Operator(field(c, "To")),
	}, "MessageSid and MessageStatus")
	if !known { // not ours, or forgotten
		t.deps.Log.WarnContext(c.UserContext(), "a delivery report is about an unknown message")
	}
	return err
}
