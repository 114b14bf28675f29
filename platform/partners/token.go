package partners

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/partners/db"
	"github.com/eshik-kg/eshik/platform/problem"
)

// TokenLasts is how long a partner's access token is good.
const TokenLasts = 5 * time.Minute

// What every access token of a partner says. RFC 9068, section 4, has both spellings of
// the type: a citizen's has the short one, and each door takes its own only.
const (
	tokenType     = "application/at+jwt"
	tokenAudience = "eshik/partner"
	// clocksDiffer is how far the clocks of instances may be apart.
	clocksDiffer = 30 * time.Second
)

// Signer signs tokens and knows its own again, as *identity.Service does.
type Signer interface {
	SignToken(ctx context.Context, typ string, claims any) (string, error)
	VerifyToken(ctx context.Context, typ, token string) ([]byte, error)
}

// ErrScope says that more was asked for than the partner is allowed, or what is no scope.
var ErrScope = errors.New("the scope is none that the partner is allowed")

// errToken is the one answer to every token that is not good: which part of it failed
// helps only those who forge.
var errToken = problem.New(problem.Unauthenticated, "problem.partner_token")

// Token is an access token of a partner.
type Token struct {
	Text   string
	Lasts  time.Duration
	Scopes Scopes
}

// claims of a partner's access token (RFC 9068, section 2.2).
type claims struct {
	jwt.RegisteredClaims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	// Credential is what the token ends with.
	Credential string `json:"cred"`
	// Confirm binds the token to a certificate (RFC 8705, section 3.1).
	Confirm *confirm `json:"cnf,omitempty"`
}

type confirm struct {
	Thumbprint string `json:"x5t#S256"`
}

// Issue gives who was authenticated by its client secret or certificate an access token for what it asks;
// for all that it may do where it asks for nothing. Error: ErrScope.
func (s *Service) Issue(ctx context.Context, access Access, scope string) (Token, error) {
	asked, err := ParseScopes(scope)
	if err != nil || !access.Scopes.Cover(asked) {
		return Token{}, ErrScope
	}
	if len(asked) == 0 {
		asked = access.Scopes
	}
	if s.Issuer == "" {
		return Token{}, errors.New("a process without a public address issues no tokens")
	}
	id, err := uuid.NewRandomFromReader(s.Random)
	if err != nil {
		return Token{}, fmt.Errorf("draw a token's id: %w", err)
	}
	var bound *confirm
	if access.Certificate != "" {
		bound = &confirm{access.Certificate}
	}
	now := s.Now()
	text, err := s.Signer.SignToken(ctx, tokenType, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: s.Issuer, Audience: jwt.ClaimStrings{tokenAudience}, Subject: access.Partner, ID: id.String(),
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-clocksDiffer)), ExpiresAt: jwt.NewNumericDate(now.Add(TokenLasts)),
		},
		ClientID: access.Partner, Scope: asked.String(), Credential: access.Credential, Confirm: bound,
	})
	if err != nil {
		return Token{}, fmt.Errorf("sign a partner's token: %w", err)
	}
	return Token{Text: text, Lasts: TokenLasts, Scopes: asked}, nil
}

// Authorize says what the bearer of an access token may do now: what the token is for and
// its partner is still allowed. Problems: partner_token, also where the credential that got
// it has ended or was disabled since, and where a certificate got it and another one, or none, was
// shown: certificate is the thumbprint of the connection's, empty where it proved none; partner_many.
func (s *Service) Authorize(ctx context.Context, token, address, certificate string) (Access, error) {
	got, err := s.read(ctx, token)
	if err != nil {
		return Access{}, err
	}
	both, err := db.New(s.DB.Reader()).Credential(ctx, got.Credential)
	if errors.Is(err, sql.ErrNoRows) {
		return Access{}, errToken
	}
	if err != nil {
		return Access{}, fmt.Errorf("read a token's credential: %w", err)
	}
	row := both.PartnerCredential
	p, err := partnerOf(both.Partner)
	if err != nil {
		return Access{}, err
	}
	if row.PartnerID != got.ClientID || !s.shown(row, got, certificate) || !usable(both.Partner, row, s.Now()) || !p.admits(address) {
		return Access{}, errToken
	}
	scopes, err := ParseScopes(got.Scope)
	if err != nil {
		return Access{}, errToken
	}
	quotas, err := s.within(ctx, p)
	if err != nil {
		return Access{Quotas: quotas}, err
	}
	return Access{Partner: p.ID, Credential: row.ID, Scopes: p.Scopes.And(scopes), Quotas: quotas}, nil
}

// read gives the claims of a token of ours that is good now.
func (s *Service) read(ctx context.Context, token string) (claims, error) {
	payload, err := s.Signer.VerifyToken(ctx, tokenType, token)
	if errors.Is(err, jws.ErrRefused) {
		return claims{}, errToken
	}
	if err != nil {
		return claims{}, err
	}
	var got claims
	if err := jws.Decode(payload, &got); err != nil {
		return claims{}, errToken
	}
	validator := jwt.NewValidator(
		jwt.WithIssuer(s.Issuer), jwt.WithAudience(tokenAudience), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.Now))
	if s.Issuer == "" || validator.Validate(got) != nil || got.IssuedAt == nil || got.IssuedAt.After(s.Now().Add(clocksDiffer)) || got.Subject != got.ClientID {
		return claims{}, errToken
	}
	return got, nil
}
