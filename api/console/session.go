package console

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/staff"
)

// SignIn begins a session, which is good from where it is begun.
func (s *Server) SignIn(ctx context.Context, r SignInRequestObject) (SignInResponseObject, error) {
	token, o, err := s.Staff.SignIn(ctx, origin(api.CallerFrom(ctx).Address), r.Body.Name, r.Body.Password, r.Body.Code)
	if err != nil {
		return nil, err
	}
	return SignIn201JSONResponse{
		Token: token, Officer: viewOf(o), IdleSeconds: int(staff.SessionIdles.Seconds()), LastsSeconds: int(staff.SessionLasts.Seconds()),
	}, nil
}

// GetSession says who is signed in.
func (s *Server) GetSession(ctx context.Context, _ GetSessionRequestObject) (GetSessionResponseObject, error) {
	return GetSession200JSONResponse(viewOf(seated(ctx).officer)), nil
}

// SignOut ends the session.
func (s *Server) SignOut(ctx context.Context, _ SignOutRequestObject) (SignOutResponseObject, error) {
	return SignOut204Response{}, s.Staff.SignOut(ctx, seated(ctx).shown)
}

// viewOf shows an officer, with what they may do.
func viewOf(o staff.Officer) Officer {
	out := Officer{Name: o.Login, Role: Role(o.Role), Office: api.Optional(o.Office), Owes: o.Owes, Operations: []Right{}}
	for _, rule := range staff.Rules() {
		if right, err := staff.May(o, rule.Operation, nil); err == nil {
			out.Operations = append(out.Operations, Right{Operation: rule.Operation, Right: RightRight(right)})
		}
	}
	return out
}
