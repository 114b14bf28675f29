package console

import (
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/identity"
	"github.com/eshik-kg/eshik/platform/staff"
)

// ListDisputes lists the phones that accuse each other.
func (s *Server) ListDisputes(ctx context.Context, r ListDisputesRequestObject) (ListDisputesResponseObject, error) {
	list, err := look(ctx, s, "disputes", r.Body.Reason, func(ctx context.Context, _ staff.Officer) ([]identity.Disputed, error) {
		return s.Phones.Disputes(ctx)
	})
	if err != nil {
		return nil, err
	}
	return ListDisputes200JSONResponse{Disputes: api.Each(list, func(d identity.Disputed) Dispute {
		return Dispute{Person: d.Person, Phone: api.Optional(d.Phone), BoundAt: d.Bound, UntilAt: d.Until}
	})}, nil
}

// ClearPhone ends a dispute for a phone.
func (s *Server) ClearPhone(ctx context.Context, r ClearPhoneRequestObject) (ClearPhoneResponseObject, error) {
	out, err := s.act(ctx, "unblock", r.Body.Reason, map[string]string{"phone": r.Body.Phone, "personal-number": r.Body.PersonalNumber})
	return ClearPhone200JSONResponse(out), err
}

// EnrolPhone makes a code that makes a phone a person's.
func (s *Server) EnrolPhone(ctx context.Context, r EnrolPhoneRequestObject) (EnrolPhoneResponseObject, error) {
	out, err := s.perform(ctx, "enrol", r.Body.Reason, map[string]string{
		"phone": r.Body.Phone, "personal-number": r.Body.PersonalNumber, "document-number": r.Body.DocumentNumber,
	})
	if err != nil {
		return nil, err
	}
	made, _ := out.Made.(identity.Enrolment) // which the operation makes
	return EnrolPhone200JSONResponse{Code: made.Code, ExpiresAt: made.ExpiresAt}, nil
}

// ReleaseNumber notes that a number has another holder.
func (s *Server) ReleaseNumber(ctx context.Context, r ReleaseNumberRequestObject) (ReleaseNumberResponseObject, error) {
	out, err := s.act(ctx, "release-number", r.Body.Reason, map[string]string{"phone": r.Body.Phone})
	return ReleaseNumber200JSONResponse(out), err
}
