package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/cors"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/citizen"
	"github.com/eshik-kg/eshik/api/console"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/api/public"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/sandbox"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
	"github.com/eshik-kg/eshik/web"
)

// newHTTP makes the application that all channels and pages share. world is nil
// in production.
func (a *App) newHTTP(world *outside) (*fiber.App, error) {
	header := ""
	if len(a.config.Proxies) > 0 {
		header = fiber.HeaderXForwardedFor
	}
	answer := a.leadOn(api.ErrorHandler(a.Texts, a.Log))
	f := fiber.New(fiber.Config{
		EnableTrustedProxyCheck: true, TrustedProxies: a.config.Proxies, ProxyHeader: header, EnableIPValidation: true,
		AppName: "eshik", DisableStartupMessage: true, BodyLimit: otherBody, Immutable: true,
		Concurrency: maxConnections,
		ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorHandler: a.counted(a.metrics.missed(answer)),
	})
	f.Server().HeaderReceived = a.bound
	if len(a.config.Proxies) == 0 {
		f.Server().MaxConnsPerIP = maxFromOne
	}
	f.Use(a.metrics.measure(answer), steady, unpacked)
	if err := errors.Join(a.mountUSSD(f), a.mountSMS(f)); err != nil {
		return nil, err
	}
	f.Use(a.secure) // what is above is no browser's
	if len(a.config.CORSOrigins) > 0 {
		f.Use("/v1", a.share())
	}
	if err := errors.Join(a.mountAPI(f), a.mountPages(f)); err != nil {
		return nil, err
	}
	if world != nil {
		f.All("/sandbox/*", adaptor.HTTPHandler(world.handler()))
		f.Get("/phone", a.phonePage)
	}
	return f, nil
}

// leadOn has a browser that asks for an address where nothing is shown a page that
// leads on; programs get the problem.
func (a *App) leadOn(answer fiber.ErrorHandler) fiber.ErrorHandler {
	return func(c *fiber.Ctx, cause error) error {
		if err := answer(c, cause); err != nil {
			return err
		}
		reads := c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead
		if !reads || !api.Nowhere(cause) || a.pages == nil {
			return nil
		}
		c.Vary(fiber.HeaderAccept)
		if c.Accepts("application/problem+json", fiber.MIMEApplicationJSON, fiber.MIMETextHTML) != fiber.MIMETextHTML {
			return nil
		}
		return public.Page(c, web.PlainPolicy, func(w io.Writer) error { return a.pages.Missing(w, api.Locale(c)) })
	}
}

// share lets pages of the configured origins call the API from a browser (CORS).
// Tokens go in a header, so no cookie has to be allowed.
func (a *App) share() fiber.Handler {
	return cors.New(cors.Config{
		AllowOrigins: strings.Join(a.config.CORSOrigins, ","), AllowMethods: "GET,HEAD,POST,PUT,DELETE",
		AllowHeaders:  "Accept, Accept-Language, Authorization, Content-Type, Idempotency-Key",
		ExposeHeaders: "Allow, Content-Disposition, Content-Language, Deprecation, Retry-After, Sunset, WWW-Authenticate", MaxAge: 600,
	})
}

// steady turns a panic into an error of ours. Fiber's own way repeats the panic's
// text, which may hold what somebody typed, in the log.
func steady(c *fiber.Ctx) error { return problem.Guard(c.Next) }

// secure sets the headers of every answer that a browser may show; pages that need
// more than nothing say so themselves. Where people reach us over https, browsers keep
// to it for a year.
func (a *App) secure(c *fiber.Ctx) error {
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Referrer-Policy", "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	if strings.HasPrefix(a.config.PublicURL, "https://") {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
	}
	return c.Next()
}

// unpacked refuses packed bodies: a small one unpacks into gigabytes, and nobody
// who calls us needs them.
func unpacked(c *fiber.Ctx) error {
	for _, encoding := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if string(encoding) != "identity" {
			if slices.ContainsFunc([]string{"/v1/", "/partner/v1/", "/console/v1/"}, func(of string) bool { return strings.HasPrefix(c.Path(), of) }) {
				return fiber.ErrUnsupportedMediaType // a problem in the caller's language
			}
			return c.Status(fiber.StatusUnsupportedMediaType).SendString("send the body unpacked")
		}
	}
	return c.Next()
}

func (a *App) mountUSSD(f fiber.Router) error {
	for _, g := range a.config.gateways.USSD {
		gateway, err := ussd.New(g.Format, g.config(!a.config.production(), a.config.ShortCode), ussd.Deps{
			Conversations: a.Conversations, Texts: a.Texts, Now: a.Clock, Refused: a.metrics.refuse(g.Format), Closed: a.metrics.close(g.Format), Log: a.Log,
		})
		if err != nil {
			return UsageError{err}
		}
		gateway.Register(f)
	}
	return nil
}

func (a *App) mountSMS(f fiber.Router) (err error) {
	a.inbound, err = sms.NewInbound(sms.InboundDeps{
		DB: a.DB, Conversations: a.Conversations, Outbox: a.Outbox, Stops: a.Outbox, Sealer: a.Sealer, Texts: a.Texts,
		Languages: a.Identity, ShortCode: a.config.ShortCode, Now: a.Clock, Log: a.Log, Limiter: a.Limiter, Unanswered: a.metrics.leave,
	})
	if err != nil {
		return err
	}
	for _, provider := range a.callbacks {
		provider.Register(f)
	}
	return nil
}

