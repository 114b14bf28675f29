package citizen

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/identity"
)

// BeginNationalSignIn begins a sign-in by the state's own sign-in.
func (s *Server) BeginNationalSignIn(ctx context.Context, r BeginNationalSignInRequestObject) (BeginNationalSignInResponseObject, error) {
	begun, err := s.Identity.BeginNational(ctx, who(ctx), api.PrincipalFrom(ctx).SignIn, given(r.Body.Device))
	if err != nil {
		return nil, err
	}
	return BeginNationalSignIn201JSONResponse(nationalView(begun)), nil
}

// GetNationalSignIn tells how one stands.
func (s *Server) GetNationalSignIn(ctx context.Context, r GetNationalSignInRequestObject) (GetNationalSignInResponseObject, error) {
	found, err := s.Identity.NationalOf(ctx, who(ctx), api.PrincipalFrom(ctx).SignIn, r.Id)
	if err != nil {
		return nil, err
	}
	return GetNationalSignIn200JSONResponse(nationalView(found)), nil
}

func nationalView(n identity.National) NationalSignIn {
	return NationalSignIn{
		Id: n.ID, State: NationalSignInState(n.State), Address: api.Optional(n.Address), UserCode: api.Optional(n.UserCode), ExpiresAt: n.ExpiresAt.UTC(),
		Enrolled: api.Optional(n.Enrolled), Problem: api.Optional(n.Why),
	}
}
