package sms

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	providerTwilio = "twilio"
	emptyTwiML     = `<?xml version="1.0" encoding="UTF-8"?><Response/>`
)

// twilioForm takes Twilio's webhook for messages from citizens.
type twilioForm struct {
	webhook *Webhook
	taker   Taker
	now     func() time.Time
	log     *slog.Logger
}

// Register adds POST /sms/twilio to the application.
func (in *Inbound) Register(r fiber.Router) {
	form := twilioForm{webhook: in.webhook, taker: in, now: in.now, log: in.log}
	r.Post("/sms/twilio", in.webhook.Guard(form.receive))
}

// receive takes one message. Twilio gets an empty answer: ours goes out as a
// message of its own. Twilio joins the parts of a long one itself.
func (f twilioForm) receive(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	err := f.taker.Take(ctx, Incoming{
		Provider: providerTwilio, ID: field(c, "MessageSid"), Phone: field(c, "From"), Text: field(c, "Body"), At: f.now(),
	})
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	switch {
	case errors.Is(err, ErrMalformed):
		f.webhook.refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("MessageSid is needed")
	case errors.Is(err, ErrSender):
		f.webhook.refused("sender")
	case err != nil:
		f.log.ErrorContext(ctx, "a message was not taken", "provider", providerTwilio, "error", err)
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.SendString(emptyTwiML)
}
