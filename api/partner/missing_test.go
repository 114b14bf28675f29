package partner_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// TestNothingIsMissing: what partners reach is not served without one of its parts.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	money, _ := serve(t)
	log, texts := slog.New(slog.DiscardHandler), testworld.Texts(t)
	needstest.Each(t, partner.OSMP{Payments: money, Partners: money, Texts: texts, Log: log}, func(o partner.OSMP) error {
		return o.Register(fiber.New())
	})
	needstest.Each(t, partner.OAuth{Partners: &partners.Service{}, PublicURL: issuer, Log: log}, func(o partner.OAuth) error {
		return o.Register(fiber.New())
	}, "EndsTLS")
	b := &books{}
	contract, err := api.NewContract(partner.Document, partner.Audience(b, func(turn string) string { return turn }, time.Now))
	testworld.OK(t, err)
	needstest.Each(t, partner.REST{Payments: b, Events: b, Webhooks: b}, func(s partner.REST) error { return s.Mount(fiber.New(), contract) })
}
