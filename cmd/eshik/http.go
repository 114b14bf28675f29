package main

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/cors"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/api/citizen"
	"github.com/eshik-kg/eshik/api/partner"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/sandbox"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/sms"
	"github.com/eshik-kg/eshik/ussd"
	"github.com/eshik-kg/eshik/web"
)

// newHTTP makes the application that all channels and pages share. world is nil
// in production.
func (a *app) newHTTP(world *outside) (*fiber.App, error) {
	header := ""
	if len(a.config.Proxies) > 0 {
		header = fiber.HeaderXForwardedFor
	}
	answer := a.leadOn(api.ErrorHandler(a.texts, a.log))
	f := fiber.New(fiber.Config{
		EnableTrustedProxyCheck: true, TrustedProxies: a.config.Proxies, ProxyHeader: header, EnableIPValidation: true,
		AppName: "eshik", DisableStartupMessage: true, BodyLimit: otherBody, Immutable: true,
		Concurrency: maxConnections,
		ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorHandler: a.counted(a.metrics.missed(answer)),
	})
	f.Server().HeaderReceived = bound
	if len(a.config.Proxies) == 0 {
		f.Server().MaxConnsPerIP = maxFromOne
	}
	f.Use(a.metrics.measure(answer), steady, unpacked)
	if err := errors.Join(a.mountUSSD(f), a.mountSMS(f)); err != nil {
		return nil, err
	}
	f.Use(secure) // what is above is no browser's
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
func (a *app) leadOn(answer fiber.ErrorHandler) fiber.ErrorHandler {
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
		return page(c, web.PlainPolicy, func(w io.Writer) error { return a.pages.Missing(w, api.Locale(c)) })
	}
}

// share lets pages of the configured origins call the API from a browser (CORS).
// Tokens go in a header, so no cookie has to be allowed.
func (a *app) share() fiber.Handler {
	return cors.New(cors.Config{
		AllowOrigins: strings.Join(a.config.CORSOrigins, ","), AllowMethods: "GET,HEAD,POST,PUT",
		AllowHeaders:  "Accept, Accept-Language, Authorization, Content-Type, Idempotency-Key",
		ExposeHeaders: "Allow, Content-Disposition, Content-Language, Deprecation, Retry-After, Sunset, WWW-Authenticate", MaxAge: 600,
	})
}

// steady turns a panic into an error of ours. Fiber's own way repeats the panic's
// text, which may hold what somebody typed, in the log.
func steady(c *fiber.Ctx) error { return problem.Guard(c.Next) }

// secure sets the headers of every answer that a browser may show; pages that need
// more than nothing say so themselves.
func secure(c *fiber.Ctx) error {
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Referrer-Policy", "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	return c.Next()
}

// unpacked refuses packed bodies: a small one unpacks into gigabytes, and nobody
// who calls us needs them.
func unpacked(c *fiber.Ctx) error {
	for _, encoding := range c.Request().Header.PeekAll(fiber.HeaderContentEncoding) {
		if string(encoding) != "identity" {
			if strings.HasPrefix(c.Path(), "/v1/") {
				return fiber.ErrUnsupportedMediaType // a problem in the caller's language
			}
			return c.Status(fiber.StatusUnsupportedMediaType).SendString("send the body unpacked")
		}
	}
	return c.Next()
}

func (a *app) mountUSSD(f fiber.Router) error {
	for _, g := range a.config.gateways.USSD {
		gateway, err := ussdFormats[g.Format](g.config(!a.config.production(), a.config.ShortCode), ussd.Deps{
			Talks: a.talks, Sentences: a.texts, Now: a.now, Refused: a.metrics.refuse(g.Format), Closed: a.metrics.close(g.Format), Log: a.log,
		})
		if err != nil {
			return usageError{err}
		}
		gateway.Register(f)
	}
	return nil
}

func (a *app) mountSMS(f fiber.Router) (err error) {
	a.inbound, err = sms.NewInbound(sms.InboundDeps{
		DB: a.db, Talks: a.talks, Outbox: a.outbox, Stops: a.outbox, Sealer: a.sealer, Sentences: a.texts,
		Languages: a.identity, Now: a.now, Log: a.log, Limiter: a.limiter, Unanswered: a.metrics.leave,
	})
	if err != nil {
		return err
	}
	for _, provider := range a.callbacks {
		provider.Register(f)
	}
	if !a.config.gateways.has(twilio) {
		return nil
	}
	callbacks, err := sms.NewTwilioCallbacks(sms.TwilioCallbacksConfig{
		AuthToken: a.config.TwilioToken, PublicURL: a.config.PublicURL, AllowLoopback: !a.config.production(),
	}, sms.CallbackDeps{Deliveries: a.outbox, Taker: a.inbound, Now: a.now, Refused: a.metrics.refuse(twilio), Log: a.log})
	if err != nil {
		return usageError{err}
	}
	callbacks.Register(f)
	return nil
}

func (a *app) mountAPI(f fiber.Router) error {
	osmp := &partner.OSMP{Payments: a.payments, Partners: a.partners, Texts: a.texts, Log: a.log}
	osmp.Register(f)
	contract, err := api.NewContract(citizen.Document, a.authenticate, caller.Operator,
		func(turn string) string { return a.sealer.Index("rest.turn", turn) }, a.now)
	if err != nil {
		return err
	}
	server := &citizen.Server{
		Identity: a.identity, Talks: a.talks, Fines: a.fines, Payments: a.payments, Certificates: a.certificates,
		Preschool: a.preschool, Figures: a.events, Recorder: a.events, Texts: a.texts,
	}
	server.Mount(f, contract)
	return nil
}

