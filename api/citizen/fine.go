package citizen

import (
	"context"

	"github.com/eshik-kg/eshik/platform/module"
	"github.com/eshik-kg/eshik/services/fine"
)

func (s *Server) fines() *fine.Service { return module.Of[*fine.Service](s.Modules) }

// ListFines looks a plate up.
func (s *Server) ListFines(ctx context.Context, r ListFinesRequestObject) (ListFinesResponseObject, error) {
	listing, err := s.fines().Lookup(ctx, who(ctx), r.Params.Plate)
	if err != nil {
		return nil, err
	}
	return ListFines200JSONResponse{
		Plate: listing.Plate.Text, Registered: listing.Known, Total: int64(listing.Total),
		Fines: each(listing.Bills, func(b fine.Bill) Bill {
			return Bill{
				Ref: b.Number, Amount: optional(int64(b.Amount)), Due: int64(b.Due), Discount: optional(int64(max(0, b.Amount-b.Due))),
				Currency: CurrencyKGS, Paying: &b.Paying,
			}
		}),
	}, nil
}

// ListViolations tells an owner what the fines are for.
func (s *Server) ListViolations(ctx context.Context, r ListViolationsRequestObject) (ListViolationsResponseObject, error) {
	c := reader(ctx)
	violations, err := s.fines().Details(ctx, c, r.Params.Plate)
	if err != nil {
		return nil, err
	}
	return ListViolations200JSONResponse(each(violations, func(v fine.Violation) Violation {
		return Violation{
			Ref: v.Number, Title: v.Title, Amount: int64(v.Amount), Paid: v.Paid,
			Place: optional(v.Place), At: optional(v.At), Resolution: optional(v.Resolution), Article: optional(v.Article),
			DeliveredAt: optional(v.Delivered),
		}
	})), nil
}
