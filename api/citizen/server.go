// Package citizen is the REST API for citizens' apps and pages, from the
// contract in openapi.yaml.
package citizen

import (
	"context"
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/analytics"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/mandate"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/payment"
)

// Document is the contract that this package serves.
//
//go:embed openapi.yaml
var Document []byte

// Server answers the contract's operations from the services.
type Server struct {
	Identity      *identity.Service
	Mandates      *mandate.Service
	Conversations Conversations
	Payments      *payment.Service
	Modules       []module.Module
	Figures       UsageReader
	Recorder      *analytics.Recorder
	Texts         *locales.Catalogue
}

// Conversations hears that a phone's profile was changed, as *session.Conversations does.
type Conversations interface {
	Relearn(ctx context.Context, phone string) error
}

// UsageReader gives the published figures.
type UsageReader interface {
	Usage(ctx context.Context, first, last time.Time) ([]analytics.Cell, error)
}

var _ StrictServerInterface = (*Server)(nil)

// Mount serves the contract under router, every request held to it.
func (s *Server) Mount(router fiber.Router, contract *api.Contract) error {
	if err := needs.All("the interface for apps", *s); err != nil {
		return err
	}
	contract.Publish(router, "/v1")
	router.Use("/v1", contract.Middleware)
	router.Use(keysPath, contract.Middleware)
	RegisterHandlers(router, NewStrictHandler(s, []StrictMiddlewareFunc{s.count}))
	return nil
}

// count makes an event of every operation that the contract calls a step of a service.
func (s *Server) count(next StrictHandlerFunc, _ string) StrictHandlerFunc {
	return func(c *fiber.Ctx, request any) (any, error) {
		who := api.CallerFrom(c.UserContext())
		response, err := next(c, request)
		if service, step, counted := api.StepFrom(c.UserContext()); counted {
			e := analytics.Of(who, service, "rest."+step, api.Outcome(err))
			e.Duration = time.Since(who.Now)
			s.Recorder.Later(e)
		}
		return response, err
	}
}

// who makes the request, in the language of messages to them.
func who(ctx context.Context) caller.Caller { return api.CallerFrom(ctx) }

// reader is who for what is answered in words and sends no message.
func reader(ctx context.Context) caller.Caller {
	c := api.CallerFrom(ctx)
	c.Locale = api.LocaleFrom(ctx)
	return c
}
