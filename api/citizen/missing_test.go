package citizen

import (
	"cmp"
	"context"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/needs/needstest"
	"github.com/eshik-kg/eshik/platform/payment"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/testworld"
)

// unasked is what a test's requests do not reach.
type unasked struct{}

func (unasked) HoldPhone(context.Context, *store.Tx, string, time.Time) error { return nil }
func (unasked) Relearn(context.Context, string) error                         { return nil }
func (unasked) Usage(context.Context, time.Time, time.Time) ([]analytics.Cell, error) {
	return nil, nil
}
func (unasked) Locale(context.Context, string) (locales.Locale, error) { return locales.KY, nil }

// whole is a server with what the test gives, and parts that it does not reach.
func whole(s Server) *Server {
	s.Identity, s.Payments = cmp.Or(s.Identity, &identity.Service{}), cmp.Or(s.Payments, &payment.Service{})
	s.Mandates = cmp.Or(s.Mandates, &mandate.Service{})
	s.Conversations, s.Figures, s.Modules = unasked{}, unasked{}, []module.Module{{}}
	s.Recorder, s.Texts = cmp.Or(s.Recorder, &analytics.Recorder{}), cmp.Or(s.Texts, &locales.Catalogue{})
	return &s
}

// TestNothingIsMissing: an interface without one of its parts is not served.
func TestNothingIsMissing(t *testing.T) {
	t.Parallel()
	contract, err := api.NewContract(Document, Audience(func(context.Context, string) (api.Principal, error) {
		return api.Principal{}, nil
	}, nil, unasked{}, func(turn string) string { return turn }, time.Now))
	testworld.OK(t, err)
	needstest.Each(t, *whole(Server{}), func(s Server) error { return s.Mount(fiber.New(), contract) })
}
