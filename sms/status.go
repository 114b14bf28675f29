package sms

import (
	"context"
	"log/slog"

	"github.com/gofiber/fiber/v2"
)

// Deliveries takes a provider's word on what became of a message, as
// *notify.Outbox does. It may come twice and out of order.
type Deliveries interface {
	Delivered(ctx context.Context, providerID, status string) error
}

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
	if id == "" || status == "" || len(id) > 64 {
		s.webhook.refused("malformed")
		return c.Status(fiber.StatusBadRequest).SendString("MessageSid and MessageStatus are needed")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	if err := s.deliveries.Delivered(ctx, id, status); err != nil {
		s.log.ErrorContext(ctx, "a delivery report was not taken", "error", err)
		return c.Status(fiber.StatusServiceUnavailable).SendString("try again later")
	}
	return c.SendStatus(fiber.StatusOK)
}
