package console

import (
	"context"
	"strings"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/staff"
)

// ListSessions lists where the officer is signed in.
func (s *Server) ListSessions(ctx context.Context, _ ListSessionsRequestObject) (ListSessionsResponseObject, error) {
	list, err := s.Staff.Sittings(ctx, seated(ctx).shown)
	if err != nil {
		return nil, err
	}
	return ListSessions200JSONResponse{Sessions: api.Each(list, func(one staff.Sitting) Sitting {
		return Sitting{Id: one.ID, BegunAt: one.BegunAt.UTC(), UsedAt: one.UsedAt.UTC(), ExpiresAt: one.ExpiresAt.UTC(), Current: one.Current}
	})}, nil
}

// EndSession ends one of them.
func (s *Server) EndSession(ctx context.Context, r EndSessionRequestObject) (EndSessionResponseObject, error) {
	return EndSession204Response{}, s.Staff.EndSitting(ctx, seated(ctx).shown, r.Id)
}

// ChangePassword changes the officer's own.
func (s *Server) ChangePassword(ctx context.Context, r ChangePasswordRequestObject) (ChangePasswordResponseObject, error) {
	token, err := s.Staff.ChangePassword(ctx, seated(ctx).shown, r.Body.Current, r.Body.Next)
	return ChangePassword200JSONResponse{Token: token}, err
}

// DrawCodes draws another secret of the officer's own codes.
func (s *Server) DrawCodes(ctx context.Context, r DrawCodesRequestObject) (DrawCodesResponseObject, error) {
	drawn, err := s.Staff.NewSecret(ctx, seated(ctx).shown, r.Body.Password)
	return DrawCodes200JSONResponse{Secret: drawn.Secret, Uri: drawn.URI, Enrolment: drawn.Sealed}, err
}

// ChangeCodes makes it that of their codes.
func (s *Server) ChangeCodes(ctx context.Context, r ChangeCodesRequestObject) (ChangeCodesResponseObject, error) {
	token, err := s.Staff.ConfirmSecret(ctx, seated(ctx).shown, r.Body.Enrolment, r.Body.Code)
	return ChangeCodes200JSONResponse{Token: token}, err
}

// ListAccounts lists who serves.
func (s *Server) ListAccounts(ctx context.Context, r ListAccountsRequestObject) (ListAccountsResponseObject, error) {
	list, err := look(ctx, s, "accounts", r.Body.Reason, func(ctx context.Context, _ staff.Officer) ([]staff.Account, error) {
		return s.Staff.Accounts(ctx)
	})
	if err != nil {
		return nil, err
	}
	return ListAccounts200JSONResponse{Accounts: api.Each(list, func(a staff.Account) Account {
		return Account{
			Name: a.Login, Person: a.Person, Role: Role(a.Role), Office: api.Optional(a.Office), MadeAt: a.MadeAt.UTC(), DisabledAt: api.Optional(a.DisabledAt),
		}
	})}, nil
}

// AddAccount makes one, or proposes it.
func (s *Server) AddAccount(ctx context.Context, r AddAccountRequestObject) (AddAccountResponseObject, error) {
	given := map[string]string{"name": r.Body.Name, "person": r.Body.Person, "role": string(r.Body.Role)}
	if r.Body.Office != nil {
		given["office"] = *r.Body.Office
	}
	out, err := s.account(ctx, "add", r.Body.Reason, given)
	return AddAccount200JSONResponse(out), err
}

// ResetAccount gives one other credentials, or proposes it.
func (s *Server) ResetAccount(ctx context.Context, r ResetAccountRequestObject) (ResetAccountResponseObject, error) {
	out, err := s.account(ctx, "reset", r.Body.Reason, map[string]string{"name": r.Body.Name})
	return ResetAccount200JSONResponse(out), err
}

// DisableAccount ends one and its sessions.
func (s *Server) DisableAccount(ctx context.Context, r DisableAccountRequestObject) (DisableAccountResponseObject, error) {
	out, err := s.act(ctx, "disable", r.Body.Reason, map[string]string{"name": r.Body.Name})
	return DisableAccount200JSONResponse(out), err
}

// account is act for what an account signs in with.
func (s *Server) account(ctx context.Context, operation, reason string, given map[string]string) (AccountOutcome, error) {
	out, err := s.perform(ctx, operation, reason, given)
	if err != nil {
		return AccountOutcome{}, err
	}
	keys, _ := out.Made.(staff.Credentials) // of which a proposer has the password alone
	if p := out.Waits; p != nil {
		return AccountOutcome{Outcome: AccountOutcomeOutcomeProposed, Proposal: &Waits{Id: p.ID, ExpiresAt: p.ExpiresAt}, Password: &keys.Password}, nil
	}
	return AccountOutcome{
		Outcome: AccountOutcomeOutcomeDone, Account: &Credentials{Secret: keys.Secret, Uri: keys.URI}, Password: &keys.Password,
	}, nil
}

// ListUnheard lists whom no message reaches.
func (s *Server) ListUnheard(ctx context.Context, r ListUnheardRequestObject) (ListUnheardResponseObject, error) {
	out, err := s.perform(ctx, "unheard", r.Body.Reason, nil)
	if err != nil {
		return nil, err
	}
	return ListUnheard200JSONResponse{Lines: strings.Split(out.Said, "\n")}, nil
}
