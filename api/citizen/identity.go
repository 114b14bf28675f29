package citizen

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/caller"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/problem"
)

var (
	errPhone    = problem.New(problem.Invalid, "problem.phone")
	errLanguage = problem.New(problem.Invalid, "problem.language")
)

// withPhone is the caller of a request that names its phone in the body.
func withPhone(ctx context.Context, typed string) (caller.Caller, error) {
	phone, ok := caller.ParsePhone(typed)
	if !ok {
		return caller.Caller{}, errPhone
	}
	return api.CallerNamed(ctx, phone)
}

// SendCode sends a one-time code by SMS.
func (s *Server) SendCode(ctx context.Context, r SendCodeRequestObject) (SendCodeResponseObject, error) {
	c, err := withPhone(ctx, r.Body.Phone)
	if err != nil {
		return nil, err
	}
	sent, err := s.Identity.SendCode(ctx, c)
	if err != nil {
		return nil, err
	}
	return SendCode202JSONResponse{
		Challenge: sent.Challenge, SentAt: sent.SentAt.UTC(), ExpiresAt: sent.ExpiresAt.UTC(), AgainAt: sent.AgainAt.UTC(),
	}, nil
}

// GetProfile tells a phone what is kept of it.
func (s *Server) GetProfile(ctx context.Context, _ GetProfileRequestObject) (GetProfileResponseObject, error) {
	c := who(ctx)
	account, err := s.Identity.Account(ctx, c)
	if err != nil {
		return nil, err
	}
	level := ProfileLevel(max(c.Level, caller.LevelCode).String())
	return GetProfile200JSONResponse{
		Phone: c.Phone, Language: api.Optional(Language(account.Locale)), Proven: c.Subject != "", ProvenUntil: api.Optional(account.ProvenUntil),
		Level: &level,
	}, nil
}

// ListDevices lists the phones that were proved for the person.
func (s *Server) ListDevices(ctx context.Context, _ ListDevicesRequestObject) (ListDevicesResponseObject, error) {
	devices, err := s.Identity.Devices(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return ListDevices200JSONResponse(api.Each(devices, func(d identity.Device) Device {
		return Device{
			Phone: api.Optional(d.Phone), BoundAt: d.BoundAt, ProvenUntil: api.Optional(d.ProvenUntil),
			BlockedUntil: api.Optional(d.BlockedUntil), Current: d.Current,
		}
	})), nil
}

// IssueToken exchanges a code for tokens.
func (s *Server) IssueToken(ctx context.Context, r IssueTokenRequestObject) (IssueTokenResponseObject, error) {
	c, err := withPhone(ctx, r.Body.Phone)
	if err != nil {
		return nil, err
	}
	tokens, err := s.Identity.IssueToken(ctx, c, given(r.Body.Challenge), r.Body.Code, given(r.Body.Device))
	if err != nil {
		return nil, err
	}
	return IssueToken200JSONResponse(tokensView(tokens, c.Now)), nil
}

// ProveIdentity binds the phone to a person of the register.
func (s *Server) ProveIdentity(ctx context.Context, r ProveIdentityRequestObject) (ProveIdentityResponseObject, error) {
	if _, err := s.Identity.Prove(ctx, who(ctx), r.Body.PersonalNumber, r.Body.DocumentNumber); err != nil {
		return nil, err
	}
	return ProveIdentity204Response{}, nil
}

// ProveByEnrolment binds the phone to the person whom a clerk gave a code to.
func (s *Server) ProveByEnrolment(ctx context.Context, r ProveByEnrolmentRequestObject) (ProveByEnrolmentResponseObject, error) {
	if _, err := s.Identity.ProveByCode(ctx, who(ctx), r.Body.Code); err != nil {
		return nil, err
	}
	return ProveByEnrolment204Response{}, nil
}

// ProveBySecret proves the person whose secret it is on the phone.
func (s *Server) ProveBySecret(ctx context.Context, r ProveBySecretRequestObject) (ProveBySecretResponseObject, error) {
	if _, err := s.Identity.ProveBySecret(ctx, who(ctx), r.Body.Secret); err != nil {
		return nil, err
	}
	return ProveBySecret204Response{}, nil
}

// SetSecret sets or changes the person's secret on the phone.
func (s *Server) SetSecret(ctx context.Context, r SetSecretRequestObject) (SetSecretResponseObject, error) {
	if err := s.Identity.SetSecret(ctx, who(ctx), given(r.Body.Current), r.Body.Secret); err != nil {
		return nil, err
	}
	return SetSecret204Response{}, nil
}

// RemoveSecret removes the person's secret from the phone.
func (s *Server) RemoveSecret(ctx context.Context, r RemoveSecretRequestObject) (RemoveSecretResponseObject, error) {
	if err := s.Identity.RemoveSecret(ctx, who(ctx), r.Body.Secret); err != nil {
		return nil, err
	}
	return RemoveSecret204Response{}, nil
}

// SetLanguage remembers the language of the phone.
func (s *Server) SetLanguage(ctx context.Context, r SetLanguageRequestObject) (SetLanguageResponseObject, error) {
	loc, ok := locales.Parse(r.Body.Language)
	if !ok || loc == locales.EN { // English is for developers: no conversation is held in it
		return nil, errLanguage
	}
	if err := s.Identity.SetLocale(ctx, who(ctx).Phone, loc, ""); err != nil {
		return nil, err
	}
	if err := s.Conversations.Relearn(ctx, who(ctx).Phone); err != nil {
		return nil, err
	}
	return SetLanguage204Response{}, nil
}
