// Package api holds what every REST audience shares: problems as RFC 9457
// documents, the check of requests against the contract, and who is asking.
package api

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/problem"
)

// statuses gives each kind of problem its HTTP status (RFC 9110).
var statuses = map[problem.Code]int{
	problem.Invalid: http.StatusBadRequest, problem.Unauthenticated: http.StatusUnauthorized,
	problem.Forbidden: http.StatusForbidden, problem.NotFound: http.StatusNotFound,
	problem.Conflict: http.StatusConflict, problem.Mismatch: http.StatusUnprocessableEntity,
	problem.TooMany: http.StatusTooManyRequests, problem.Internal: http.StatusInternalServerError,
	problem.Upstream: http.StatusBadGateway, problem.Unavailable: http.StatusServiceUnavailable,
}

// document is an RFC 9457 problem.
type document struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// ErrorHandler is the one place where an error becomes an HTTP answer, in the
// language of the request. Errors that are ours are logged here.
func ErrorHandler(catalogue *locales.Catalogue, log *slog.Logger) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		p := classify(err)
		status := statusOf(err, p)
		if status >= http.StatusInternalServerError {
			log.ErrorContext(c.UserContext(), "a request failed", "route", c.Route().Path, "status", status, "error", err)
		}
		if p.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
		}
		body := document{
			Type: "about:blank", Title: http.StatusText(status), Status: status,
			Detail: catalogue.Text(Locale(c), p.Key, p.Args...), Code: p.Key,
		}
		if err := c.Status(status).JSON(body); err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/problem+json")
		return nil
	}
}

// ownStatuses are statuses of HTTP's own: of requests that could not be read to their end,
// and of those that nobody takes in this way; with what to say of them.
var ownStatuses = map[int]string{
	http.StatusMethodNotAllowed:            "problem.no_method",
	http.StatusRequestTimeout:              "problem.slow",
	http.StatusRequestEntityTooLarge:       "problem.too_large",
	http.StatusRequestHeaderFieldsTooLarge: "problem.too_large",
}

// statusOf is the answer's status: for some problems HTTP has words of its own.
func statusOf(err error, p *problem.Error) int {
	var own *fiber.Error
	if errors.As(err, &own) && ownStatuses[own.Code] != "" {
		return own.Code
	}
	return statuses[p.Code]
}

// classify turns Fiber's own errors (no such route, a request it could not read)
// into problems.
func classify(err error) *problem.Error {
	var own *fiber.Error
	var p *problem.Error
	if !errors.As(err, &p) && errors.As(err, &own) {
		switch {
		case own.Code == http.StatusNotFound:
			return problem.New(problem.NotFound, "problem.no_route").Because(err)
		case ownStatuses[own.Code] != "":
			return problem.New(problem.Invalid, ownStatuses[own.Code]).Because(err)
		case own.Code < http.StatusInternalServerError:
			return problem.New(problem.Invalid, "problem.request").Because(err)
		}
	}
	return problem.From(err)
}

// Locale is the language of a request: the first of Accept-Language that is
// spoken here, or Kyrgyz. The lang parameter of a page wins.
func Locale(c *fiber.Ctx) locales.Locale {
	if loc, ok := locales.Parse(c.Query("lang")); ok {
		return loc
	}
	for _, tag := range splitList(c.Get(fiber.HeaderAcceptLanguage)) {
		if loc, ok := locales.Parse(tag); ok {
			return loc
		}
	}
	return locales.KY
}

// Outcome is how an operation that ended with err counts in the statistics.
func Outcome(err error) string {
	if err == nil {
		return "done"
	}
	if statuses[problem.From(err).Code] >= http.StatusInternalServerError {
		return "failed"
	}
	return "refused"
}
