package sms

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
)

const (
	providerTwilio = "twilio"
	emptyTwiML     = `<?xml version="1.0" encoding="UTF-8"?><Response/>`
)

// Register adds POST /sms/twilio to the application.
func (in *Inbound) Register(r fiber.Router) {
	r.Post("/sms/twilio", in.webhook.Guard(in.receive))
}

// receive takes one message. Twilio gets an empty answer: ours goes out as a
// message of its own. Twilio joins the parts of a long one itself.
func (in *Inbound) receive(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	err := in.Take(ctx, Incoming{
		Provider: providerTwilio, ID: field(c, "MessageSid"), Phone: field(c, "From"), Text: field(c, "Body"), At: in.now(),
	})
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	switch {
	case errors.Is(err, ErrMalformed):
		in.webhook.refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("MessageSid is needed")
	case errors.Is(err, ErrSender):
		in.webhook.refused("sender")
	case err != nil:
		in.log.ErrorContext(ctx, "a message was not taken", "provider", providerTwilio, "error", err)
		c.Status(fiber.StatusServiceUnavailable)
	}
	return c.SendString(emptyTwiML)
}
