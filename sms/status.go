package sms

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/notify"
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

// The waits for a message that is not known yet; they double, 630 ms in all.
const (
	firstWait = 10 * time.Millisecond
	lastWait  = 320 * time.Millisecond
)

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
	err := s.take(ctx, id, status)
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

// take notes a report. One may overtake the answer to the very call that sent
// the message, and Twilio does not repeat it: such a one waits a moment.
func (s *Status) take(ctx context.Context, id, status string) error {
	err := s.deliveries.Delivered(ctx, id, status)
	for wait := firstWait; errors.Is(err, notify.ErrUnknown) && wait <= lastWait; wait *= 2 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		err = s.deliveries.Delivered(ctx, id, status)
	}
	return err
}
