package public

import (
	"cmp"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/certificate"
	"github.com/eshik-kg/eshik/web"
)

func (s *Site) certificates() *certificate.Service {
	return module.Of[*certificate.Service](s.Modules)
}

// verifyNumber answers a certificate's number for anybody.
func (s *Site) verifyNumber(c *fiber.Ctx) error {
	loc := api.Locale(c)
	typed := cmp.Or(c.Params("number"), c.Query("number"))
	view := web.VerifyView{Typed: typed}
	switch {
	case strings.TrimSpace(typed) != "":
		found, err := s.certificates().Verify(c.UserContext(), s.reader(c), typed)
		if err != nil {
			view.Problem = s.sentence(c, err)
		} else {
			view.Answer = s.answer(found, loc)
		}
	case c.Context().QueryArgs().Has("number"):
		view.Problem = s.Texts.Text(loc, "verify.empty")
	}
	return s.verify(c, view)
}

// verifyCode answers the content of a certificate's QR code: the signed text.
func (s *Site) verifyCode(c *fiber.Ctx) error {
	loc := api.Locale(c)
	view := web.VerifyView{Scanned: posted(c, "qr")}
	if strings.TrimSpace(view.Scanned) == "" {
		view.CodeProblem = s.Texts.Text(loc, "verify.qr_empty")
	} else if signed, err := s.certificates().VerifyQR(c.UserContext(), s.reader(c), view.Scanned); err != nil {
		view.CodeProblem = s.sentence(c, err)
	} else {
		view.Scanned, view.Answer = "", s.whole(signed, loc)
	}
	return s.verify(c, view)
}

// openingOf is what an office typed.
func openingOf(c *fiber.Ctx) certificate.Opening {
	return certificate.Opening{Number: posted(c, "number"), Code: posted(c, "code"), Office: posted(c, "office")}
}

// openShared shows an office a certificate whole, by its holder's code.
func (s *Site) openShared(c *fiber.Ctx) error {
	in := openingOf(c)
	view := web.VerifyView{Opening: web.VerifyOpening(in)}
	if signed, err := s.certificates().OpenShared(c.UserContext(), s.reader(c), in); err != nil {
		view.OpeningProblem = s.sentence(c, err)
	} else {
		view.Answer = s.whole(signed, api.Locale(c))
		view.Answer.ByCode = true
	}
	return s.verify(c, view)
}

// sharedDocument gives an office the document, by its holder's code.
func (s *Site) sharedDocument(c *fiber.Ctx) error {
	in := openingOf(c)
	pdf, err := s.certificates().SharedPDF(c.UserContext(), s.reader(c), in)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if err != nil {
		return s.verify(c, web.VerifyView{Opening: web.VerifyOpening(in), OpeningProblem: s.sentence(c, err)})
	}
	number, _ := certificate.ParseNumber(in.Number) // it was found
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+certificate.ShowNumber(number)+`.pdf"`)
	c.Type("pdf")
	return c.Send(pdf)
}

func (s *Site) verify(c *fiber.Ctx, view web.VerifyView) error {
	c.Set(fiber.HeaderCacheControl, "no-store") // it is about somebody
	blank := s.blank(api.Locale(c))
	view.Offices, view.Known = blank.Offices, blank.Known
	return Page(c, web.ScriptPolicy, func(w io.Writer) error { return s.Pages.Verify(w, api.Locale(c), view) })
}

// blank is the page of verification before anything was asked.
func (s *Site) blank(loc locales.Locale) web.VerifyView {
	view := web.VerifyView{Known: s.certificates().OnPage(loc)}
	for _, office := range certificate.Offices() {
		view.Offices = append(view.Offices, web.VerifyOffice{ID: office, Name: s.Texts.Text(loc, certificate.OfficeKey(office))})
	}
	return view
}

// sentence says why a certificate was not verified. What is our own fault is logged.
func (s *Site) sentence(c *fiber.Ctx, err error) string {
	p := problem.From(err)
	api.Hold(c, p)
	if p.Code == problem.Internal {
		s.Log.ErrorContext(c.UserContext(), "the verify page failed", "error", err)
	}
	return s.Texts.Text(api.Locale(c), p.Key, p.Args...)
}

// reader is who reads a page.
func (s *Site) reader(c *fiber.Ctx) caller.Caller {
	return caller.Caller{Channel: caller.Web, Gateway: "web", Locale: api.Locale(c), Address: c.IP(), Now: s.Now()}
}

func (s *Site) answer(v certificate.View, loc locales.Locale) *web.VerifyAnswer {
	answer := &web.VerifyAnswer{
		Number: certificate.ShowNumber(v.Number), Kind: s.Texts.Text(loc, v.Kind.TitleKey()),
		Initials: v.Initials, BirthYear: v.BirthYear, Issued: clock.Day(v.IssuedAt),
	}
	if !v.RevokedAt.IsZero() {
		answer.Revoked = clock.Day(v.RevokedAt)
	}
	return answer
}

// whole is an answer with the signed text.
func (s *Site) whole(signed certificate.Signed, loc locales.Locale) *web.VerifyAnswer {
	answer := s.answer(signed.View(), loc)
	for _, words := range s.certificates().Words(signed) {
		shown := web.VerifyWords{Locale: words.Locale, Title: words.Title}
		for _, line := range words.Lines {
			shown.Lines = append(shown.Lines, web.VerifyLine(line))
		}
		answer.Signed = append(answer.Signed, shown)
	}
	return answer
}
