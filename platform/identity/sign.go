package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/eshik-kg/eshik/platform/identity/db"
	"github.com/eshik-kg/eshik/platform/jws"
)

// SignToken signs the claims of a token that is no citizen's with the key that signs
// theirs. typ is what kind of token it is: by it, and by its audience, none is taken for
// another (RFC 8725, section 3.11). It may last as long as TokenLasts.
func (s *Service) SignToken(ctx context.Context, typ string, claims any) (string, error) {
	if typ == tokenType {
		return "", errors.New("a token of this type is a citizen's: a sign-in gives it")
	}
	key, err := s.signingKey(ctx, s.Now())
	if err != nil {
		return "", err
	}
	return jws.Sign(typ, key.ID, claims, key.private)
}

// VerifyToken gives the payload of a token of a type that one of our keys signed. The
// error is jws.ErrRefused where it is none, or its key was revoked; whether the claims are
// good now is the caller's to see.
func (s *Service) VerifyToken(ctx context.Context, typ, token string) ([]byte, error) {
	kid := ""
	signed, err := jws.Verify(token, func(id string) (*jws.PublicKey, error) {
		kid = id
		return s.verifyingKey(ctx, id)
	})
	if err != nil {
		return nil, err
	}
	if signed.Type != typ {
		return nil, jws.ErrRefused
	}
	n, err := db.New(s.DB.Reader()).KeyStands(ctx, kid)
	if err != nil {
		return nil, fmt.Errorf("look whether a key stands: %w", err)
	}
	if n == 0 {
		return nil, jws.ErrRefused
	}
	return signed.Payload, nil
}
