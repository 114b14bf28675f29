package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Principal is who a request's bearer token stands for.
type Principal struct {
	Phone   string
	Subject string // the proven citizen, empty before the proof
}

// Authenticator checks a bearer token.
type Authenticator func(ctx context.Context, bearer string) (Principal, error)

// Contract holds requests to an OpenAPI document: what the document does not
// allow never reaches a handler, and an operation with a security requirement
// is called only with a valid token.
type Contract struct {
	router       routers.Router
	authenticate Authenticator
	operator     func(phone string) string
	index        func(turn string) string
	now          func() time.Time
}

// NewContract reads an OpenAPI 3.0 document. operator names a phone's network;
// index makes a pseudonym of what identifies a request.
func NewContract(document []byte, authenticate Authenticator, operator, index func(string) string, now func() time.Time) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	doc.Servers = nil // requests are matched by path, whatever the host
	router, err := legacy.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route the contract: %w", err)
	}
	return &Contract{router: router, authenticate: authenticate, operator: operator, index: index, now: now}, nil
}

// idempotencyKey is the header of operations that can be repeated safely.
const idempotencyKey = "Idempotency-Key"

type callerKey struct{}

// CallerFrom is who makes the request that ctx belongs to.
func CallerFrom(ctx context.Context) caller.Caller {
	c, _ := ctx.Value(callerKey{}).(caller.Caller)
	return c
}

// Middleware checks a request and puts its caller into the context.
func (k *Contract) Middleware(c *fiber.Ctx) error {
	if !legible(c) {
		return problem.New(problem.Invalid, "problem.request")
	}
	request, err := adaptor.ConvertRequest(c, false)
	if err != nil {
		return problem.New(problem.Invalid, "problem.request").Because(err)
	}
	// The contract must judge the very path that Fiber routes by, which is the
	// one that was sent, not decoded: of two readings one could be let in and
	// the other served.
	request.URL.Path, request.URL.RawPath = c.Path(), ""
	route, parameters, err := k.router.FindRoute(request)
	if err != nil {
		if allowed := k.methods(request); len(allowed) > 0 {
			c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
			return fiber.ErrMethodNotAllowed
		}
		return problem.New(problem.NotFound, "problem.no_route").Because(err)
	}
	who, err := k.caller(c, route.Operation)
	if err != nil {
		return err
	}
	if err := validate(c.UserContext(), request, route, parameters); err != nil {
		return problem.New(problem.Invalid, "problem.request")
	}
	c.SetUserContext(context.WithValue(c.UserContext(), callerKey{}, who))
	return c.Next()
}

// methods are those that the contract has for a request's path.
func (k *Contract) methods(r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, _, err := k.router.FindRoute(other); err == nil {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// legible reports that the path, the query and the body are UTF-8 without NUL,
// which no text column of PostgreSQL takes.
func legible(c *fiber.Ctx) bool {
	path, err := url.PathUnescape(c.Path())
	if err != nil {
		return false
	}
	query, err := url.QueryUnescape(string(c.Request().URI().QueryString()))
	if err != nil {
		return false
	}
	for _, text := range []string{path, query, string(c.Request().Body()), c.Get(idempotencyKey)} {
		if !utf8.ValidString(text) || strings.Contains(text, "\x00") || strings.Contains(text, `\u0000`) {
			return false
		}
	}
	return true
}

// caller makes the request's caller, from its token where one is needed.
func (k *Contract) caller(c *fiber.Ctx, operation *openapi3.Operation) (caller.Caller, error) {
	who := caller.Caller{Channel: caller.REST, Gateway: "rest", Locale: Locale(c), Address: strings.Clone(c.IP()), Now: k.now()}
	if operation.Security == nil {
		return who, nil
	}
	bearer, found := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	if !found {
		return who, problem.New(problem.Unauthenticated, "problem.token_missing")
	}
	principal, err := k.authenticate(c.UserContext(), strings.Clone(bearer))
	if err != nil {
		return who, err
	}
	who.Phone, who.Subject, who.Operator = principal.Phone, principal.Subject, k.operator(principal.Phone)
	if key := c.Get(idempotencyKey); key != "" && operation.Parameters.GetByInAndName("header", idempotencyKey) != nil {
		who.Turn = k.index(operation.OperationID + "|" + who.Phone + "|" + key)
	}
	return who, nil
}

// validate checks the request against its operation. The validator's sentences
// quote the schema and the input, and are not passed on.
func validate(ctx context.Context, r *http.Request, route *routers.Route, parameters map[string]string) error {
	return openapi3filter.ValidateRequest(ctx, &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// splitList cuts "ky, ru;q=0.8" into its tags.
func splitList(header string) []string {
	var tags []string
	for part := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(part, ";")
		tags = append(tags, tag)
	}
	return tags
}
