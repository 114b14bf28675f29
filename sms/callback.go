package sms

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/notify"
)

// maxForm bounds a callback: a message of ten parts takes a few kilobytes.
const maxForm = 64 << 10

// Receiver takes what citizens send, as *Inbound does.
type Receiver interface {
	Take(ctx context.Context, mo MO) error
	Acknowledged(ctx context.Context, provider, id string) error
}

// CallbackDeps are what a provider's callbacks stand on.
type CallbackDeps struct {
	Deliveries Deliveries
	Receiver   Receiver
	Now        func() time.Time
	// Refused hears of every callback that was not authentic or not readable, to be
	// counted.
	Refused func(reason string)
	Log     *slog.Logger
}

// complete names what a provider's callbacks would lack: nothing may be missing.
func (d CallbackDeps) complete(provider string) error {
	return needs.All("the SMS provider "+provider, d)
}

// tooLarge refuses a form over maxForm.
func (d CallbackDeps) tooLarge(c *fiber.Ctx) error {
	d.Refused("too_large")
	return c.Status(fiber.StatusRequestEntityTooLarge).SendString("the form is too large")
}

// take hands a citizen's message over and gives the status of the answer: 200, 400
// for one that can never be taken, 503 for one that should come again.
func (d CallbackDeps) take(c *fiber.Ctx, mo MO) (status int) {
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	mo.At = d.Now()
	err := d.Receiver.Take(ctx, mo)
	switch {
	case errors.Is(err, ErrMalformed):
		d.Refused("malformed")
		return fiber.StatusBadRequest
	case errors.Is(err, ErrSender):
		d.Refused("sender") // nobody to answer, and nothing to try again
	case err != nil:
		d.Log.ErrorContext(ctx, "a message was not taken", "provider", mo.Provider, "error", err)
		return fiber.StatusServiceUnavailable
	}
	return fiber.StatusOK
}

// hear takes a delivery report and answers it; known is false when it is about no
// message of ours: a repetition would change nothing. needed names the form's fields.
func (d CallbackDeps) hear(c *fiber.Ctx, r notify.DeliveryReceipt, needed string) (known bool, err error) {
	if r.Status == "" || !sidPattern.MatchString(r.ID) {
		d.Refused("malformed")
		return true, c.Status(fiber.StatusBadRequest).SendString(needed + " are needed")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), answerWithin)
	defer cancel()
	err = reportOrOrphan(ctx, d.Deliveries, r, d.Refused)
	if err != nil && !errors.Is(err, notify.ErrUnknown) {
		d.Log.ErrorContext(ctx, "a delivery report was not taken", "provider", r.Provider, "error", err)
		return true, c.Status(fiber.StatusServiceUnavailable).SendString("try again later")
	}
	return err == nil, c.SendStatus(fiber.StatusOK)
}

// field copies a form field out of the request, whose memory Fiber uses again
// when the handler returns.
func field(c *fiber.Ctx, name string) string {
	return legible(string(c.Context().PostArgs().Peek(name)))
}
