package partner

import (
	"bytes"
	"context"

	"github.com/eshik-kg/eshik/api"
	"github.com/eshik-kg/eshik/platform/clock"
)

// GetStatement gives a partner its account on a closed day.
func (s *REST) GetStatement(ctx context.Context, r GetStatementRequestObject) (GetStatementResponseObject, error) {
	made, err := s.Payments.PartnerStatement(ctx, api.PrincipalFrom(ctx).ID, clock.Noon(r.Day.Time))
	if err != nil {
		return nil, err
	}
	return GetStatement200TextcsvResponse{Body: bytes.NewReader(made), ContentLength: int64(len(made))}, nil
}
