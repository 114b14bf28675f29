package ussd

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Closing is what a gateway tells of a session that is over: figures, and nothing
// of who it was or what was said. A figure that was not told, or is no sensible
// number, is negative.
type Closing struct {
	// Status is "success", "incomplete", "failed" or "other".
	Status   string
	Duration time.Duration
	Hops     int
	// Cost is what the gateway charges, in the currency of our account there.
	Cost float64
}

// What a sensible figure does not exceed: no network keeps a session that long.
const (
	maxDuration = time.Hour
	maxHops     = 1000
	maxCost     = 1_000_000
)

// statuses are how Africa's Talking says that a session ended.
var statuses = []string{"success", "incomplete", "failed"}

// closing reads the figures of Africa's Talking's notice.
func closing(c *fiber.Ctx) *Closing {
	out := &Closing{Status: strings.ToLower(field(c, "status")), Duration: -1, Hops: -1, Cost: -1}
	if !slices.Contains(statuses, out.Status) {
		out.Status = "other"
	}
	if ms, err := strconv.ParseInt(field(c, "durationInMillis"), 10, 64); err == nil && ms >= 0 && ms <= maxDuration.Milliseconds() {
		out.Duration = time.Duration(ms) * time.Millisecond
	}
	if hops, err := strconv.Atoi(field(c, "hopsCount")); err == nil && hops >= 0 && hops <= maxHops {
		out.Hops = hops
	}
	// With or without the currency: "KGS 1.2500".
	amount := field(c, "cost")
	if cost, err := strconv.ParseFloat(amount[strings.LastIndexByte(amount, ' ')+1:], 64); err == nil && cost >= 0 && cost <= maxCost {
		out.Cost = cost
	}
	return out
}
