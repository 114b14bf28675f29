package public

import (
	"io"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/services/fine"
	"github.com/eshik-kg/eshik/web"
)

func (s *Site) fines() *fine.Service { return module.Of[*fine.Service](s.Modules) }

// photoAsk shows a button, or that the link is good no more. It spends nothing: programs that look
// at messages load what they link to.
func (s *Site) photoAsk(c *fiber.Ctx) error {
	err := s.photoLink(c)
	return s.photo(c, err == nil, err)
}

// photoOpen shows the photo that a link is for, once.
func (s *Site) photoOpen(c *fiber.Ctx) error {
	photo, err := s.fines().OpenPhoto(c.UserContext(), s.reader(c), c.Params("token"))
	if err != nil {
		// What the register, or we, could not do leaves the link good: the button stays.
		return s.photo(c, s.photoLink(c) == nil, err)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("X-Robots-Tag", "noindex")
	c.Type("jpg")
	return c.Send(photo)
}

// photoLink says why the link that was asked for is good no more.
func (s *Site) photoLink(c *fiber.Ctx) error {
	return s.fines().PhotoLinkGood(c.UserContext(), s.reader(c), c.Params("token"))
}

// photo writes the page of a link, with the button where it opens: err is why it shows nothing.
func (s *Site) photo(c *fiber.Ctx, opens bool, err error) error {
	view := web.PhotoView{Opens: opens}
	if err != nil {
		p := problem.From(err)
		if p.Code == problem.Internal {
			s.Log.ErrorContext(c.UserContext(), "the page of a link to a photo failed", "error", err)
		}
		c.Status(photoStatus(p))
		api.Hold(c, p)
		view.Problem = func(loc locales.Locale) string { return s.Texts.Text(loc, p.Key, p.Args...) }
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return Page(c, web.PlainPolicy, func(w io.Writer) error { return s.Pages.Photo(w, api.Locale(c), view) })
}

// photoStatus is the status of a page without a photo: a link that was good is gone.
func photoStatus(p *problem.Error) int {
	if p.Code == problem.Conflict {
		return fiber.StatusGone
	}
	return api.Status(p.Code)
}
