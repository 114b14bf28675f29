package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"github.com/eshik-kg/eshik/locales"
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

// Languages knows the language that a phone's owner chose; "" where none was.
type Languages interface {
	Locale(ctx context.Context, phone string) (locales.Locale, error)
}

// Contract holds requests to an OpenAPI document: what the document does not
// allow never reaches a handler, and an operation with a security requirement
// is called only with a valid token.
type Contract struct {
	// JSON is the document as JSON.
	JSON         []byte
	router       routers.Router
	authenticate Authenticator
	languages    Languages
	operator     func(phone string) string
	index        func(turn string) string
	now          func() time.Time
}

// NewContract reads an OpenAPI 3.0 document. operator names a phone's network;
// index makes a pseudonym of what identifies a request.
func NewContract(
	document []byte, authenticate Authenticator, languages Languages, operator, index func(string) string, now func() time.Time,
) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	written, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write the contract: %w", err)
	}
	doc.Servers = nil // requests are matched by path, whatever the host
	router, err := legacy.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route the contract: %w", err)
	}
	return &Contract{
		JSON: written, router: router, authenticate: authenticate, languages: languages, operator: operator, index: index, now: now,
	}, nil
}

// idempotencyKey is the header of operations that can be repeated safely.
const idempotencyKey = "Idempotency-Key"

type askedKey struct{}

// asked is what a request's context knows of it.
type asked struct {
	contract *Contract
	caller   caller.Caller
	answered locales.Locale // the language of the answer
	step     string         // see StepFrom; empty: it is none
}

// CallerFrom is who makes the request that ctx belongs to. Its language is that of
// messages to its phone; that of the answer is LocaleFrom's.
func CallerFrom(ctx context.Context) caller.Caller {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.caller
}

// LocaleFrom is the language of the answer to the request that ctx belongs to.
func LocaleFrom(ctx context.Context) locales.Locale {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.answered
}

// CallerNamed is CallerFrom for a request that names its phone (E.164) itself.
func CallerNamed(ctx context.Context, phone string) (caller.Caller, error) {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.contract.about(ctx, a.caller, phone)
}

// about gives a caller its phone and the language of messages to it: what its owner
// chose on any channel, as who asks may be a stranger. Only where nothing was chosen
// the request's own counts.
func (k *Contract) about(ctx context.Context, who caller.Caller, phone string) (caller.Caller, error) {
	who.Phone, who.Operator = phone, k.operator(phone)
	chosen, err := k.languages.Locale(ctx, phone)
	if err != nil {
		return who, err
	}
	if chosen != "" && chosen != locales.EN { // which is for developers
		who.Locale = chosen
	}
	return who, nil
}

// StepFrom is the step of a service that the operation of ctx's request counts as, by
// its x-step in the contract: "fine.lookup". Not every operation is one.
func StepFrom(ctx context.Context) (service, step string, counted bool) {
	a, _ := ctx.Value(askedKey{}).(asked)
	return strings.Cut(a.step, ".")
}

// Middleware checks a request and puts its caller into the context.
func (k *Contract) Middleware(c *fiber.Ctx) error {
	Speak(c, Locale(c))
	c.Set(fiber.HeaderCacheControl, "no-store") // what is public says otherwise itself
	if faults := k.illegible(c); len(faults) > 0 {
		return At(errRequest, faults[:min(len(faults), maxFaults)]...)
	}
	request, err := adaptor.ConvertRequest(c, false)
	if err != nil {
		return errRequest.Because(err)
	}
	// The contract must judge the very path that Fiber routes by, which is the
	// one that was sent, not decoded: of two readings one could be let in and
	// the other served.
	request.URL.Path, request.URL.RawPath = c.Path(), ""
	if request.Method == http.MethodHead { // RFC 9110, section 9.3.2: GET without the body
		request.Method = http.MethodGet
	}
	route, parameters, err := k.find(request)
	if err != nil {
		return k.elsewhere(c, request, err)
	}
	who, err := k.caller(c, route.Operation)
	if err != nil {
		return err
	}
	if route.Operation.RequestBody != nil && len(c.Body()) > 0 && !isJSON(c.Get(fiber.HeaderContentType)) {
		return fiber.ErrUnsupportedMediaType
	}
	if err := validate(c, request, route, parameters); err != nil {
		return err
	}
	announce(c, route.Operation)
	known := asked{contract: k, caller: who, answered: Locale(c), step: extension(route.Operation, "x-step")}
	c.SetUserContext(context.WithValue(c.UserContext(), askedKey{}, known))
	return c.Next()
}

