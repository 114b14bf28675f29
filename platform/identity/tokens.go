package identity

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/jws"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
)

const (
	// TokenLasts is how long an access token is good.
	TokenLasts = 15 * time.Minute
	// clocksDiffer is how far the clocks of instances may be apart: what one signs, another
	// takes at once.
	clocksDiffer = 30 * time.Second
)

// What every token of ours says. Source of the type: RFC 9068, section 2.1.
const (
	tokenIssuer   = "eshik"
	tokenAudience = "eshik/citizen"
	tokenType     = "at+jwt"
)

// errToken is the one answer to every token that is not good: which part of it
// failed helps only those who forge.
var errToken = problem.New(problem.Unauthenticated, "problem.identity_token")

// Tokens are what a REST client gets for a code or for a refresh token.
type Tokens struct {
	Access    string
	ExpiresAt time.Time // of the access token
	// Refresh is good once, for the tokens that follow (Refresh).
	Refresh          string
	RefreshExpiresAt time.Time
}

// Principal is who a good token stands for.
type Principal struct {
	Phone string // E.164
	// CitizenID is the citizen proved on the phone now; empty when none is.
	CitizenID string
	// Level is how surely it is them; LevelCode without a citizen.
	Level caller.Level
	// SignIn is what the token is of; empty for one of a version that knew no sign-ins.
	SignIn string
}

// claims of an access token. Whoever finds one reads no phone in it.
type claims struct {
	jwt.RegisteredClaims
	Phone string `json:"phn"` // sealed, base64url
	// Generation is the phone's when the token was made: the number's release, and
	// an earlier phone's word against it, begin another one.
	Generation int64 `json:"gen,omitempty"`
	// SignIn is what the token ends with; a token of a version before has none.
	SignIn string `json:"sid,omitempty"`

	kid string // of the key that signed it
}

// IssueToken takes a code that was sent to the caller's phone, as CheckCode does, signs a
// device in on it and gives its first tokens. device is what the person is to know it by.
func (s *Service) IssueToken(ctx context.Context, c caller.Caller, challenge, code, device string) (Tokens, error) {
	// Before the code: what ends it now ends the sign-in too.
	generation, err := s.generation(ctx, s.phoneIndex(c.Phone))
	if err != nil {
		return Tokens{}, err
	}
	var row db.IdentitySignIn
	var refresh string
	err = s.takeCode(ctx, c, challenge, code, func(tx *store.Tx) error {
		var err error
		row, refresh, err = s.begin(ctx, tx, c, device, generation)
		return err
	})
	if err != nil {
		return Tokens{}, err
	}
	return s.tokens(ctx, c, row, refresh)
}

// tokens signs an access token of a sign-in of the caller's phone, beside its refresh token.
func (s *Service) tokens(ctx context.Context, c caller.Caller, row db.IdentitySignIn, refresh string) (Tokens, error) {
	sealed, err := s.Sealer.Seal([]byte(c.Phone), tokenContext)
	if err != nil {
		return Tokens{}, err
	}
	id, err := s.newID()
	if err != nil {
		return Tokens{}, err
	}
	key, err := s.signingKey(ctx, c.Now)
	if err != nil {
		return Tokens{}, err
	}
	expires := c.Now.Add(TokenLasts).Truncate(time.Second)
	access, err := jws.Sign(tokenType, key.ID, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Audience: jwt.ClaimStrings{tokenAudience}, Subject: row.PhoneIndex, ID: id,
			IssuedAt: jwt.NewNumericDate(c.Now), NotBefore: jwt.NewNumericDate(c.Now.Add(-clocksDiffer)), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Phone: base64.RawURLEncoding.EncodeToString(sealed), Generation: row.Generation, SignIn: row.ID,
	}, key.private)
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{Access: access, ExpiresAt: expires, Refresh: refresh, RefreshExpiresAt: row.ExpiresAt.Time}, nil
}

