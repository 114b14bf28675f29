// Package public serves what is for everybody, without signing in: the first page, the
// verification of certificates and the reference of the REST interface.
package public

import (
	"bytes"
	"io"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/web"
)

// Site is the public pages.
type Site struct {
	Pages   *web.Pages
	Modules []module.Module
	// Identity takes those who come back from the national sign-in.
	Identity *identity.Service
	Texts    *locales.Catalogue
	Now      func() time.Time
	Log      *slog.Logger
}

// Mount serves the pages under router.
func (s *Site) Mount(router fiber.Router) error {
	if err := needs.All("the pages", *s); err != nil {
		return err
	}
	reference, err := s.Pages.Reference()
	if err != nil {
		return err
	}
	router.All("/static/*", adaptor.HTTPHandler(s.Pages.Static()))
	router.Get("/docs", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, web.ScriptPolicy)
		return adaptor.HTTPHandler(reference[api.Locale(c)])(c)
	})
	worker, err := s.Pages.Worker(s.blank)
	if err != nil {
		return err
	}
	router.Get(web.WorkerPath, func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, web.WorkerPolicy)
		return adaptor.HTTPHandler(worker)(c)
	})
	router.Get("/verify/:number?", s.verifyNumber)
	router.Post("/verify", s.verifyCode)
	router.Post("/verify/open", s.openShared)
	router.Post("/verify/document", s.sharedDocument)
	router.Get(web.PhotoPath+":token", s.photoAsk)
	router.Post(web.PhotoPath+":token", s.photoOpen)
	if s.Identity.OffersNational() {
		router.Get(web.NationalPath, s.nationalBack)
		router.Post(web.NationalPath, s.nationalFinish)
	}
	router.Get("/", func(c *fiber.Ctx) error {
		return Page(c, web.PlainPolicy, func(w io.Writer) error { return s.Pages.Home(w, api.Locale(c)) })
	})
	return nil
}

// posted is a field of the form in the body. What stands in the address is no answer to a form:
// proxies write addresses down, and these fields are codes.
func posted(c *fiber.Ctx, field string) string { return string(c.Request().PostArgs().Peek(field)) }

// Page answers with a whole page, rendered before the first byte leaves.
func Page(c *fiber.Ctx, policy string, render func(io.Writer) error) error {
	var out bytes.Buffer
	if err := render(&out); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policy)
	api.Speak(c, api.Locale(c))
	c.Type("html", "utf-8")
	return c.Send(out.Bytes())
}