// find finds the operation of a request. A path whose parameter is empty is
// another path, which the contract does not have.
func (k *Contract) find(r *http.Request) (*routers.Route, map[string]string, error) {
	if strings.HasSuffix(r.URL.Path, "/") { // the router would pass over the slash
		return nil, nil, errors.New("the path ends with a slash")
	}
	route, parameters, err := k.router.FindRoute(r)
	if err != nil {
		return nil, nil, err
	}
	for name, value := range parameters {
		if value == "" {
			return nil, nil, fmt.Errorf("the path's %s is empty", name)
		}
	}
	return route, parameters, nil
}

// elsewhere answers a request that no operation takes.
func (k *Contract) elsewhere(c *fiber.Ctx, r *http.Request, cause error) error {
	allowed := k.methods(r)
	if len(allowed) == 0 {
		return problem.New(problem.NotFound, "problem.no_route").Because(cause)
	}
	c.Set(fiber.HeaderAllow, strings.Join(allowed, ", "))
	if r.Method == http.MethodOptions {
		return c.SendStatus(http.StatusNoContent)
	}
	return fiber.ErrMethodNotAllowed
}

// announce says that an operation goes away, where the contract marks it so with
// x-deprecated-at and x-sunset (dates): RFC 9745 and RFC 8594.
func announce(c *fiber.Ctx, operation *openapi3.Operation) {
	if since, ok := extensionDate(operation, "x-deprecated-at"); ok && operation.Deprecated {
		c.Set("Deprecation", "@"+strconv.FormatInt(since.Unix(), 10))
	}
	if end, ok := extensionDate(operation, "x-sunset"); ok && operation.Deprecated {
		c.Set("Sunset", end.Format(http.TimeFormat))
	}
}

func extensionDate(operation *openapi3.Operation, name string) (time.Time, bool) {
	date, err := time.Parse(time.DateOnly, extension(operation, name))
	return date, err == nil
}

// extension is a text that the contract says of an operation beside what OpenAPI knows;
// empty: it says none.
func extension(operation *openapi3.Operation, name string) string {
	text, _ := operation.Extensions[name].(string)
	return text
}

// methods are those that the contract has for a request's path.
func (k *Contract) methods(r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, _, err := k.find(other); err != nil {
			continue
		}
		allowed = append(allowed, method)
		if method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	if len(allowed) > 0 {
		allowed = append(allowed, http.MethodOptions)
	}
	return allowed
}

// proven is the contract's name of the level of assurance at which it is known
// who the person is; a bare token knows the phone.
const proven = "proven"

// needs reports whether an operation needs a token, and whether of a phone on
// which somebody proved who they are.
func needs(operation *openapi3.Operation) (token, person bool) {
	if operation.Security == nil {
		return false, false
	}
	for _, requirement := range *operation.Security {
		if _, ok := requirement[proven]; ok {
			person = true
		}
	}
	return len(*operation.Security) > 0, person
}

// caller makes the request's caller, from its token where one is needed.
func (k *Contract) caller(c *fiber.Ctx, operation *openapi3.Operation) (caller.Caller, error) {
	who := caller.Caller{Channel: caller.REST, Gateway: "rest", Locale: messageLocale(c), Address: strings.Clone(c.IP()), Now: k.now()}
	token, person := needs(operation)
	if !token {
		return who, nil
	}
	bearer, found := bearerOf(c.Get(fiber.HeaderAuthorization))
	if !found {
		return who, problem.New(problem.Unauthenticated, "problem.token_missing")
	}
	principal, err := k.authenticate(c.UserContext(), bearer)
	if err != nil {
		return who, err
	}
	if person && principal.Subject == "" {
		return who, problem.New(problem.Unproven, "problem.level_proven")
	}
	who.Subject = principal.Subject
	if who, err = k.about(c.UserContext(), who, principal.Phone); err != nil {
		return who, err
	}
	if key := c.Get(idempotencyKey); key != "" && operation.Parameters.GetByInAndName("header", idempotencyKey) != nil {
		who.Turn = k.index(operation.OperationID + "|" + who.Phone + "|" + key)
	}
	return who, nil
}

// bearerOf takes the token out of an Authorization header. The scheme is
// case-insensitive (RFC 9110, section 11.1).
func bearerOf(header string) (string, bool) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.Clone(strings.TrimSpace(token))
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}