// Authenticate reads an access token, with or without the word "Bearer" before
// it, and says who it stands for.
func (s *Service) Authenticate(ctx context.Context, bearer string) (Principal, error) {
	text := bearer
	if scheme, rest, ok := strings.Cut(bearer, " "); ok && strings.EqualFold(scheme, "bearer") {
		text = strings.TrimSpace(rest)
	}
	got, err := s.read(ctx, text)
	if err != nil {
		return Principal{}, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(got.Phone)
	if err != nil {
		return Principal{}, errToken
	}
	phone, err := s.Sealer.Open(sealed, tokenContext)
	if err != nil || got.Subject != s.phoneIndex(string(phone)) {
		return Principal{}, errToken
	}
	if err := s.stands(ctx, got); err != nil {
		return Principal{}, err
	}
	// This is no use of it: apps ask by themselves.
	row, proved, err := s.lastProof(ctx, caller.Caller{Phone: string(phone), Channel: caller.REST, Session: got.SignIn, Now: s.Now()})
	if err != nil {
		return Principal{}, err
	}
	citizen := Citizen{}
	if proved {
		citizen = Citizen{ID: row.CitizenID, Level: caller.Level(row.Level)}
	}
	level := max(citizen.Level, caller.LevelCode) // the token came for a code
	return Principal{Phone: string(phone), CitizenID: citizen.ID, Level: level, SignIn: got.SignIn}, nil
}

// read gives the claims of a token that one of our keys signed and that is good now.
func (s *Service) read(ctx context.Context, text string) (claims, error) {
	got := claims{}
	signed, err := jws.Verify(text, func(kid string) (*jws.PublicKey, error) {
		got.kid = kid
		return s.verifyingKey(ctx, kid)
	})
	switch {
	case errors.Is(err, jws.ErrRefused), err == nil && signed.Type != tokenType:
		return claims{}, errToken
	case err != nil:
		return claims{}, err
	}
	if err := jws.Decode(signed.Payload, &got); err != nil {
		return claims{}, errToken
	}
	if s.validator.Validate(got) != nil || got.IssuedAt == nil || got.IssuedAt.After(s.Now().Add(clocksDiffer)) {
		return claims{}, errToken
	}
	return got, nil
}

// newValidator checks what a token says beside its signature.
func newValidator(now func() time.Time) *jwt.Validator {
	return jwt.NewValidator(
		jwt.WithIssuer(tokenIssuer), jwt.WithAudience(tokenAudience), jwt.WithExpirationRequired(), jwt.WithTimeFunc(now))
}

// stands refuses a token whose sign-in has ended, whose key was revoked, or whose phone was
// cut off since.
func (s *Service) stands(ctx context.Context, got claims) error {
	if got.SignIn == "" { // of a version before: it ends by itself
		return s.standsOlder(ctx, got)
	}
	generation, err := db.New(s.DB.Reader()).SignInStands(ctx, db.SignInStandsParams{Kid: got.kid, ID: got.SignIn, PhoneIndex: got.Subject})
	if errors.Is(err, sql.ErrNoRows) || err == nil && generation != got.Generation {
		return errToken
	}
	if err != nil {
		return fmt.Errorf("look whether a sign-in stands: %w", err)
	}
	return nil
}

// standsOlder is stands for a token of a version that knew no sign-ins.
func (s *Service) standsOlder(ctx context.Context, got claims) error {
	n, err := db.New(s.DB.Reader()).KeyStands(ctx, got.kid)
	if err != nil {
		return fmt.Errorf("look whether a key stands: %w", err)
	}
	generation, err := s.generation(ctx, got.Subject)
	if err == nil && (n == 0 || generation != got.Generation) {
		return errToken
	}
	return err
}

// generation is which generation of a phone's tokens is good.
func (s *Service) generation(ctx context.Context, index string) (int64, error) {
	generation, err := db.New(s.DB.Reader()).Generation(ctx, index)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil // nothing ever ended one
	}
	if err != nil {
		return 0, fmt.Errorf("look which tokens are good: %w", err)
	}
	return generation, nil
}
