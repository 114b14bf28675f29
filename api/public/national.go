package public

import (
	"errors"
	"io"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/web"
)

// The longest state and code that a browser brings back; ours and what providers make are shorter.
const longestBack = 2048

// nationalBack shows a browser that came back from the national sign-in whose phone would be
// the person's. It proves nobody: a browser loads an address twice, and a link that somebody
// else sent must not sign anybody in. Who said no there is done.
func (s *Site) nationalBack(c *fiber.Ctx) error {
	view := web.NationalView{State: c.Query("state"), Code: c.Query("code")}
	tail, err := s.Identity.NationalBack(c.UserContext(), view.State, c.Query("iss"), s.Now())
	switch {
	case len(view.Code) > longestBack || err == nil && view.Code == "" && c.Query("error") == "":
		err = errors.Join(errBack, err)
	case err == nil && view.Code == "": // they said no there
		err = s.Identity.FinishNational(c.UserContext(), view.State, "")
	}
	view.Tail = tail
	return s.national(c, view, err)
}

// errBack is an address that is none of the national sign-in's.
var errBack = problem.New(problem.Invalid, "problem.national_refused")

// nationalFinish takes the person's word.
func (s *Site) nationalFinish(c *fiber.Ctx) error {
	code := posted(c, "code")
	if posted(c, "decision") != "yes" {
		code = ""
	}
	if len(code) > longestBack {
		return s.national(c, web.NationalView{}, errBack)
	}
	return s.national(c, web.NationalView{}, s.Identity.FinishNational(c.UserContext(), posted(c, "state"), code))
}

func (s *Site) national(c *fiber.Ctx, view web.NationalView, err error) error {
	if err != nil {
		p := problem.From(err)
		if p.Code == problem.Internal {
			s.Log.ErrorContext(c.UserContext(), "the page of the national sign-in failed", "error", err)
		}
		c.Status(api.Status(p.Code))
		api.Hold(c, p)
		view = web.NationalView{Problem: s.Texts.Text(api.Locale(c), p.Key, p.Args...)}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return Page(c, web.PlainPolicy, func(w io.Writer) error { return s.Pages.National(w, api.Locale(c), view) })
}
