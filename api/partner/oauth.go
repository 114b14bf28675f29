package partner

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"mime"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/partners"
	"github.com/eshik-kg/eshik/platform/problem"
)

// TokenPath is where a partner gets access tokens (RFC 6749, section 3.2), MetadataPath
// where its library finds that out (RFC 8414).
const (
	TokenPath    = "/partner/oauth/token" // #nosec G101 -- an address
	MetadataPath = "/.well-known/oauth-authorization-server"
	keysPath     = "/.well-known/jwks.json"
)

// Issuer knows the partners' client secrets, and gives access tokens (platform/partners).
type Issuer interface {
	Partners
	Issue(ctx context.Context, access partners.Access, scope string) (partners.Token, error)
}

// OAuth gives partners access tokens for their client secrets or certificates: the client
// credentials grant of RFC 6749, section 4.4, and nothing else of it.
type OAuth struct {
	Partners Issuer
	// PublicURL is our address as partners know it: the issuer's identifier.
	PublicURL string
	// EndsTLS says that connections come to us encrypted, so that a client can show a certificate.
	EndsTLS bool
	Log     *slog.Logger
}

// Register puts the two paths on the router.
func (o *OAuth) Register(router fiber.Router) error {
	if err := needs.All("the token endpoint", *o, "EndsTLS"); err != nil {
		return err
	}
	router.Get(MetadataPath, o.metadata)
	router.Use(TokenPath, func(c *fiber.Ctx) error {
		if c.Method() != fiber.MethodPost {
			c.Set(fiber.HeaderAllow, fiber.MethodPost)
			return fiber.ErrMethodNotAllowed
		}
		return c.Next()
	})
	router.Post(TokenPath, o.token)
	return nil
}

// metadata is what RFC 8414, section 2, and RFC 8705, section 3.3, have and we are.
func (o *OAuth) metadata(c *fiber.Ctx) error {
	methods := []string{"client_secret_basic"}
	if o.EndsTLS {
		methods = append(methods, "self_signed_tls_client_auth")
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return c.JSON(map[string]any{
		"issuer": o.PublicURL, "token_endpoint": o.PublicURL + TokenPath, "jwks_uri": o.PublicURL + keysPath,
		"scopes_supported": partners.Operations, "response_types_supported": []string{},
		"grant_types_supported": []string{grant}, "token_endpoint_auth_methods_supported": methods,
		"tls_client_certificate_bound_access_tokens": o.EndsTLS,
	})
}

const grant = "client_credentials"

// refusal is an error of RFC 6749, section 5.2, with its status.
type refusal struct {
	status int
	code   string
	why    string // for the partner's engineer
}

// Error implements error.
func (r *refusal) Error() string { return r.code + ": " + r.why }

func badRequest(code, why string) error { return &refusal{fiber.StatusBadRequest, code, why} }

var errClient = &refusal{
	fiber.StatusUnauthorized, "invalid_client",
	"The client id, its secret or its certificate is wrong, has ended, or comes from an address that is not the partner's. Send id and secret by HTTP Basic, or show the certificate and send client_id.",
}

// token answers a request for an access token.
func (o *OAuth) token(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderPragma, "no-cache")
	token, err := o.grant(c)
	if err != nil {
		return o.refuse(c, err)
	}
	return c.JSON(struct {
		Access  string `json:"access_token"`
		Type    string `json:"token_type"`
		Expires int    `json:"expires_in"`
		Scope   string `json:"scope"`
	}{token.Text, "Bearer", int(token.Lasts.Seconds()), token.Scopes.String()})
}

func (o *OAuth) grant(c *fiber.Ctx) (partners.Token, error) {
	form, err := formOf(c)
	if err != nil {
		return partners.Token{}, err
	}
	kind, id, secret, err := clientOf(c, form)
	if err != nil {
		return partners.Token{}, err
	}
	access, err := o.Partners.Authenticate(c.UserContext(), kind, id, secret, strings.Clone(c.IP()))
	tellQuotas(c, access.Quotas)
	if err != nil {
		return partners.Token{}, err
	}
	switch form.Get("grant_type") {
	case grant:
	case "":
		return partners.Token{}, badRequest("invalid_request", "grant_type is missing.")
	default:
		return partners.Token{}, badRequest("unsupported_grant_type", "The grant is client_credentials.")
	}
	token, err := o.Partners.Issue(c.UserContext(), access, form.Get("scope"))
	if errors.Is(err, partners.ErrScope) {
		return token, badRequest("invalid_scope", "The partner may ask for: "+access.Scopes.String())
	}
	return token, err
}

// formOf reads the parameters, which stand in the body only and each once (RFC 6749,
// section 3.2). One without a value was left out; those that we do not know are passed over.
func formOf(c *fiber.Ctx) (url.Values, error) {
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || media != fiber.MIMEApplicationForm {
		return nil, badRequest("invalid_request", "The body is application/x-www-form-urlencoded.")
	}
	if len(c.Context().URI().QueryString()) > 0 {
		return nil, badRequest("invalid_request", "Parameters go in the body, none in the address.")
	}
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return nil, badRequest("invalid_request", "The body cannot be read as a form.")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, badRequest("invalid_request", "A parameter is given twice.")
		}
	}
	return form, nil
}

// clientOf reads who asks: by HTTP Basic, whose two parts are form-encoded each (RFC 6749,
// section 2.3.1), or by the certificate of the connection and client_id in the body (RFC 8705,
// section 2). A certificate beside a secret says nothing: many clients show theirs everywhere.
func clientOf(c *fiber.Ctx, form url.Values) (kind partners.Kind, id, secret string, err error) {
	headers := c.Request().Header.PeekAll(fiber.HeaderAuthorization)
	other := form.Has("client_secret") || form.Has("client_assertion")
	switch {
	case len(headers) > 1 || len(headers) == 1 && other:
		return "", "", "", badRequest("invalid_request", "A client authenticates in one way only.")
	case len(headers) == 0 && form.Get("client_id") != "" && !other:
		return partners.TLS, form.Get("client_id"), certificateOf(c), nil
	case len(headers) == 0:
		return "", "", "", errClient
	}
	encodedID, encodedSecret, ok := basic(string(headers[0]))
	id, badID := url.QueryUnescape(encodedID)
	secret, badSecret := url.QueryUnescape(encodedSecret)
	if !ok || badID != nil || badSecret != nil {
		return "", "", "", errClient
	}
	if form.Has("client_id") && form.Get("client_id") != id {
		return "", "", "", badRequest("invalid_request", "client_id is another than that of HTTP Basic.")
	}
	return partners.OAuth, id, secret, nil
}

// refuse writes an error as RFC 6749, section 5.2, has it. It has no code for who comes too
// often and for what is down here; libraries take the status for it.
func (o *OAuth) refuse(c *fiber.Ctx, err error) error {
	var known *refusal
	p := problem.From(err)
	switch {
	case errors.As(err, &known):
	case p.Code == problem.Unauthenticated:
		known = errClient
	case p.Code == problem.TooMany:
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
		known = &refusal{fiber.StatusTooManyRequests, "temporarily_unavailable", "Too many requests: try again after the seconds of Retry-After."}
	default:
		o.Log.Error("a partner's token could not be issued", "error", err)
		known = &refusal{fiber.StatusServiceUnavailable, "temporarily_unavailable", "The fault is ours: try again."}
	}
	if known.status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, basicChallenge)
	}
	return c.Status(known.status).JSON(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{known.code, known.why})
}
