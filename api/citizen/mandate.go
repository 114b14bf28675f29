package citizen

import (
	"context"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/clock"
	"github.com/eshik-kg/eshik/platform/mandate"
)

// ListMandates lists who acts for the person, and for whom the person acts.
func (s *Server) ListMandates(ctx context.Context, _ ListMandatesRequestObject) (ListMandatesResponseObject, error) {
	list, err := s.Mandates.List(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return ListMandates200JSONResponse(api.Each(list, mandateView)), nil
}

// AskMandate asks a person to let the caller act for them.
func (s *Server) AskMandate(ctx context.Context, r AskMandateRequestObject) (AskMandateResponseObject, error) {
	m, err := s.Mandates.Ask(ctx, who(ctx), mandate.Wish{
		Number: r.Body.PersonalNumber, Services: api.Each(r.Body.Services, func(name MandateService) string { return string(name) }),
		Until: r.Body.Until.Time,
	})
	if err != nil {
		return nil, err
	}
	return AskMandate201JSONResponse(mandateView(m)), nil
}

// GiveMandate gives what was asked of the person.
func (s *Server) GiveMandate(ctx context.Context, r GiveMandateRequestObject) (GiveMandateResponseObject, error) {
	m, err := s.Mandates.Give(ctx, who(ctx), r.Id)
	if err != nil {
		return nil, err
	}
	return GiveMandate200JSONResponse(mandateView(m)), nil
}

// EndMandate ends one, from either side.
func (s *Server) EndMandate(ctx context.Context, r EndMandateRequestObject) (EndMandateResponseObject, error) {
	if err := s.Mandates.End(ctx, who(ctx), r.Id); err != nil {
		return nil, err
	}
	return EndMandate204Response{}, nil
}

func mandateView(m mandate.Mandate) Mandate {
	return Mandate{
		Id: m.ID, Role: MandateRole(m.Role), State: MandateState(m.State), Called: api.Optional(m.Called), Tail: m.Tail,
		Services: api.Each(m.Services, func(name string) MandateService { return MandateService(name) }),
		Until:    openapi_types.Date{Time: clock.LastDay(m.Until)}, AskedAt: m.AskedAt.UTC(), GivenAt: api.Optional(m.GivenAt), WaitsUntil: api.Optional(m.WaitsUntil),
	}
}
