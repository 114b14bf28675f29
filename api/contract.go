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

// Contract holds requests to an OpenAPI document: what the document does not
// allow never reaches a handler, and an operation with a security requirement
// is called only by who is admitted to it.
type Contract struct {
	yaml     []byte // the document as it was written
	json     []byte
	doc      *openapi3.T
	router   routers.Router
	audience Audience
	places   places
}

// NewContract reads an OpenAPI 3.0 document, which it serves an audience by.
func NewContract(document []byte, audience Audience) (*Contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	written, err := doc.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write the contract: %w", err)
	}
	if err := audience.complete(doc); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	places, err := placesOf(doc)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	doc.Servers = nil // requests are matched by path, whatever the host
	router, err := legacy.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route the contract: %w", err)
	}
	return &Contract{yaml: document, json: written, doc: doc, router: router, audience: audience, places: places}, nil
}

// Publish serves the document under a path, as openapi.yaml and as openapi.json. It is for
// everybody: call it before the middleware of that path.
func (k *Contract) Publish(router fiber.Router, path string) {
	for name, document := range map[string]struct {
		kind string
		text []byte
	}{
		"/openapi.yaml": {"application/yaml; charset=utf-8", k.yaml},
		"/openapi.json": {fiber.MIMEApplicationJSONCharsetUTF8, k.json},
	} {
		router.Get(path+name, func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, document.kind)
			return c.Send(document.text)
		})
	}
}

// idempotencyKey is the header of operations that can be repeated safely.
const idempotencyKey = "Idempotency-Key"

type askedKey struct{}

// asked is what a request's context knows of it.
type asked struct {
	contract  *Contract
	caller    caller.Caller
	principal Principal
	answered  locales.Locale // the language of the answer
	step      string         // see StepFrom; empty: it is none
	countAs   *string        // see CountAs
}

// CallerFrom is who makes the request that ctx belongs to. Its language is that of
// messages to its phone; that of the answer is LocaleFrom's.
func CallerFrom(ctx context.Context) caller.Caller {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.caller
}

// PrincipalFrom is who makes the request that ctx belongs to; nobody where its operation
// is for everybody.
func PrincipalFrom(ctx context.Context) Principal {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.principal
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
	who.Phone, who.Operator = phone, k.audience.Operator(phone)
	chosen, err := k.audience.Languages.Locale(ctx, phone)
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
	service, step, counted = strings.Cut(a.step, ".")
	if counted && *a.countAs != "" {
		service = *a.countAs
	}
	return service, step, counted
}

// CountAs says of which service the request of ctx is a step, where its operation is for
// all services.
func CountAs(ctx context.Context, service string) {
	if a, ok := ctx.Value(askedKey{}).(asked); ok {
		*a.countAs = service
	}
}

// Middleware checks a request and puts its caller into the context. Of the problem that
// it ends with it says what field of the request is the cause, where the contract tells.
func (k *Contract) Middleware(c *fiber.Ctx) error {
	c.Locals(audienceKey{}, k)
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
	who, principal, err := k.caller(c, route.Operation)
	if err != nil {
		return err
	}
	if route.Operation.RequestBody != nil && len(c.Body()) > 0 && !takes(route.Operation, c.Get(fiber.HeaderContentType)) {
		return fiber.ErrUnsupportedMediaType
	}
	if err := validate(c, request, route, parameters); err != nil {
		return err
	}
	announce(c, route.Operation)
	known := asked{contract: k, caller: who, principal: principal, answered: Locale(c), step: extension(route.Operation, "x-step"), countAs: new(string)}
	c.SetUserContext(context.WithValue(c.UserContext(), askedKey{}, known))
	return k.locate(route.Operation, errors.Join(c.Next(), k.stillTheirs(c, principal)))
}

// stillTheirs refuses what was read for a person, where meanwhile their sign-in ended or the
// phone was proved for somebody else: a register may have thought long. What changes something
// sees to that in its transaction.
func (k *Contract) stillTheirs(c *fiber.Ctx, principal Principal) error {
	if principal.Subject == "" || c.Method() != fiber.MethodGet {
		return nil
	}
	now, err := k.audience.Authenticate(c)
	if err != nil {
		c.Response().ResetBody()
		return err
	}
	if now.Subject != principal.Subject {
		c.Response().ResetBody()
		return errOther
	}
	return nil
}

// errOther is where a phone proved somebody else while its app waited.
var errOther = problem.New(problem.Conflict, "problem.identity_changed")

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

// caller makes the request's caller, and says who it is where the operation asks.
func (k *Contract) caller(c *fiber.Ctx, operation *openapi3.Operation) (who caller.Caller, principal Principal, err error) {
	a := k.audience
	who = caller.Caller{Channel: a.Channel, Gateway: a.Gateway, Locale: messageLocale(c), Address: strings.Clone(c.IP()), Now: a.Now()}
	requirements := secured(k.doc, operation)
	if len(requirements) == 0 {
		who.Key = k.key(c, operation, principal)
		return who, principal, nil
	}
	if principal, err = a.Authenticate(c); err != nil {
		return who, principal, err
	}
	if principal, err = a.admit(c.UserContext(), principal, requirements); err != nil {
		return who, principal, err
	}
	if named := extension(operation, staffOperation); named != "" {
		if err := a.May(c.UserContext(), principal, named); err != nil {
			return who, principal, err
		}
	}
	who.Subject, who.Level, who.Session = principal.Subject, principal.Level, principal.SignIn
	if principal.Phone != "" {
		if who, err = k.about(c.UserContext(), who, principal.Phone); err != nil {
			return who, principal, err
		}
	}
	who.Key = k.key(c, operation, principal)
	return who, principal, nil
}

// key is what makes a repeated request of a principal known; empty where the operation
// takes none. Those that are for everybody share the keys of an operation.
func (k *Contract) key(c *fiber.Ctx, operation *openapi3.Operation, principal Principal) string {
	key := c.Get(idempotencyKey)
	if key == "" || operation.Parameters.GetByInAndName("header", idempotencyKey) == nil {
		return ""
	}
	return k.audience.Index(operation.OperationID + "|" + principal.scope() + "|" + key)
}
