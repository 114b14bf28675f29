package console

import (
	"context"
	"strconv"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/services/preschool"
)

// OfferPlace offers a place in its turn.
func (s *Server) OfferPlace(ctx context.Context, r OfferPlaceRequestObject) (OfferPlaceResponseObject, error) {
	out, err := s.perform(ctx, "offer", r.Body.Reason, offer(*r.Body, false))
	if err != nil {
		return nil, err
	}
	made, _ := out.Made.(preschool.Offer) // which the operation makes
	return OfferPlace200JSONResponse{
		Registration: made.Number, Kindergarten: made.Kindergarten, AnswerBy: openapi_types.Date{Time: made.LastDay()}, Ahead: int64(made.Ahead),
	}, nil
}

// OfferOutOfTurn proposes to offer a place though other children are before.
func (s *Server) OfferOutOfTurn(ctx context.Context, r OfferOutOfTurnRequestObject) (OfferOutOfTurnResponseObject, error) {
	out, err := s.act(ctx, "offer-out-of-turn", r.Body.Reason, offer(*r.Body, true))
	return OfferOutOfTurn200JSONResponse(out), err
}

// offer is what the task takes.
func offer(r OfferRequest, outOfTurn bool) map[string]string {
	return map[string]string{"registration": r.Registration, "kindergarten": r.Kindergarten, "out-of-turn": strconv.FormatBool(outOfTurn)}
}

// TakeBack proposes to end a place that was given back.
func (s *Server) TakeBack(ctx context.Context, r TakeBackRequestObject) (TakeBackResponseObject, error) {
	out, err := s.act(ctx, "take-back", r.Body.Reason, map[string]string{"registration": r.Body.Registration})
	return TakeBack200JSONResponse(out), err
}

// WithdrawRegistration proposes to end a wrong registration.
func (s *Server) WithdrawRegistration(ctx context.Context, r WithdrawRegistrationRequestObject) (WithdrawRegistrationResponseObject, error) {
	out, err := s.act(ctx, "withdraw", r.Body.Reason, map[string]string{"registration": r.Body.Registration, "undone": "false"})
	return WithdrawRegistration200JSONResponse(out), err
}

// WithdrawUndone proposes to end one that a phone made which was undone.
func (s *Server) WithdrawUndone(ctx context.Context, r WithdrawUndoneRequestObject) (WithdrawUndoneResponseObject, error) {
	out, err := s.act(ctx, "withdraw-undone", r.Body.Reason, map[string]string{"registration": r.Body.Registration, "undone": "true"})
	return WithdrawUndone200JSONResponse(out), err
}

// ShowAllocation shows the next allocation of free places, and how the last one stands.
func (s *Server) ShowAllocation(ctx context.Context, r ShowAllocationRequestObject) (ShowAllocationResponseObject, error) {
	out, err := s.perform(ctx, "allocation", r.Body.Reason, nil)
	if err != nil {
		return nil, err
	}
	found, _ := out.Made.(preschool.Allocations) // which the operation makes
	shown := ShowAllocation200JSONResponse{}
	if p := found.Next; p != nil {
		shown.Next = &NextAllocation{
			Allocation: p.N, Commitment: p.Commitment, Seats: int64(p.Seats), Waiting: int64(p.Waiting), Offers: int64(p.Placed),
			Groups: api.Each(p.Groups, func(g preschool.PreviewGroup) AllocationGroup {
				return AllocationGroup{
					Kindergarten: g.Kindergarten, Name: g.Name.RU, Age: int64(g.Age), Free: int64(g.Free), Asking: int64(g.Asking),
					Offered: g.Offered, WithBenefit: int64(g.Benefit),
				}
			}),
		}
	}
	if l := found.Last; l != nil {
		shown.Last = &Allocation{
			Allocation: l.N, State: AllocationState(l.State), Commitment: l.Commitment, Seed: l.Seed, Verdict: l.Verdict, DecidedAt: l.DecidedAt,
			Seats: int64(l.Decided.Seats), Waiting: int64(l.Decided.Waiting), Offers: int64(l.Decided.Placed),
			Made: int64(l.Offered), Gone: int64(l.Gone), GivenUp: int64(l.Failed), ToMake: int64(l.Waits),
			Failing: api.Each(l.Failing, func(f preschool.FailingOffer) FailingOffer {
				return FailingOffer{Registration: f.Number, Since: f.Since, GivenUp: f.GivenUp}
			}),
		}
	}
	return shown, nil
}

// Allocate proposes to offer the free places to those whose turn it is.
func (s *Server) Allocate(ctx context.Context, r AllocateRequestObject) (AllocateResponseObject, error) {
	figure := func(n int64) string { return strconv.FormatInt(n, 10) }
	out, err := s.act(ctx, "allocate", r.Body.Reason, map[string]string{
		"allocation": figure(r.Body.Allocation), "seats": figure(r.Body.Seats), "waiting": figure(r.Body.Waiting),
	})
	return Allocate200JSONResponse(out), err
}
