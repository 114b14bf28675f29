package sms

import (
	"context"
	"errors"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/notify"
)

// Status answers Twilio's delivery reports.
type Status struct {
	webhook    *Webhook
	deliveries Deliveries
	log        *slog.Logger
}

// NewStatus makes the handler.
func NewStatus(webhook *Webhook, deliveries Deliveries, log *slog.Logger) *Status {
	return &Status{webhook: webhook, deliveries: deliveries, log: log}
}

// Register adds POST /sms/twilio/status to the application.
func (s *Status) Register(r fiber.Router) {
	r.Post("/sms/twilio/status", s.webhook.Guard(s.report))
}

// report takes one status: queued, sent, delivered, undelivered or failed.
func (s *Status) report(c *fiber.Ctx) error {
	id, status := field(c, "MessageSid"), field(c, "MessageStatus")
	if status == "" || !sidPattern.MatchString(id) {
		s.webhook.refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("MessageSid and MessageStatus are needed")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	err := report(ctx, s.deliveries, providerTwilio, status, id)
	if errors.Is(err, notify.ErrUnknown) {
		// Not ours, or forgotten: a repetition would change nothing.
		s.log.WarnContext(ctx, "a delivery report is about an unknown message")
		return c.SendStatus(fiber.StatusOK)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "a delivery report was not taken", "error", err)
		return c.Status(fiber.StatusServiceUnavailable).SendString("try again later")
	}
	return c.SendStatus(fiber.StatusOK)
}
