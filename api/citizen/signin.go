package citizen

import (
	"context"
	"fmt"
	"time"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/jws"
)

// RefreshToken exchanges a refresh token for the tokens that follow.
func (s *Server) RefreshToken(ctx context.Context, r RefreshTokenRequestObject) (RefreshTokenResponseObject, error) {
	tokens, err := s.Identity.Refresh(ctx, who(ctx), r.Body.RefreshToken)
	if err != nil {
		return nil, err
	}
	return RefreshToken200JSONResponse(tokensView(tokens, who(ctx).Now)), nil
}

// SignOut ends the sign-in that asks.
func (s *Server) SignOut(ctx context.Context, _ SignOutRequestObject) (SignOutResponseObject, error) {
	if err := s.Identity.SignOut(ctx, who(ctx), api.PrincipalFrom(ctx).SignIn); err != nil {
		return nil, err
	}
	return SignOut204Response{}, nil
}

// ListSignIns lists where the phone is signed in.
func (s *Server) ListSignIns(ctx context.Context, _ ListSignInsRequestObject) (ListSignInsResponseObject, error) {
	list, err := s.Identity.SignIns(ctx, who(ctx), api.PrincipalFrom(ctx).SignIn)
	if err != nil {
		return nil, err
	}
	return ListSignIns200JSONResponse(api.Each(list, func(i identity.SignIn) SignIn {
		return SignIn{
			Id: i.ID, Device: api.Optional(i.Device), BegunAt: i.BegunAt, UsedAt: i.UsedAt, ExpiresAt: i.ExpiresAt, Current: i.Current,
		}
	})), nil
}

// EndSignIn signs a device of the phone out.
func (s *Server) EndSignIn(ctx context.Context, r EndSignInRequestObject) (EndSignInResponseObject, error) {
	if err := s.Identity.SignOut(ctx, who(ctx), r.Id); err != nil {
		return nil, err
	}
	return EndSignIn204Response{}, nil
}

// keysPath is where those who verify tokens look for keys (RFC 8615).
const keysPath = "/.well-known/jwks.json"

// ListTokenKeys publishes the keys by which access tokens are verified.
func (s *Server) ListTokenKeys(ctx context.Context, _ ListTokenKeysRequestObject) (ListTokenKeysResponseObject, error) {
	keys, err := s.Identity.PublicKeys(ctx)
	if err != nil {
		return nil, err
	}
	return ListTokenKeys200JSONResponse{
		Headers: ListTokenKeys200ResponseHeaders{CacheControl: fmt.Sprintf("public, max-age=%d", int(identity.KeysCached.Seconds()))},
		Body: TokenKeys{Keys: api.Each(keys, func(k jws.Key) TokenKey {
			return TokenKey{
				Kty: TokenKeyKty(k.Type), Crv: TokenKeyCrv(k.Curve), Kid: k.ID, Alg: TokenKeyAlg(k.Algorithm), Use: TokenKeyUse(k.Use), X: k.X, Y: k.Y,
			}
		})},
	}, nil
}

func tokensView(tokens identity.Tokens, now time.Time) Token {
	seconds := func(until time.Time) int { return int(until.Sub(now).Seconds()) }
	return Token{
		AccessToken: tokens.Access, TokenType: TokenTokenTypeBearer, ExpiresIn: seconds(tokens.ExpiresAt),
		RefreshToken: api.Optional(tokens.Refresh), RefreshExpiresIn: api.Optional(seconds(tokens.RefreshExpiresAt)),
	}
}

// given is an optional member of a request; the zero value where it was left out.
func given[T any](member *T) T {
	if member == nil {
		var none T
		return none
	}
	return *member
}
