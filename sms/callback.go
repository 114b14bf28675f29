package sms

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
)

// maxForm bounds a callback: a message of ten parts takes a few kilobytes.
const maxForm = 64 << 10

// Taker takes what citizens send, as *Inbound does.
type Taker interface {
	Take(ctx context.Context, incoming Incoming) error
	Acknowledged(ctx context.Context, provider, id string) error
}

// CallbackDeps are what a provider's callbacks stand on.
type CallbackDeps struct {
	Deliveries Deliveries
	Taker      Taker
	Now        func() time.Time
	// Refused hears of every callback that was not authentic or not readable, to be
	// counted.
	Refused func(reason string)
	Log     *slog.Logger
}

// field copies a form field out of the request, whose memory Fiber uses again
// when the handler returns.
func field(c *fiber.Ctx, name string) string {
	return legible(string(c.Context().PostArgs().Peek(name)))
}