func (a *App) mountAPI(f fiber.Router) error {
	if err := errors.Join(a.mountPartners(f), a.mountConsole(f)); err != nil {
		return err
	}
	contract, err := api.NewContract(citizen.Document, citizen.Audience(a.authenticate, a.stepUp, a.Identity,
		func(turn string) string { return a.Sealer.Index("rest.turn", turn) }, a.Clock))
	if err != nil {
		return err
	}
	server := &citizen.Server{
		Mandates: a.Mandates,
		Identity: a.Identity, Conversations: a.Conversations, Payments: a.Payments, Modules: a.Modules, Figures: a.recorder, Recorder: a.recorder, Texts: a.Texts,
	}
	return server.Mount(f, contract)
}

// mountPartners serves those who take citizens' money for us.
func (a *App) mountPartners(f fiber.Router) error {
	err := (&partner.OSMP{Payments: a.Payments, Partners: a.Partners, Texts: a.Texts, Log: a.Log}).Register(f)
	if err != nil {
		return err
	}
	err = (&partner.OAuth{Partners: a.Partners, PublicURL: a.config.PublicURL, EndsTLS: a.config.TLSCert != "", Log: a.Log}).Register(f)
	if err != nil {
		return err
	}
	contract, err := api.NewContract(partner.Document, partner.Audience(a.Partners,
		func(turn string) string { return a.Sealer.Index("partner.turn", turn) }, a.Clock))
	if err != nil {
		return err
	}
	return (&partner.REST{Payments: a.Payments, Events: a.Events, Webhooks: a.Webhooks}).Mount(f, contract)
}

// mountConsole serves those who serve.
func (a *App) mountConsole(f fiber.Router) error {
	contract, err := api.NewContract(console.Document, console.Audience(a.Staff,
		func(turn string) string { return a.Sealer.Index("console.turn", turn) }, a.Clock))
	if err != nil {
		return err
	}
	return (&console.Server{Desk: a, Staff: a.Staff, Phones: a.Identity, Payments: a.Payments}).Mount(f, contract)
}

// mountPages serves what is for people: the first page, verification, reference.
func (a *App) mountPages(f fiber.Router) error {
	places := []web.Place{web.Home, web.Verify, web.Docs}
	if !a.config.production() {
		places = append(places, web.Phone)
	}
	var err error
	a.pages, err = web.New(web.Site{
		Texts: a.Texts, Places: places, ShortCode: a.config.ShortCode, SMSNumber: a.config.SMSNumber, Contract: citizen.Document,
	})
	if err != nil {
		return err
	}
	site := &public.Site{Pages: a.pages, Modules: a.Modules, Identity: a.Identity, Texts: a.Texts, Now: a.Clock, Log: a.Log}
	return site.Mount(f)
}

func (a *App) phonePage(c *fiber.Ctx) error {
	var numbers []web.PhoneNumber
	for _, p := range sandbox.FixedPhones() {
		numbers = append(numbers, web.PhoneNumber(p))
	}
	return public.Page(c, web.ScriptPolicy, func(w io.Writer) error { return a.pages.Phone(w, api.Locale(c), numbers) })
}

// newAdmin makes the listener's handler for the operators.
func (a *App) newAdmin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.DB.Reader().PingContext(r.Context()); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
		if a.redis != nil && a.redis.Ping(r.Context()).Err() != nil {
			_, _ = io.WriteString(w, "degraded: Redis does not answer; conversations are kept in the database\n")
		}
		_, _ = io.WriteString(w, a.credit.Degraded())
	})
	mux.Handle("GET /metrics", a.metrics.handler())
	return mux
}

// closed reports the error of a listener that was shut down on purpose.
func closed(err error) bool { return err == nil || errors.Is(err, http.ErrServerClosed) }

// authenticate turns a bearer token into who it stands for.
func (a *App) authenticate(ctx context.Context, bearer string) (api.Principal, error) {
	p, err := a.Identity.Authenticate(ctx, bearer)
	return api.Principal{Phone: p.Phone, Subject: p.CitizenID, Level: p.Level, SignIn: p.SignIn}, err
}

// stepUp has who is known weakly confirmed by whom no question is needed for.
func (a *App) stepUp(ctx context.Context, p api.Principal) (api.Principal, error) {
	citizen, err := a.Identity.StepUp(ctx, caller.Caller{
		Phone: p.Phone, Subject: p.Subject, Channel: caller.REST, Session: p.SignIn, Now: a.Clock(),
	})
	p.Subject, p.Level = citizen.ID, citizen.Level
	return p, err
}

// PartnerAddress is where payment partners show a kind of credential; a path alone where our
// public address is not set.
func (a *App) PartnerAddress(kind partners.Kind) string {
	if kind == partners.OSMP {
		return a.PublicURL + partner.OSMPPath
	}
	return a.PublicURL + partner.TokenPath
}
