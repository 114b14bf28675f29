package console

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/staff"
)

// ListProposals lists what waits for a second person, for who asks.
func (s *Server) ListProposals(ctx context.Context, r ListProposalsRequestObject) (ListProposalsResponseObject, error) {
	list, err := look(ctx, s, "proposals", r.Body.Reason, s.Staff.Proposals)
	if err != nil {
		return nil, err
	}
	own := seated(ctx).officer.ID
	return ListProposals200JSONResponse{Proposals: api.Each(list, func(p staff.Proposal) Proposal {
		return Proposal{
			Id: p.ID, Operation: p.Operation, Given: p.Shown(), RestsOn: p.Facts, Reason: p.Reason, ProposedBy: p.ProposedBy.Login,
			Own: p.ProposedBy.ID == own, ProposedAt: p.ProposedAt, ExpiresAt: p.ExpiresAt,
		}
	})}, nil
}

// Approve does what another person proposed.
func (s *Server) Approve(ctx context.Context, r ApproveRequestObject) (ApproveResponseObject, error) {
	done, err := s.Desk.Approve(ctx, seated(ctx).shown, r.Id, r.Body.Reason)
	if err != nil {
		return nil, err
	}
	approved := Approve200JSONResponse{Outcome: ApprovedOutcomeDone}
	if keys, made := done.Made.(staff.Credentials); made {
		approved.Account = &Credentials{Secret: keys.Secret, Uri: keys.URI}
	}
	return approved, nil
}

// Reject ends a proposal without doing it.
func (s *Server) Reject(ctx context.Context, r RejectRequestObject) (RejectResponseObject, error) {
	return Reject204Response{}, s.Desk.Reject(ctx, seated(ctx).shown, r.Id, r.Body.Reason)
}
