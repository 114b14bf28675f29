package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/needs"
	"github.com/eshik-kg/eshik/platform/problem"
)

// Principal is who makes a request.
type Principal struct {
	// ID names who it is among those of its audience, as a partner's or an officer's;
	// empty where the phone does.
	ID      string
	Phone   string // E.164; empty for who comes without one
	Subject string // the proven citizen, empty before the proof
	Level   caller.Level
	SignIn  string // of which the token is; empty where tokens are of none
	// Scopes are what the token is for, where its audience's tokens have any (RFC 6749,
	// section 3.3). One with a colon is a part of what stands before it.
	Scopes []string
}

// ScopeMissing is the key of the problem of a token that is for something else; its
// argument scope is what it should be for.
const ScopeMissing = "problem.scope"

// may reports whether the token is for an operation, or for a part of it.
func (p Principal) may(scope string) bool {
	return slices.ContainsFunc(p.Scopes, func(s string) bool { return s == scope || strings.HasPrefix(s, scope+":") })
}

// scope is what a principal's idempotency keys are apart from others' by.
func (p Principal) scope() string {
	if p.ID != "" {
		return p.ID
	}
	return p.Phone
}

// Languages knows the language that a phone's owner chose; "" where none was.
type Languages interface {
	Locale(ctx context.Context, phone string) (locales.Locale, error)
}

// Level is what a security scheme of a contract asks of who makes a request, beside
// that it is known who; nil asks for nothing more. It gives them as they are known then,
// which may be better than before.
type Level func(context.Context, Principal) (Principal, error)

// Audience is what differs between those whom a contract serves: citizens, partners,
// staff. Languages and Operator are there where principals have phones, Authenticate, Levels and
// Challenge where an operation is not for everybody; all else must be.
type Audience struct {
	// Channel and Gateway are what the requests come through.
	Channel caller.Channel
	Gateway string
	// Authenticate says who makes a request, by what its headers prove.
	Authenticate func(c *fiber.Ctx) (Principal, error)
	// Levels has each security scheme of the contract, by its name.
	Levels map[string]Level
	// May says whether a principal may do what an operation's x-staff-operation names, before
	// it is looked at what they ask; nil: the contract names nothing.
	May func(ctx context.Context, p Principal, operation string) error
	// Challenge is the WWW-Authenticate header of a refusal; "" where there is none.
	Challenge func(p *problem.Error, status int) string
	Languages Languages
	// Operator names a phone's network.
	Operator func(phone string) string
	// Index makes a pseudonym of what identifies a request.
	Index func(turn string) string
	Now   func() time.Time
}

// Bearer authenticates by the token of the Authorization header (RFC 6750). Without one
// the problem is token_missing. Without check there is nobody who says who asks: nil.
func Bearer(check func(ctx context.Context, token string) (Principal, error)) func(*fiber.Ctx) (Principal, error) {
	if check == nil {
		return nil
	}
	return func(c *fiber.Ctx) (Principal, error) {
		token, found := BearerOf(c)
		if !found {
			return Principal{}, problem.New(problem.Unauthenticated, "problem.token_missing")
		}
		return check(c.UserContext(), token)
	}
}

// BearerOf takes the token out of a request's Authorization header. The scheme is
// case-insensitive (RFC 9110, section 11.1).
func BearerOf(c *fiber.Ctx) (string, bool) {
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	token = strings.Clone(strings.TrimSpace(token))
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// errBadToken is the problem of a token that is not good (platform/identity).
const errBadToken = "problem.identity_token" // #nosec G101 -- a key of the locale files

const challenge = `Bearer realm="eshik"`

// BearerChallenge says what a token lacks: RFC 6750, section 3, and for a higher level
// of assurance RFC 9470, section 3 — with 403, as the token itself is good. stepUp says
// how one comes to that level.
func BearerChallenge(stepUp string) func(*problem.Error, int) string {
	return func(p *problem.Error, status int) string {
		switch {
		case needed[p.Code] != 0:
			return challenge + `, error="insufficient_user_authentication", ` +
				`error_description="` + stepUp + `", acr_values="` + needed[p.Code].String() + `"`
		case status != http.StatusUnauthorized:
			return ""
		case p.Key == errBadToken:
			return challenge + `, error="invalid_token"`
		}
		return challenge
	}
}

// challengeOf is the challenge of the audience that a request is of, and of none a
// token's.
func challengeOf(c *fiber.Ctx, p *problem.Error, status int) string {
	if k, ok := c.Locals(audienceKey{}).(*Contract); ok {
		if k.audience.Challenge == nil {
			return ""
		}
		return k.audience.Challenge(p, status)
	}
	if status == http.StatusUnauthorized {
		return challenge
	}
	return ""
}

type audienceKey struct{}

// secured are the security requirements of an operation: its own, or else the
// document's.
func secured(doc *openapi3.T, operation *openapi3.Operation) openapi3.SecurityRequirements {
	if operation.Security != nil {
		return *operation.Security
	}
	return doc.Security
}

// complete refuses an audience that lacks something, and a contract that asks for what it
// does not know.
func (a Audience) complete(doc *openapi3.T) error {
	if err := needs.All("the audience", a, "Authenticate", "Levels", "May", "Challenge", "Languages", "Operator"); err != nil {
		return err
	}
	if (a.Languages == nil) != (a.Operator == nil) {
		return errors.New("the audience: who has phones has Languages and Operator")
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for _, requirement := range secured(doc, operation) {
				if a.Authenticate == nil {
					return fmt.Errorf("%s %s is not for everybody, and its audience has nobody who says who asks", method, path)
				}
				for scheme := range requirement {
					if _, known := a.Levels[scheme]; !known {
						return fmt.Errorf("%s %s asks for %q, which its audience does not know", method, path, scheme)
					}
				}
			}
			named := extension(operation, staffOperation) != ""
			if named && (a.May == nil || len(secured(doc, operation)) == 0) {
				return fmt.Errorf("%s %s is for some alone, and nobody says who they are", method, path)
			}
		}
	}
	return nil
}

// staffOperation is the extension of the contract that names a row of the table of staff.
const staffOperation = "x-staff-operation"

// admit holds a principal to the security requirements: to every scheme of one of them.
func (a Audience) admit(ctx context.Context, p Principal, requirements openapi3.SecurityRequirements) (Principal, error) {
	var refused error
	for _, requirement := range requirements {
		admitted, err := a.meets(ctx, p, requirement)
		if err == nil {
			return admitted, nil
		}
		refused = err
	}
	return p, refused
}

func (a Audience) meets(ctx context.Context, p Principal, requirement openapi3.SecurityRequirement) (Principal, error) {
	var err error
	for scheme, scopes := range requirement {
		if level := a.Levels[scheme]; level != nil {
			if p, err = level(ctx, p); err != nil {
				return p, err
			}
		}
		for _, scope := range scopes {
			if !p.may(scope) {
				return p, problem.New(problem.Forbidden, "problem.scope", "scope", scope)
			}
		}
	}
	return p, nil
}
