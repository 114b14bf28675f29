// Package api holds what every REST audience shares: problems as RFC 9457
// documents, the check of requests against the contract, and who is asking.
package api

import (
	"errors"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// statuses gives each kind of problem its HTTP status (RFC 9110).
var statuses = map[problem.Code]int{
	problem.Invalid: http.StatusBadRequest, problem.Unauthenticated: http.StatusUnauthorized,
	problem.Forbidden: http.StatusForbidden, problem.Unproven: http.StatusForbidden, problem.Weak: http.StatusForbidden,
	problem.NotFound: http.StatusNotFound,
	problem.Conflict: http.StatusConflict, problem.Mismatch: http.StatusUnprocessableEntity,
	problem.TooMany: http.StatusTooManyRequests, problem.Internal: http.StatusInternalServerError,
	problem.Upstream: http.StatusBadGateway, problem.Unavailable: http.StatusServiceUnavailable,
}

// needed is the level of assurance that who is refused lacks.
var needed = map[problem.Code]caller.Level{problem.Unproven: caller.LevelWeak, problem.Weak: caller.LevelStrong}

// document is an RFC 9457 problem.
type document struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Level  string `json:"level,omitempty"` // the level of assurance that would do
	Errors []line `json:"errors,omitempty"`
}

// line is one fault in a document. A body's fault has a pointer, which may be
// empty; any other has a name.
type line struct {
	In      string    `json:"in"`
	Pointer *string   `json:"pointer,omitempty"`
	Name    string    `json:"name,omitempty"`
	Code    FaultCode `json:"code"`
	Detail  string    `json:"detail"`
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
		spoken := []locales.Locale{Locale(c)}
		if unread(c) {
			spoken = []locales.Locale{locales.KY, locales.RU}
		}
		Speak(c, spoken...)
		c.Set(fiber.HeaderCacheControl, "no-store")
		retryAfter(c, p)
		say := func(key string, args ...any) string {
			var texts []string
			for _, loc := range spoken {
				texts = append(texts, catalogue.Text(loc, key, args...))
			}
			return strings.Join(texts, " / ")
		}
		body := document{
			Type: "about:blank", Title: http.StatusText(status), Status: status,
			Detail: say(p.Key, p.Args...), Code: p.Key, Errors: lines(say, p, faultsIn(c, p, err)),
		}
		if level := needed[p.Code]; level != 0 {
			body.Level = level.String()
		}
		if wanted := challengeOf(c, p, status); wanted != "" {
			c.Set(fiber.HeaderWWWAuthenticate, wanted)
		}
		if err := c.Status(status).JSON(body); err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, "application/problem+json")
		return nil
	}
}

// faultsIn are the faults of a request that breaks the contract, one at least.
func faultsIn(c *fiber.Ctx, p *problem.Error, err error) []Fault {
	var f *faulty
	switch {
	case errors.As(err, &f):
		return f.faults
	case p.Key != errRequest.Key:
		return nil
	case unread(c):
		return []Fault{{In: "header", Code: FaultOther}}
	}
	return []Fault{{In: "body", Code: FaultOther}}
}

// lines writes faults. One that is the problem itself says what the problem says.
func lines(say func(key string, args ...any) string, p *problem.Error, faults []Fault) []line {
	out := make([]line, 0, len(faults))
	for _, fault := range faults {
		l := line{In: fault.In, Name: fault.Name, Code: fault.Code, Detail: say(fault.Code.Key(), fault.args...)}
		if fault.In == "body" {
			l.Pointer = &fault.Pointer
		}
		if p.Key != errRequest.Key {
			l.Detail = say(p.Key, p.Args...)
		}
		out = append(out, l)
	}
	return out
}

// ownStatuses are statuses of HTTP's own: of requests that could not be read to their end,
// and of those that nobody takes in this way; with what to say of them.
var ownStatuses = map[int]string{
	http.StatusMethodNotAllowed:            "problem.no_method",
	http.StatusRequestTimeout:              "problem.slow",
	http.StatusRequestEntityTooLarge:       "problem.too_large",
	http.StatusRequestHeaderFieldsTooLarge: "problem.too_large",
	http.StatusUnsupportedMediaType:        "problem.media_type",
}

// OwnStatuses are the statuses that are no problem's kind, with their problems.
func OwnStatuses() map[int]string { return maps.Clone(ownStatuses) }

// Status is the HTTP status of a kind of problem.
func Status(kind problem.Code) int { return statuses[kind] }

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

// Nowhere reports that err is of an address where nothing is.
func Nowhere(err error) bool { return classify(err).Key == "problem.no_route" }

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

// Hold answers a page with 429 and Retry-After where a limit refused what it asked
// for (RFC 6585, section 4); any other problem leaves its status.
func Hold(c *fiber.Ctx, p *problem.Error) {
	if p.Code == problem.TooMany {
		c.Status(Status(p.Code))
		retryAfter(c, p)
	}
}

// retryAfter says in whole seconds when to try again (RFC 9110, section 10.2.3).
func retryAfter(c *fiber.Ctx, p *problem.Error) {
	if p.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
	}
}
