package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/problem"
	"github.com/eshik-kg/eshik/platform/store"
	"github.com/eshik-kg/eshik/platform/store/dbtime"
)

// TokenLasts is how long an access token is good.
const TokenLasts = 15 * time.Minute

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
}

// keyring holds the keys of tokens; it does not change after the start.
type keyring struct {
	kid     string
	signing *ecdsa.PrivateKey
	public  map[string]*ecdsa.PublicKey
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
	return s.tokens(c, row, refresh)
}

// tokens signs an access token of a sign-in of the caller's phone, beside its refresh token.
func (s *Service) tokens(c caller.Caller, row db.IdentitySignIn, refresh string) (Tokens, error) {
	sealed, err := s.Sealer.Seal([]byte(c.Phone), tokenContext)
	if err != nil {
		return Tokens{}, err
	}
	id, err := s.newID()
	if err != nil {
		return Tokens{}, err
	}
	expires := c.Now.Add(TokenLasts).Truncate(time.Second)
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: tokenIssuer, Audience: jwt.ClaimStrings{tokenAudience}, Subject: row.PhoneIndex, ID: id,
			IssuedAt: jwt.NewNumericDate(c.Now), NotBefore: jwt.NewNumericDate(c.Now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Phone: base64.RawURLEncoding.EncodeToString(sealed), Generation: row.Generation, SignIn: row.ID,
	})
	token.Header["kid"], token.Header["typ"] = s.keys.kid, tokenType
	access, err := token.SignedString(s.keys.signing)
	if err != nil {
		return Tokens{}, fmt.Errorf("sign a token: %w", err)
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
	var got claims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}),
		jwt.WithIssuer(tokenIssuer), jwt.WithAudience(tokenAudience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(s.Now), jwt.WithStrictDecoding(),
	).ParseWithClaims(text, &got, s.verifyingKey)
	if err != nil {
		return Principal{}, errToken // the cause may repeat the token
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
	citizen, _, err := s.proof(ctx, string(phone), s.Now())
	if err != nil {
		return Principal{}, err
	}
	return Principal{Phone: string(phone), CitizenID: citizen.ID, SignIn: got.SignIn}, nil
}

// stands refuses a token whose sign-in has ended, or whose phone was cut off since.
func (s *Service) stands(ctx context.Context, got claims) error {
	if got.SignIn == "" { // of a version before: it ends by itself
		generation, err := s.generation(ctx, got.Subject)
		if err == nil && generation != got.Generation {
			return errToken
		}
		return err
	}
	generation, err := db.New(s.DB.Reader()).SignInStands(ctx, db.SignInStandsParams{ID: got.SignIn, PhoneIndex: got.Subject})
	if errors.Is(err, sql.ErrNoRows) || err == nil && generation != got.Generation {
		return errToken
	}
	if err != nil {
		return fmt.Errorf("look whether a sign-in stands: %w", err)
	}
	return nil
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

// verifyingKey finds the key of a token among ours only: headers that bring
// their own (jwk, jku, x5c) are not looked at, and those that demand to be
// understood (crit) are refused.
func (s *Service) verifyingKey(token *jwt.Token) (any, error) {
	if _, demanded := token.Header["crit"]; demanded || token.Header["typ"] != tokenType {
		return nil, errToken
	}
	kid, _ := token.Header["kid"].(string)
	key, known := s.keys.public[kid]
	if !known {
		return nil, errToken
	}
	return key, nil
}

// loadKeys reads the keys of tokens and makes the first one where none is. Of
// several processes that start at once, one makes it.
func (s *Service) loadKeys(ctx context.Context) (keyring, error) {
	rows, err := db.New(s.DB.Reader()).Keys(ctx)
	if err != nil {
		return keyring{}, err
	}
	if len(rows) == 0 {
		if err := s.makeKey(ctx, 1); err != nil {
			return keyring{}, err
		}
		if rows, err = db.New(s.DB.Reader()).Keys(ctx); err != nil {
			return keyring{}, err
		}
	}
	ring := keyring{public: make(map[string]*ecdsa.PublicKey, len(rows))}
	for _, row := range rows {
		der, err := s.Sealer.Open(row.PrivateSealed, keyContext)
		if err != nil {
			return keyring{}, fmt.Errorf("key %s: is this the master key of this database? %w", row.Kid, err)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return keyring{}, fmt.Errorf("read key %s: %w", row.Kid, err)
		}
		private, ok := parsed.(*ecdsa.PrivateKey)
		if !ok {
			return keyring{}, fmt.Errorf("key %s is no ECDSA key", row.Kid)
		}
		ring.kid, ring.signing = row.Kid, private
		ring.public[row.Kid] = &private.PublicKey
	}
	if ring.signing == nil {
		return keyring{}, errors.New("there is no key")
	}
	return ring, nil
}

func (s *Service) makeKey(ctx context.Context, slot int64) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), s.Rand)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("write a key: %w", err)
	}
	sealed, err := s.Sealer.Seal(der, keyContext)
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx *store.Tx) error {
		_, err := db.New(tx).InsertKey(ctx, db.InsertKeyParams{
			Slot: slot, Kid: "t" + strconv.FormatInt(slot, 10), PrivateSealed: sealed, CreatedAt: dbtime.From(s.Now()),
		})
		return err
	})
}
