package citizen

import (
	"bytes"
	"context"
	"fmt"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/locales"
	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/preschool"
)

func (s *Server) preschool() *preschool.Service { return module.Of[*preschool.Service](s.Modules) }

// ListChildren lists whom the citizen may register.
func (s *Server) ListChildren(ctx context.Context, _ ListChildrenRequestObject) (ListChildrenResponseObject, error) {
	children, err := s.preschool().Children(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return ListChildren200JSONResponse(api.Each(children, func(c preschool.Child) Child {
		return Child{Ref: c.Ref, Name: c.Name, Born: &openapi_types.Date{Time: c.Born}}
	})), nil
}

// ListDistricts lists where kindergartens are.
func (s *Server) ListDistricts(ctx context.Context, _ ListDistrictsRequestObject) (ListDistrictsResponseObject, error) {
	districts, err := s.preschool().Districts(ctx)
	if err != nil {
		return nil, err
	}
	loc := api.LocaleFrom(ctx)
	return ListDistricts200JSONResponse(api.Each(districts, func(d preschool.District) District {
		return District{Code: d.Code, Name: name(d.Name, loc)}
	})), nil
}

// ListKindergartens lists a district's kindergartens.
func (s *Server) ListKindergartens(ctx context.Context, r ListKindergartensRequestObject) (ListKindergartensResponseObject, error) {
	found, err := s.preschool().Kindergartens(ctx, r.Params.District)
	if err != nil {
		return nil, err
	}
	loc := api.LocaleFrom(ctx)
	return ListKindergartens200JSONResponse(api.Each(found, func(k preschool.Kindergarten) Kindergarten {
		free := 0
		for _, seats := range k.Free {
			free += seats
		}
		return Kindergarten{Id: k.Code, Name: name(k.Name, loc), District: district(k.District.Name, loc), FreeSeats: &free}
	})), nil
}

// ListRegistrations lists the registrations of the phone and its person.
func (s *Server) ListRegistrations(ctx context.Context, _ ListRegistrationsRequestObject) (ListRegistrationsResponseObject, error) {
	registrations, err := s.preschool().Registrations(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	loc := api.LocaleFrom(ctx)
	return ListRegistrations200JSONResponse(api.Each(registrations, func(p preschool.Position) Position { return positionView(p, loc) })), nil
}

// RegisterChild puts a child into the queue.
func (s *Server) RegisterChild(ctx context.Context, r RegisterChildRequestObject) (RegisterChildResponseObject, error) {
	position, err := s.preschool().Register(ctx, who(ctx), r.Body.Child, r.Body.Kindergartens)
	if err != nil {
		return nil, err
	}
	return RegisterChild201JSONResponse(positionView(position, api.LocaleFrom(ctx))), nil
}

// QueuePosition tells the place in the queue, to whoever knows the number.
func (s *Server) QueuePosition(ctx context.Context, r QueuePositionRequestObject) (QueuePositionResponseObject, error) {
	position, err := s.preschool().Position(ctx, who(ctx), r.Number)
	if err != nil {
		return nil, err
	}
	return QueuePosition200JSONResponse(positionView(position, api.LocaleFrom(ctx))), nil
}

// ListAllocations lists the allocations of free places that are over.
func (s *Server) ListAllocations(ctx context.Context, _ ListAllocationsRequestObject) (ListAllocationsResponseObject, error) {
	list, err := s.preschool().Replays(ctx)
	if err != nil {
		return nil, err
	}
	return ListAllocations200JSONResponse(api.Each(list, func(r preschool.Replay) PublicAllocation {
		return PublicAllocation{
			Allocation: r.N, DecidedAt: r.DecidedAt, State: PublicAllocationState(r.State), Seats: int64(r.Seats), Waiting: int64(r.Waiting), Offers: int64(r.Placed),
			Commitment: r.Commitment, Seed: r.Seed, Sha256: r.Digest,
		}
	})), nil
}

// ReplayFile is the public file of an allocation.
func (s *Server) ReplayFile(ctx context.Context, r ReplayFileRequestObject) (ReplayFileResponseObject, error) {
	file, err := s.preschool().ReplayFile(ctx, r.Allocation)
	if err != nil {
		return nil, err
	}
	return ReplayFile200ApplicationxNdjsonResponse{
		Body: bytes.NewReader(file), ContentLength: int64(len(file)),
		Headers: ReplayFile200ResponseHeaders{ContentDisposition: api.Attachment(fmt.Sprintf("eshik-allocation-%d.jsonl", r.Allocation))},
	}, nil
}

// ListOffers lists the places offered to the citizen's children.
func (s *Server) ListOffers(ctx context.Context, _ ListOffersRequestObject) (ListOffersResponseObject, error) {
	offers, err := s.preschool().Offers(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	loc := api.LocaleFrom(ctx)
	return ListOffers200JSONResponse(api.Each(offers, func(o preschool.Offer) Offer { return offerView(o, loc) })), nil
}

// UseThisPhone has the citizen's registrations tell of themselves on the token's phone.
func (s *Server) UseThisPhone(ctx context.Context, _ UseThisPhoneRequestObject) (UseThisPhoneResponseObject, error) {
	numbers, err := s.preschool().Follow(ctx, who(ctx))
	if err != nil {
		return nil, err
	}
	return UseThisPhone200JSONResponse{Registrations: numbers}, nil
}

// AnswerOffer accepts or declines a place.
func (s *Server) AnswerOffer(ctx context.Context, r AnswerOfferRequestObject) (AnswerOfferResponseObject, error) {
	offer, err := s.preschool().Answer(ctx, who(ctx), r.Number, r.Body.Offer, r.Body.Accept)
	if err != nil {
		return nil, err
	}
	return AnswerOffer200JSONResponse(offerView(offer, api.LocaleFrom(ctx))), nil
}

func positionView(p preschool.Position, loc locales.Locale) Position {
	state := p.State
	if state == preschool.StateWithdrawn { // what a client knows: it ended, and the child may be registered anew
		state = preschool.StateLeft
	}
	view := Position{
		Number: p.Number, State: RegistrationState(state),
		Places: api.Each(p.Places, func(place preschool.Place) Place {
			return Place{
				Kindergarten: place.Kindergarten, Name: name(place.Name, loc), District: district(place.District, loc), Position: place.Position,
				Level: level(place.Level), Given: givenView(place.Given),
			}
		}),
	}
	if p.Key != "" {
		view.Key = &p.Key
	}
	if p.Offer != nil {
		offer := offerView(*p.Offer, loc)
		view.Offer = &offer
	}
	return view
}

// level is how many others are of one moment; nil for none.
func level(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func givenView(g *preschool.Given) *GivenPlaces {
	if g == nil {
		return nil
	}
	return &GivenPlaces{DecidedAt: g.At, Places: g.Places}
}

func offerView(o preschool.Offer, loc locales.Locale) Offer {
	return Offer{
		Id: o.ID, Number: o.Number, Kindergarten: o.Kindergarten, Name: name(o.Name, loc), District: district(o.District, loc), State: OfferState(o.State),
		Until: o.Until, LastDay: openapi_types.Date{Time: o.LastDay()},
	}
}

// district is a district's name in the script of loc; nil where it is not known.
func district(n preschool.Name, loc locales.Locale) *string {
	if n.In(loc) == "" {
		return nil
	}
	in := name(n, loc)
	return &in
}

// name is a register's name in the script of loc.
func name(n preschool.Name, loc locales.Locale) string {
	if loc == locales.KYLatn {
		return locales.Latin(n.In(loc))
	}
	return n.In(loc)
}