// mountPages serves what is for people: the first page, verification, reference.
func (a *app) mountPages(f fiber.Router) error {
	places := []web.Place{web.Home, web.Verify, web.Docs}
	if !a.config.production() {
		places = append(places, web.Phone)
	}
	var err error
	a.pages, err = web.New(web.Site{
		Texts: a.texts, Places: places, ShortCode: a.config.ShortCode, SMSNumber: a.config.SMSNumber, Contract: citizen.Document,
	})
	if err != nil {
		return err
	}
	reference, err := a.pages.Reference()
	if err != nil {
		return err
	}
	f.All("/static/*", adaptor.HTTPHandler(a.pages.Static()))
	f.Get("/docs", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, web.ScriptPolicy)
		return adaptor.HTTPHandler(reference[api.Locale(c)])(c)
	})
	f.Get("/verify/:number?", a.verifyPage)
	f.Post("/verify", a.verifyCode)
	f.Get("/", a.show(web.PlainPolicy, a.pages.Home))
	return nil
}

// show serves a page that says the same to everybody.
func (a *app) show(policy string, render func(io.Writer, locales.Locale) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		return page(c, policy, func(w io.Writer) error { return render(w, api.Locale(c)) })
	}
}

func (a *app) phonePage(c *fiber.Ctx) error {
	var numbers []web.PhoneNumber
	for _, p := range sandbox.FixedPhones() {
		numbers = append(numbers, web.PhoneNumber(p))
	}
	return page(c, web.ScriptPolicy, func(w io.Writer) error { return a.pages.Phone(w, api.Locale(c), numbers) })
}

// verifyPage answers a certificate's number for anybody.
func (a *app) verifyPage(c *fiber.Ctx) error {
	loc := api.Locale(c)
	typed := cmp.Or(c.Params("number"), c.Query("number"))
	view := web.VerifyView{Typed: typed}
	switch {
	case strings.TrimSpace(typed) != "":
		found, err := a.certificates.Verify(c.UserContext(), a.reader(c), typed)
		if err != nil {
			p := problem.From(err)
			api.Hold(c, p)
			view.Problem = a.texts.Text(loc, p.Key, p.Args...)
			if p.Code == problem.Internal {
				a.log.ErrorContext(c.UserContext(), "the verify page failed", "error", err)
			}
		} else {
			view.Answer = a.verifyAnswer(found, loc)
		}
	case c.Context().QueryArgs().Has("number"):
		view.Problem = a.texts.Text(loc, "verify.empty")
	}
	return page(c, web.PlainPolicy, func(w io.Writer) error { return a.pages.Verify(w, loc, view) })
}

// verifyCode answers the content of a certificate's QR code: the signed text.
func (a *app) verifyCode(c *fiber.Ctx) error {
	loc := api.Locale(c)
	view := web.VerifyView{Scanned: c.FormValue("qr")}
	if strings.TrimSpace(view.Scanned) == "" {
		view.CodeProblem = a.texts.Text(loc, "verify.qr_empty")
	} else if signed, err := a.certificates.VerifyQR(c.UserContext(), a.reader(c), view.Scanned); err != nil {
		p := problem.From(err)
		api.Hold(c, p)
		view.CodeProblem = a.texts.Text(loc, p.Key, p.Args...)
		if p.Code == problem.Internal {
			a.log.ErrorContext(c.UserContext(), "the verify page failed", "error", err)
		}
	} else {
		view.Scanned, view.Answer = "", a.verifyAnswer(signed.View(), loc)
		for _, words := range a.certificates.Words(signed) {
			shown := web.VerifyWords{Locale: words.Locale, Title: words.Title}
			for _, line := range words.Lines {
				shown.Lines = append(shown.Lines, web.VerifyLine(line))
			}
			view.Answer.Signed = append(view.Answer.Signed, shown)
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store") // it is somebody's address
	return page(c, web.PlainPolicy, func(w io.Writer) error { return a.pages.Verify(w, loc, view) })
}

// reader is who reads a page.
func (a *app) reader(c *fiber.Ctx) caller.Caller {
	return caller.Caller{Channel: caller.Web, Gateway: "web", Locale: api.Locale(c), Address: c.IP(), Now: a.now()}
}

func (a *app) verifyAnswer(v certificate.View, loc locales.Locale) *web.VerifyAnswer {
	answer := &web.VerifyAnswer{
		Number: certificate.ShowNumber(v.Number), Kind: a.texts.Text(loc, v.Kind.TitleKey()),
		Initials: v.Initials, BirthYear: v.BirthYear, Issued: clock.Day(v.IssuedAt),
	}
	if !v.RevokedAt.IsZero() {
		answer.Revoked = clock.Day(v.RevokedAt)
	}
	return answer
}

// page renders a whole page before the first byte leaves.
func page(c *fiber.Ctx, policy string, render func(io.Writer) error) error {
	var out bytes.Buffer
	if err := render(&out); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	api.Speak(c, api.Locale(c))
	c.Type("html", "utf-8")
	return c.Send(out.Bytes())
}

// newAdmin makes the listener's handler for the operators.
func (a *app) newAdmin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.db.Reader().PingContext(r.Context()); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
		if a.redis != nil && a.redis.Ping(r.Context()).Err() != nil {
			_, _ = io.WriteString(w, "degraded: Redis does not answer; talks are kept in the database\n")
		}
	})
	mux.Handle("GET /metrics", a.metrics.handler())
	return mux
}

// closed reports the error of a listener that was shut down on purpose.
func closed(err error) bool { return err == nil || errors.Is(err, http.ErrServerClosed) }
